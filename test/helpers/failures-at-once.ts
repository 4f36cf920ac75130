/** Prints a failure when it happens: a suite of half an hour tells the reasons only at its end, and nothing when it is broken off. */
import type { Reporter, TestCase } from 'vitest/node';

export default class FailuresAtOnce implements Reporter {
  onTestCaseResult(test: TestCase): void {
    const result = test.result();
    if (result.state !== 'failed') return;
    for (const { message, diff } of result.errors)
      console.log(`FAILED ${test.module.relativeModuleId} ${test.fullName}\n${message}\n${diff ?? ''}`);
  }
}
