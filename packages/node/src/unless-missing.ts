/**
 * The result of a file operation, or undefined if the file or directory does not exist.
 *
 * @param codes - Error codes that count as missing.
 */
export async function unlessMissing<T>(reading: Promise<T>, codes: readonly string[] = ['ENOENT']): Promise<T | undefined> {
  return reading.catch((failure: NodeJS.ErrnoException) => {
    if (failure.code !== undefined && codes.includes(failure.code)) return undefined
    throw failure
  })
}
