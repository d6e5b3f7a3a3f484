import { CorruptFileError } from '../engine/record-file.ts'
import type { FatalCode } from '../health/conditions.ts'
import { EndingError, endingOf } from '../health/ending.ts'
import { CommandError } from './failure.ts'

/**
 * Exit codes of a command. They tell a supervisor whether to restart it; `docs/operations.md` has the table. Codes from 64 on follow BSD's
 * sysexits where one fits, because Node.js itself uses 1 to 13 and, for signals, 128 and above.
 */
export const EXIT_CODE = {
  /** Success, or stopped on request. */
  done: 0,
  /** A flag, a setting or a file of the user is wrong, or a port or directory is in use. */
  usage: 1,
  'untrusted-files': 65,
  failed: 70,
  'disk-full': 73,
  storage: 74,
  halted: 76,
  'scheduled-stop': 78,
} as const satisfies Readonly<Record<'done' | 'usage' | FatalCode, number>>

/** System errors that a person must fix before another start can succeed. */
const USAGE_CODES: ReadonlySet<string> = new Set([
  'ENOENT',
  'EACCES',
  'EPERM',
  'EROFS',
  'EADDRINUSE',
  'EADDRNOTAVAIL',
  'EEXIST',
  'EISDIR',
  'ENOTDIR',
])

/** @returns The exit code of a command that failed with this error. */
export function exitCodeOf(failure: unknown): number {
  if (failure instanceof CommandError) return EXIT_CODE.usage
  if (failure instanceof EndingError || failure instanceof CorruptFileError) return EXIT_CODE[endingOf(failure).code]
  const code = failure instanceof Error && 'code' in failure && typeof failure.code === 'string' ? failure.code : ''
  if (code === 'LEVEL_DATABASE_NOT_OPEN') return EXIT_CODE['untrusted-files']
  return USAGE_CODES.has(code) ? EXIT_CODE.usage : EXIT_CODE[endingOf(failure).code]
}
