import { HaltError } from '../engine/halt.ts'
import { CorruptFileError } from '../engine/record-file.ts'
import { DamagedError } from '../store/damage.ts'
import type { Condition, FatalCode } from './conditions.ts'

/** Why a node cannot go on. */
export type Ending = Condition<FatalCode>

/** Thrown where a node must not even start. */
export class EndingError extends Error {
  readonly ending: Ending

  constructor(ending: Ending) {
    super(ending.message)
    this.ending = ending
  }
}

/** No room in the file system, in the quota, or under the process's limit of file sizes. */
const FULL_CODES: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])
/** LevelDB hands on the system's words, not its code. */
const FULL_WORDS = /No space left on device|Disk quota exceeded|File too large/i
const STORAGE_CODE = /^(E[A-Z0-9]+|LEVEL_[A-Z_]+)$/
const CAUSES_MAX = 16

/** The ending that an error means which stopped the engine or a part below it. */
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

/** The error, and all that it came of, each once: its cause, and the errors that it stands for. */
function causesOf(error: unknown): readonly Error[] {
  const causes = new Set<Error>()
  const add = (cause: unknown): void => {
    if (cause instanceof Error && causes.size < CAUSES_MAX) causes.add(cause)
  }
  add(error)
  // A set's loop comes to what is added meanwhile.
  for (const cause of causes) {
    add(cause.cause)
    if (cause instanceof AggregateError) for (const part of cause.errors.slice(0, CAUSES_MAX)) add(part)
  }
  return [...causes]
}

const codeOf = (error: Error): string => ('code' in error && typeof error.code === 'string' ? error.code : '')
