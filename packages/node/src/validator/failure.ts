import { CorruptFileError } from '../engine/record-file.ts'
import { EndingError } from '../health/ending.ts'
import { ListenError } from '../listen-error.ts'
import { DATABASE_ADVICE, DamagedError } from '../store/damage.ts'

/** Ends a command with the exit code `usage`. The message tells the user what was wrong, where, and what to do. */
export class CommandError extends Error {}

/**
 * Unwraps a result.
 *
 * @param where - Prefix of the message: a file, a directory or a setting.
 * @throws {CommandError} If the result is an error.
 */
export function orFail<T>(
  result: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: { readonly message: string } },
  where: string,
): T {
  if (result.ok) return result.value
  throw new CommandError(`${where}: ${result.error.message}`)
}

interface SystemError {
  readonly code: string
  readonly path?: string
  readonly port?: number
  readonly message: string
  readonly cause?: unknown
}

const isSystemError = (failure: unknown): failure is SystemError =>
  failure instanceof Error && 'code' in failure && typeof failure.code === 'string'

/** The flag that sets where the part that failed listens. */
const addressFlag = (failure: SystemError, part: 'host' | 'port'): string =>
  failure instanceof ListenError && failure.use !== 'p2p' ? `--${failure.use}-${part}` : '--p2p-listen'

/** @returns A message for the operator; undefined for a bug, whose stack should be shown instead. */
export function explain(failure: unknown): string | undefined {
  if (failure instanceof CommandError || failure instanceof CorruptFileError || failure instanceof EndingError)
    return failure.message
  if (failure instanceof DamagedError) return failure.message
  if (!isSystemError(failure)) return undefined
  switch (failure.code) {
    case 'ENOENT':
      return `${failure.path ?? 'a file'} does not exist`
    case 'EEXIST':
      return `${failure.path ?? 'a file'} already exists. Nothing was replaced`
    case 'EISDIR':
      return `${failure.path ?? failure.message} is a directory: name a file`
    case 'ENOTDIR':
      return `${failure.path ?? failure.message}: a part of this path is a file, not a directory`
    case 'EACCES':
    case 'EPERM':
      return `permission denied: ${failure.path ?? failure.message}: check the owner and mode of the file or directory`
    case 'ENOSPC':
      return `the disk is full${failure.path === undefined ? '' : ` (${failure.path})`}: free some space and start again; no final block is lost`
    case 'EADDRINUSE':
      return `${failure.port === undefined ? failure.message : `port ${failure.port} is in use by another process`}: choose another port (${addressFlag(failure, 'port')}) or stop that process`
    case 'EADDRNOTAVAIL':
      return `${failure.message}: this machine has no such address: choose one that it has (${addressFlag(failure, 'host')})`
    case 'LEVEL_DATABASE_NOT_OPEN':
      return `the database cannot be opened: ${failure.cause instanceof Error ? failure.cause.message : failure.message}. ${DATABASE_ADVICE}`
    case 'EROFS':
      return `${failure.path ?? 'the file system'} is read-only: remount it writable, or use another data directory`
    default:
      return undefined
  }
}
