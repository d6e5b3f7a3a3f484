import { readFile, stat } from 'node:fs/promises'
import { type Crypto, err, parseHex, type Result } from '@quoin/protocol'
import { type OperatorAccount, operatorAccount } from '../evidence/operator-account.ts'
import { unlessMissing } from '../unless-missing.ts'
import type { KeyError } from './validator-key.ts'

/** Bits of a file's mode by which others than its owner may do anything with it. */
const OTHERS = 0o077
/** 0x and 64 digits, and a line end. */
const FILE_BYTES_MAX = 128

/**
 * Reads the key of the account from which a node reports equivocation: a text file of 32 bytes in hex, for its owner alone.
 *
 * @returns why the file cannot be used. The message names the file and never its content.
 */
export async function readOperatorKey(crypto: Crypto, path: string): Promise<Result<OperatorAccount, KeyError>> {
  const refuse = (why: string): Result<never, KeyError> =>
    err({ code: 'invalid-key', message: `the operator key file ${path} ${why}` })
  const found = await unlessMissing(stat(path))
  if (found === undefined) return refuse('does not exist')
  if (!found.isFile() || found.size > FILE_BYTES_MAX) return refuse('must be a file with one secret key in hex: 0x and 64 digits')
  if (process.platform !== 'win32' && (found.mode & OTHERS) !== 0)
    return refuse(`can be read by others (mode ${(found.mode & 0o777).toString(8)}): run chmod 600 on it`)
  const secretKey = parseHex((await readFile(path, 'utf8')).trim())
  const account = secretKey?.length === 32 ? operatorAccount(crypto, secretKey) : undefined
  return account === undefined
    ? refuse('must contain one secret key of secp256k1 in hex: 0x and 64 digits')
    : { ok: true, value: account }
}
