export interface RunAndClose {
  /** Resolves to an exit code. */
  readonly run: () => Promise<number>
  readonly close: () => Promise<void>
  /** Whether what ran has come to an end of its own, for a reason that is known. Asked before the close. */
  readonly hasEnded: () => boolean
  /** A close failed that does not decide how all ends. */
  readonly onLateFailure: (error: unknown) => void
}

/** Runs, then closes. A close that fails when something had gone wrong before is a consequence, and takes nothing from the first reason. */
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
