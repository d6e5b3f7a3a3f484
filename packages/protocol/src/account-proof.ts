import { type Account, accountCodec } from './account.ts'
import { Address, bytesToHex, equalBytes, Hash, type Hex, hexToBytes, parseHex } from './bytes.ts'
import * as codec from './codec.ts'
import type { Crypto } from './crypto.ts'
import { LIMITS } from './limits.ts'
import { Height, Nonce, U256_MAX, Wei } from './numbers.ts'
import { err, ok, type Result } from './result.ts'
import { accountKey, storageKey } from './state-keys.ts'
import { type StateProof, stateProofCodec, treeKey, verifyStateProof } from './state-proof.ts'

/**
 * The answer of `quoin_getProof`: an account and some of its storage after a block, with a proof for each. `formatAccountProof` makes it;
 * `verifyAccountProof` needs nothing else but the block's hash and state root, which come from a header that the caller trusts.
 */
export interface AccountProof {
  readonly address: Address
  /** Undefined if the address has no account: it was never used. */
  readonly account: Account | undefined
  readonly accountProof: StateProof
  readonly storage: readonly StorageProof[]
}

/** An entry of a contract's storage. */
export interface StorageProof {
  /** The raw key, at most `stateKeyBytesMax` bytes. */
  readonly key: Uint8Array
  /** Undefined if nothing is stored under the key. */
  readonly value: Uint8Array | undefined
  readonly proof: StateProof
}

/** The JSON form. Quantities, data and hashes are hex as in Ethereum's JSON-RPC; a proof is its `stateProofCodec` encoding. */
export interface AccountProofJson {
  readonly address: Address
  readonly blockNumber: Hex
  readonly blockHash: Hash
  readonly account: { readonly nonce: Hex; readonly balance: Hex; readonly codeHash: Hash | null } | null
  readonly accountProof: Hex
  readonly storageProof: readonly { readonly key: Hex; readonly value: Hex | null; readonly proof: Hex }[]
}

/** Makes the JSON form of a proof of the state after a block. */
export function formatAccountProof(
  block: { readonly number: Height; readonly hash: Hash },
  { address, account, accountProof, storage }: AccountProof,
): AccountProofJson {
  return {
    address,
    blockNumber: quantity(block.number),
    blockHash: block.hash,
    account:
      account === undefined
        ? null
        : { nonce: quantity(account.nonce), balance: quantity(account.balance), codeHash: account.codeHash ?? null },
    accountProof: proofHex(accountProof),
    storageProof: storage.map(({ key, value, proof }) => ({
      key: bytesToHex(key),
      value: value === undefined ? null : bytesToHex(value),
      proof: proofHex(proof),
    })),
  }
}

const quantity = (value: number | bigint): Hex => `0x${value.toString(16)}`

const proofHex = (proof: StateProof): Hex => bytesToHex(codec.encode(stateProofCodec, proof))

/** What was asked for, and the block whose state root is trusted. */
export interface AccountQuestion {
  /**
   * From a verified header: its number, its hash and its `stateRoot`. A header has the root of the state after its own block.
   */
  readonly block: { readonly number: Height; readonly hash: Hash; readonly stateRoot: Hash }
  readonly address: Address
  /** Raw storage keys, in the order in which they were asked. */
  readonly keys: readonly Uint8Array[]
}

/** What the block's state root commits to. */
export interface ProvenAccount {
  /** Undefined if the address has no account. */
  readonly account: Account | undefined
  /** One for each key that was asked; undefined if nothing is stored under it. */
  readonly values: readonly (Uint8Array | undefined)[]
}

export type AccountProofProblem =
  /** The answer is not a canonical answer of `quoin_getProof`. */
  | { readonly code: 'malformed'; readonly message: string }
  /** It answers another question: about another block, address or key. */
  | { readonly code: 'other-block' | 'other-address' | 'other-key'; readonly message: string }
  /** A value and its proof do not lead to the state root. */
  | { readonly code: 'wrong-account' | 'wrong-value'; readonly message: string }

/**
 * Verifies an answer of `quoin_getProof` against a trusted state root.
 *
 * @param answer the `result` of the JSON-RPC response, as parsed from JSON. Nothing in it is trusted.
 * @returns the proven account and values, or the first thing in the answer that does not fit. Never throws for any answer.
 * @throws RangeError if a key of the question is longer than `stateKeyBytesMax`
 */
