/** A line of the test's output, which the runner shows beside the test. */
export function print(text: string): void {
  // oxlint-disable-next-line no-console -- the runner of the tests takes it from there
  console.log(text)
}
