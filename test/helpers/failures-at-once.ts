/**
 * Prints a failure when it happens: a suite of half an hour tells the reasons only at its end, and nothing when it is broken off. A test
 * that failed first and passed when it was tried again is printed as well, and all such once more at the end: each is a bug until shown
 * otherwise. The files of the tests that failed are written to PORTPARTY_FAILED_FILES, a line each, where `scripts/test-all.mjs` asks for it.
 */
import { writeFileSync } from 'node:fs';
import type { Reporter, TestCase, TestModule } from 'vitest/node';

export default class FailuresAtOnce implements Reporter {
  readonly #flaky: string[] = [];

  onTestCaseResult(test: TestCase): void {
    const result = test.result();
    const { errors = [] } = result;
    if (errors.length === 0) return;
    const name = `${test.module.relativeModuleId} ${test.fullName}`;
    if (result.state === 'passed') this.#flaky.push(name);
    console.log(`${result.state === 'passed' ? 'FAILED FIRST, PASSED THEN' : 'FAILED'} ${name}`);
    for (const { message, diff } of errors) console.log(`${message}\n${diff ?? ''}`);
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const list = process.env.PORTPARTY_FAILED_FILES;
    const failed = modules.filter((module) => !module.ok()).map(({ relativeModuleId }) => `${relativeModuleId}\n`);
    if (list !== undefined) writeFileSync(list, failed.join(''));
    for (const name of this.#flaky) console.log(`flaky: ${name}`);
  }
}
