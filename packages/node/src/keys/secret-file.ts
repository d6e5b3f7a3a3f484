import { open } from 'node:fs/promises'
import { err, ok, type Result } from '@quoin/protocol'
import type { KeyError } from './validator-key.ts'

/** Larger than any key or password file. */
const SECRET_FILE_BYTES_MAX = 64 * 1024
/** Mode bits of the group and of everybody. */
const OTHERS = 0o077

const quoted = (path: string): string => (/^[\w@+:,./][\w@+=:,./-]*$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`)

/**
 * Reads a file with a secret in it, which nobody but its owner may read. On Windows, where modes say nothing, that is not checked.
 *
 * @returns its text; refused when others may read it, with the line to type
 * @throws ENOENT and other system errors
 */
export async function readSecretFile(
  path: string,
  platform: NodeJS.Platform = process.platform,
): Promise<Result<string, KeyError>> {
  const refuse = (why: string): Result<never, KeyError> => err({ code: 'invalid-key', message: `${path}: ${why}` })
  const file = await open(path, 'r')
  try {
    const { mode, size } = await file.stat()
    if (platform !== 'win32' && (mode & OTHERS) !== 0)
      return refuse(`others may read this secret (mode ${(mode & 0o777).toString(8)}). Type: chmod 600 ${quoted(path)}`)
    if (size > SECRET_FILE_BYTES_MAX) return refuse(`has ${size} bytes, which no key or password has`)
    return ok(await file.readFile('utf8'))
  } finally {
    await file.close()
  }
}

/** The password in a file: its text without the line break at its end, which editors and echo add. */
export async function readPasswordFile(path: string): Promise<Result<string, KeyError>> {
  const text = await readSecretFile(path)
  return text.ok ? ok(text.value.replace(/\r?\n$/, '')) : text
}
