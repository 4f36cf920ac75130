/** An agent's engine: sends its part of the traffic, and tells of the outcomes while they come about. */
import type { Engine, GeneratorReport, TrafficPlan } from '../traffic/engine.js';
import { ENGINES } from '../traffic/engines.js';
import { type RowBatch, rowChanges } from '../traffic/row-batch.js';
import type { AgentEvents, EventName } from './protocol.js';

/** Sends an event to the harness. */
export type Tell = <Name extends EventName>(event: Name, value: AgentEvents[Name]) => void;

/** An engine that is ready to start. */
export interface Sender {
  visitors: number;
  /** Resolves when everything has been sent and told. */
  run(startNs: bigint): Promise<GeneratorReport>;
  /** Tells of the requests that have begun or ended since the last time. */
  tellChanges(): void;
  /** Ends the sending early: open requests are left `underWay`. */
  stop(): void;
  /** Frees the engine's threads and descriptors. */
  close(): Promise<void>;
}

const TELL_EVERY_MS = 200;

/** Makes an engine ready to send a plan from here; while it runs, `tell` gets a `rows` event every 200 ms and at the end. */
export async function prepareSender(engine: Engine['name'], plan: TrafficPlan, tell: Tell): Promise<Sender> {
  const prepared = await ENGINES[engine].prepare(plan);
  const changes = rowChanges(prepared.outcomes);
  const tellAll = (batches: RowBatch[]) => batches.forEach((batch) => void tell('rows', batch));
  const tellChanges = () => tellAll(changes.byState());
  return {
    visitors: prepared.outcomes.visitors,
    tellChanges,
    async run(startNs) {
      const timer = setInterval(tellChanges, TELL_EVERY_MS);
      try {
        const report = await prepared.run(startNs);
        tellAll(changes.all());
        return report;
      } finally {
        clearInterval(timer);
      }
    },
    stop: () => prepared.stop(),
    close: () => prepared.close(),
  };
}
