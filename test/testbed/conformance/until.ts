/** Waits for a condition that a process on a host brings about; fails after 10 s. */
export async function until(condition: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 10_000;
  while (!(await condition())) if (performance.now() > end) throw new Error('the condition did not come true in 10 s');
}
