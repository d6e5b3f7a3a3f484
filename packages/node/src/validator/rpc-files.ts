import { X509Certificate } from 'node:crypto'
import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Config } from '../config/index.ts'
import { IDENTITY_LIMITS } from '../rpc/identity/limits.ts'
import type { NamedText } from '../rpc/identity/settings.ts'
import type { TlsSettings } from '../rpc/server/tls.ts'
import { CommandError, explain } from './failure.ts'

/** What the files hold that the settings of the RPC name. */
export interface RpcFiles {
  readonly secret: NamedText | undefined
  readonly keys: readonly NamedText[]
  readonly tls: TlsSettings | undefined
}

/** Access of anyone but the owner. */
const OTHERS = 0o077

/**
 * Reads the files with keys, the secret and the certificate.
 *
 * @param root - The data directory, from which relative paths count.
 * @throws {CommandError} If one is missing or too long, others than its owner may read a secret, or a setting lacks its counterpart.
 */
export async function readRpcFiles({ rpc }: Pick<Config, 'rpc'>, root: string): Promise<RpcFiles> {
  const read = (setting: string, path: string, isSecret: boolean) => readText({ setting, path: resolve(root, path), isSecret })
  const { 'tls-cert': cert, 'tls-key': key, 'token-secret': secret, 'token-keys': keys } = rpc
  if ((cert === '') !== (key === ''))
    throw new CommandError(
      `rpc.tls-cert and rpc.tls-key belong together: set ${cert === '' ? 'rpc.tls-cert' : 'rpc.tls-key'} too`,
    )
  return {
    secret: secret === '' ? undefined : await read('rpc.token-secret', secret, true),
    keys: await Promise.all(keys.map((path) => read('rpc.token-keys', path, false))),
    tls:
      cert === ''
        ? undefined
        : { cert: (await read('rpc.tls-cert', cert, false)).text, key: (await read('rpc.tls-key', key, true)).text },
  }
}

interface Wanted {
  readonly setting: string
  readonly path: string
  readonly isSecret: boolean
}

async function readText({ setting, path, isSecret }: Wanted): Promise<NamedText> {
  const name = `${setting} ${path}`
  try {
    const file = await open(path)
    try {
      // Of the open file, so that it is the one that is read.
      const { mode, size } = await file.stat()
      if (isSecret && (mode & OTHERS) !== 0)
        throw new CommandError(`${name}: others than its owner have access to the file: chmod 600 ${path}`)
      const { fileBytesMax } = IDENTITY_LIMITS
      if (size > fileBytesMax) throw new CommandError(`${name}: the file has ${size} bytes, and may have ${fileBytesMax}`)
      return { name, text: await file.readFile('utf8') }
    } finally {
      await file.close()
    }
  } catch (failure) {
    const problem = failure instanceof CommandError ? undefined : explain(failure)
    if (problem === undefined) throw failure
    throw new CommandError(`${setting}: ${problem}`)
  }
}

/**
 * Describes a certificate for `quoin doctor`.
 *
 * @returns Its names and its end.
 * @throws {CommandError} If it does not hold at a time.
 */
export function describeCertificate({ cert }: TlsSettings, nowMs: number): string {
  const { subjectAltName, validFrom, validTo } = new X509Certificate(cert)
  if (nowMs >= Date.parse(validTo))
    throw new CommandError(`rpc.tls-cert: the certificate has expired on ${validTo}: renew it, then quoin reload`)
  if (nowMs < Date.parse(validFrom))
    throw new CommandError(`rpc.tls-cert: the certificate holds from ${validFrom} on: compare the clock`)
  return `certificate for ${subjectAltName ?? 'no name'}, valid until ${validTo}, and its key fit together`
}
