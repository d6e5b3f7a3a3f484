import { constants, getPriority, setPriority } from 'node:os'

/**
 * How far threads step back behind the validator's own work (the main thread and the execution worker), in nice values: a step of 10 is a
 * ninth of the processor time if both want it.
 */
export const STEP_BACK = {
  /** What clients want: requests and calls. */
  clients: 10,
  /** Signatures: of transactions that clients and peers send, and of the bodies of blocks. */
  recovery: 5,
} as const

/** How the system refuses (`info.code` of Node's error). */
const FORBIDDEN: readonly string[] = ['EPERM', 'EACCES', 'ENOSYS']

/**
 * Lowers the priority of the calling thread. On a machine whose processors are all in use, a flood of valid requests or transactions then
 * waits for consensus, and not the other way round. Only Linux has priorities of threads (setpriority(2), BUGS: the nice value is an
 * attribute of a thread); elsewhere this does nothing.
 */
export function stepBack(by: number): void {
  if (process.platform !== 'linux') return
  try {
    setPriority(Math.min(constants.priority.PRIORITY_LOW, getPriority() + by))
  } catch (failure) {
    // A sandbox may forbid the call. The thread works as well at the priority that it has.
    if (!FORBIDDEN.includes((failure as { readonly info?: { readonly code?: string } }).info?.code ?? '')) throw failure
  }
}
