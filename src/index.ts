/** The library: everything that the command line does, callable from a test file or a script. */

export { type Baseline, baselineOf } from './analysis/baseline.js';
export { type CompareOptions, compareRuns } from './analysis/comparison/compare.js';
export type {
  Comparison,
  MetricComparison,
  MetricVerdict,
  PairComparison,
} from './analysis/comparison/comparison.js';
export { evaluateGate } from './analysis/evaluate-gates.js';
export { type GateExpression, GateSyntaxError, parseGate } from './analysis/gate-expression.js';
export { type GateFor, type GateOptions, gateRun } from './analysis/gate-run.js';
export type { Candidate } from './analysis/tune-candidates.js';
export type { TriedSetting, TuneVerdict } from './analysis/tune-verdict.js';
export { ExitCode, PortPartyError } from './errors.js';
export { CAUSES, type Cause, type Verdict } from './ledger/causes.js';
export type { CapacityLimit, CapacityRecord, CapacityTrial } from './record/capacity-record.js';
export { readBaseline } from './record/read-baseline.js';
export { readRun } from './record/read-record.js';
export type {
  CauseCount,
  GateResult,
  LatencySummary,
  Measured,
  RunRecord,
  TrialRecord,
  VariantRecord,
} from './record/run-record.js';
export type { TuneRecord } from './record/tune-record.js';
export type { ExportedFile } from './report/export/export.js';
export type { AgainstFirst, ComparedRun, ComparisonData } from './report/html/comparison/comparison-data.js';
export type { Overlay, OverlayLine, RunCurve } from './report/html/comparison/overlay-data.js';
export { readComparison } from './report/html/comparison/read-comparison.js';
export { renderComparisonPage } from './report/html/comparison/render-comparison-page.js';
export { type WriteComparisonOptions, writeComparison } from './report/html/comparison/write-comparison.js';
export type { Ending } from './report/html/ending.js';
export type {
  BrokenRecord,
  IndexData,
  IndexRun,
  IndexScenario,
  Trend,
  TrendPoint,
} from './report/html/index-page/index-data.js';
export { readIndex } from './report/html/index-page/read-index.js';
export { renderIndexPage } from './report/html/index-page/render-index-page.js';
export { writeIndex } from './report/html/index-page/write-index.js';
export { readReport } from './report/html/read-report.js';
export { renderReport } from './report/html/render-report.js';
export type { Example, ReportComparison, ReportData, ToldTrial } from './report/html/report-data.js';
export type { Totals } from './report/html/run-words.js';
export { type WriteReportOptions, writeReport } from './report/html/write-report.js';
export { type CapacityFileOptions, capacity } from './run/capacity-file.js';
export { type ExportOptions, exportVariant, writeExport } from './run/export-variant.js';
export { loadScenario } from './run/load-scenario.js';
export { type RunFileOptions, run } from './run/run-file.js';
export { type TuneFileOptions, tune } from './run/tune-file.js';
export type { Scenario, ScenarioVariant } from './scenario/scenario.js';
export { makePlan } from './topology/make-plan.js';
export type { Plan } from './topology/plan.js';
export type { AlarmEvent } from './watch/alarms.js';
export type { WarnLines } from './watch/conditions.js';
export type { PoolSample, WatchSample } from './watch/sample.js';
export { type Look, openWatcher, type Watcher, type WatcherOptions } from './watch/watcher.js';
