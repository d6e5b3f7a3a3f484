/** Prints a line that the test runner shows with the test. */
export function print(text: string): void {
  // oxlint-disable-next-line no-console -- the test runner captures it
  console.log(text)
}
