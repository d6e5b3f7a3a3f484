/** What a file operation gives; undefined where the file or directory does not exist, or fails with another of the codes that mean so to the caller. */
export async function unlessMissing<T>(reading: Promise<T>, codes: readonly string[] = ['ENOENT']): Promise<T | undefined> {
  return reading.catch((failure: NodeJS.ErrnoException) => {
    if (failure.code !== undefined && codes.includes(failure.code)) return undefined
    throw failure
  })
}
