export interface RunAndClose {
  /** Resolves to an exit code. */
  readonly run: () => Promise<number>
  readonly close: () => Promise<void>
  /** Whether the run ended by itself for a known reason. Asked before the close. */
  readonly hasEnded: () => boolean
  /** Called with the error of a close that failed but does not decide the outcome. */
  readonly onLateFailure: (error: unknown) => void
}

/** Runs, then closes. If the run has already failed, an error of the close is only reported: the first error decides the outcome. */
export async function runAndClose({ run, close, hasEnded, onLateFailure }: RunAndClose): Promise<number> {
  let exitCode: number
  try {
    exitCode = await run()
  } catch (first) {
    await close().catch(onLateFailure)
    throw first
  }
  if (hasEnded()) await close().catch(onLateFailure)
  else await close()
  return exitCode
}
