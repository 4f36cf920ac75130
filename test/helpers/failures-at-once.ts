/**
 * Prints a failure when it happens: a suite of half an hour tells the reasons only at its end, and nothing when it is broken off. A test
 * that failed first and passed when it was tried again is printed as well, and all such once more at the end: each is a bug until shown
 * otherwise.
 */
import type { Reporter, TestCase } from 'vitest/node';

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

  onTestRunEnd(): void {
    for (const name of this.#flaky) console.log(`flaky: ${name}`);
  }
}
