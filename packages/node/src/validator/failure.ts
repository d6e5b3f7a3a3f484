import { CorruptFileError } from '../engine/record-file.ts'
import { EndingError } from '../health/ending.ts'
import { ListenError } from '../listen-error.ts'
import { DATABASE_ADVICE, DamagedError } from '../store/damage.ts'

/** What a command tells its user before it ends with the exit code `usage`: what was wrong, where, and what to do. */
export class CommandError extends Error {}

/** The value of a result, or the command ends with its message. */
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

/** A failure in the words of the person who has to do something about it; undefined for one that is a bug and wants its stack. */
export function explain(failure: unknown): string | undefined {
  if (failure instanceof CommandError || failure instanceof CorruptFileError || failure instanceof EndingError)
    return failure.message
  if (failure instanceof DamagedError) return failure.message
  if (!isSystemError(failure)) return undefined
  switch (failure.code) {
    case 'ENOENT':
      return `${failure.path ?? 'a file'} does not exist`
    case 'EACCES':
    case 'EPERM':
      return `no permission for ${failure.path ?? failure.message}: check the owner and mode of the file or directory`
    case 'ENOSPC':
      return `the disk is full${failure.path === undefined ? '' : ` (${failure.path})`}: free some space and start again, nothing that was final is lost`
    case 'EADDRINUSE':
      return `${failure.port === undefined ? failure.message : `port ${failure.port} is in use by another process`}: choose another one (${failure instanceof ListenError ? `--${failure.use}-port` : '--p2p-listen'}) or stop that process`
    case 'EADDRNOTAVAIL':
      return `${failure.message}: this machine has no such address (${failure instanceof ListenError ? `--${failure.use}-host` : '--p2p-listen'})`
    case 'LEVEL_DATABASE_NOT_OPEN':
      return `the database cannot be opened: ${failure.cause instanceof Error ? failure.cause.message : failure.message}. ${DATABASE_ADVICE}`
    case 'EROFS':
      return `${failure.path ?? 'the file system'} is read-only`
    default:
      return undefined
  }
}