export function verifyAccountProof(
  crypto: Crypto,
  { block, address, keys }: AccountQuestion,
  answer: unknown,
): Result<ProvenAccount, AccountProofProblem> {
  const stateKeys = keys.map((key) => storageKey(address, key))
  const parsed = parseAccountProof(answer, keys.length)
  if (!parsed.ok) return parsed
  const { block: claimed, proof } = parsed.value
  if (claimed.number !== block.number || claimed.hash !== block.hash)
    return problem(
      'other-block',
      `the answer is for block ${claimed.number} ${claimed.hash}, not for block ${block.number} ${block.hash}`,
    )
  if (proof.address !== address)
    return problem('other-address', `the answer is for the address ${proof.address}, not for ${address}`)
  const holds = (key: Hex, value: Uint8Array | undefined, shown: StateProof): boolean =>
    verifyStateProof(crypto, block.stateRoot, treeKey(crypto, hexToBytes(key)), value, shown)
  const { account } = proof
  const record = account === undefined ? undefined : codec.encode(accountCodec, account)
  if (!holds(accountKey(address), record, proof.accountProof))
    return problem('wrong-account', `the proof of the account ${address} does not lead to the state root ${block.stateRoot}`)
  for (const [i, { key, value, proof: shown }] of proof.storage.entries()) {
    if (!equalBytes(key, keys[i]!))
      return problem('other-key', `storageProof.${i} is for the key ${bytesToHex(key)}, not for ${bytesToHex(keys[i]!)}`)
    if (!holds(stateKeys[i]!, value, shown))
      return problem(
        'wrong-value',
        `storageProof.${i}: the proof of the key ${bytesToHex(key)} does not lead to the state root ${block.stateRoot}`,
      )
  }
  return ok({ account, values: proof.storage.map(({ value }) => value) })
}

const problem = (code: AccountProofProblem['code'], message: string): Result<never, AccountProofProblem> => err({ code, message })

/** Thrown and caught in this module only. */
class Malformed extends Error {}

/** Reads the JSON form. Every value has one form; any other is refused. `count` is the number of storage entries it must have. */
function parseAccountProof(
  answer: unknown,
  count: number,
): Result<
  { readonly block: { readonly number: Height; readonly hash: Hash }; readonly proof: AccountProof },
  AccountProofProblem
> {
  try {
    const { address, blockNumber, blockHash, account, accountProof, storageProof } = object(answer, 'the answer', [
      'address',
      'blockNumber',
      'blockHash',
      'account',
      'accountProof',
      'storageProof',
    ])
    if (!Array.isArray(storageProof)) throw new Malformed('storageProof must be an array')
    if (storageProof.length !== count) throw new Malformed(`storageProof has ${storageProof.length} entries, not ${count}`)
    return ok({
      block: {
        number: Height(Number(readQuantity(blockNumber, BigInt(Number.MAX_SAFE_INTEGER), 'blockNumber'))),
        hash: readHash(blockHash, 'blockHash'),
      },
      proof: {
        address: Address(readData(address, 20, 'address', 20)),
        account: account === null ? undefined : readAccount(account),
        accountProof: readProof(accountProof, 'accountProof'),
        storage: storageProof.map(readStorage),
      },
    })
  } catch (failure) {
    if (failure instanceof Malformed) return problem('malformed', failure.message)
    throw failure
  }
}

function readAccount(value: unknown): Account {
  const { nonce, balance, codeHash } = object(value, 'account', ['nonce', 'balance', 'codeHash'])
  return {
    nonce: Nonce(Number(readQuantity(nonce, 0xffff_ffffn, 'account.nonce'))),
    balance: Wei(readQuantity(balance, U256_MAX, 'account.balance')),
    codeHash: codeHash === null ? undefined : readHash(codeHash, 'account.codeHash'),
  }
}

function readStorage(entry: unknown, i: number): StorageProof {
  const path = `storageProof.${i}`
  const { key, value, proof } = object(entry, path, ['key', 'value', 'proof'])
  return {
    key: readData(key, LIMITS.stateKeyBytesMax, `${path}.key`),
    value: value === null ? undefined : readData(value, LIMITS.stateValueBytesMax, `${path}.value`),
    proof: readProof(proof, `${path}.proof`),
  }
}

/** An object with exactly these members. */
function object<const K extends string>(value: unknown, path: string, names: readonly K[]): Readonly<Record<K, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Malformed(`${path} must be an object`)
  for (const name of names) if (!Object.hasOwn(value, name)) throw new Malformed(`${path} has no member ${name}`)
  if (Object.keys(value).length > names.length) throw new Malformed(`${path} has other members than ${names.join(', ')}`)
  return value as Readonly<Record<K, unknown>>
}

const QUANTITY = /^0x(0|[1-9a-f][0-9a-f]{0,63})$/

function readQuantity(value: unknown, max: bigint, path: string): bigint {
  if (typeof value !== 'string' || !QUANTITY.test(value)) throw new Malformed(`${path} must be a hex quantity in lower case`)
  const number = BigInt(value)
  if (number > max) throw new Malformed(`${path} is above ${max}`)
  return number
}

const LOWER_HEX = /^0x[0-9a-f]*$/

function readData(value: unknown, max: number, path: string, min = 0): Uint8Array {
  const bytes = typeof value === 'string' && value.length <= 2 + 2 * max && LOWER_HEX.test(value) ? parseHex(value) : undefined
  if (bytes === undefined || bytes.length < min)
    throw new Malformed(`${path} must be hex in lower case, of ${min === max ? '' : 'at most '}${max} bytes`)
  return bytes
}

const readHash = (value: unknown, path: string): Hash => Hash(readData(value, 32, path, 32))

function readProof(value: unknown, path: string): StateProof {
  const decoded = codec.decode(stateProofCodec, readData(value, stateProofCodec.bytesMax, path))
  if (!decoded.ok) throw new Malformed(`${path} is not the encoding of a proof: ${decoded.error.message}`)
  return decoded.value
}
