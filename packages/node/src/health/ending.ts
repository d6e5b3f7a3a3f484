import { HaltError } from '../engine/halt.ts'
import { CorruptFileError } from '../engine/record-file.ts'
import { DamagedError } from '../store/damage.ts'
import { type Ending, EndingError } from './ending-error.ts'

export { type Ending, EndingError } from './ending-error.ts'

/** No space in the file system or the quota, or the process's file size limit is reached. */
const FULL_CODES: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])
/** LevelDB passes on the system's message, not its error code. */
const FULL_WORDS = /No space left on device|Disk quota exceeded|File too large/i
const STORAGE_CODE = /^(E[A-Z0-9]+|LEVEL_[A-Z_]+)$/
const CAUSES_MAX = 16

/**
 * Classifies an error that stopped the engine or a part below it.
 *
 * @returns The ending, with the messages of the error and its causes. An unknown error counts as a bug (`failed`).
 */
export function endingOf(error: unknown): Ending {
  const chain = causesOf(error)
  const message = chain.length === 0 ? String(error) : chain.map((cause) => cause.message).join(': ')
  for (const cause of chain) {
    if (cause instanceof EndingError) return cause.ending
    if (cause instanceof HaltError) return { code: 'halted', message }
    if (cause instanceof CorruptFileError || cause instanceof DamagedError) return { code: 'untrusted-files', message }
  }
  if (chain.some((cause) => FULL_CODES.has(codeOf(cause)) || FULL_WORDS.test(cause.message)))
    return { code: 'disk-full', message }
  return { code: chain.some((cause) => STORAGE_CODE.test(codeOf(cause))) ? 'storage' : 'failed', message }
}

/** The error and everything that caused it, each once: causes, and the parts of an AggregateError. At most `CAUSES_MAX`. */
function causesOf(error: unknown): readonly Error[] {
  const causes = new Set<Error>()
  const add = (cause: unknown): void => {
    if (cause instanceof Error && causes.size < CAUSES_MAX) causes.add(cause)
  }
  add(error)
  // Iteration over a Set also visits elements that are added during the loop.
  for (const cause of causes) {
    add(cause.cause)
    if (cause instanceof AggregateError) for (const part of cause.errors.slice(0, CAUSES_MAX)) add(part)
  }
  return [...causes]
}

const codeOf = (error: Error): string => ('code' in error && typeof error.code === 'string' ? error.code : '')
