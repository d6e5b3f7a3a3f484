import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { bytesToHex, type Crypto, err, type Result } from '@quoin/protocol'
import { loadNodeKey, type NodeKey } from '../network/node-key.ts'
import type { DataDir } from './data-dir.ts'
import { type KeyError, parseSecret, type ValidatorKey, validatorKeyFile } from './validator-key.ts'
import { type PasswordSource, readValidatorKey } from './validator-key-file.ts'

/** Readable by the owner only; `wx` never overwrites an existing file. */
const SECRET_FILE = { mode: 0o600, flag: 'wx' } as const
const NODE_KEY_KIND = 'quoin-node-key'

export interface NodeKeys {
  readonly validator: ValidatorKey
  readonly node: NodeKey
  /** The network key in the form that `createLibp2pTransport` takes. */
  readonly nodeKeyBytes: Uint8Array
}

/**
 * Creates a data directory and writes both key files into it.
 *
 * @throws EEXIST if a key file already exists: a key is never replaced.
 */
export async function writeKeys(dir: DataDir, validator: ValidatorKey, nodeKeyBytes: Uint8Array): Promise<void> {
  await mkdir(dir.root, { recursive: true, mode: 0o700 })
  await writeFile(dir.validatorKey, validatorKeyFile(validator), SECRET_FILE)
  await writeFile(
    dir.nodeKey,
    `${JSON.stringify({ kind: NODE_KEY_KIND, secretKey: bytesToHex(nodeKeyBytes) }, null, 2)}\n`,
    SECRET_FILE,
  )
}

/**
 * Reads both key files of a data directory.
 *
 * @throws ENOENT if a key file does not exist.
 */
export async function readKeys(crypto: Crypto, dir: DataDir, password: PasswordSource): Promise<Result<NodeKeys, KeyError>> {
  const validator = await readValidatorKey(crypto, dir.validatorKey, password)
  if (!validator.ok) return validator
  const secret = parseSecret(await readFile(dir.nodeKey, 'utf8'), NODE_KEY_KIND)
  if (!secret.ok) return named(dir.nodeKey, secret.error)
  const node = loadNodeKey(secret.value)
  if (!node.ok) return named(dir.nodeKey, node.error)
  return { ok: true, value: { validator: validator.value, node: node.value, nodeKeyBytes: secret.value } }
}

const named = (file: string, { message }: { readonly message: string }): Result<never, KeyError> =>
  err({ code: 'invalid-key', message: `${file}: ${message}` })
