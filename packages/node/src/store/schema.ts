import {
  Address,
  bytesToHex,
  bytesToNumber,
  codec,
  concatBytes,
  Hash,
  Height,
  hexToBytes,
  LIMITS,
  numberToBytes,
} from '@quoin/protocol'
import type { ContractCreation, StoredSender, TransactionLocation } from './types.ts'

/**
 * Layout of the whole database. A key is a space byte and the fields below. Heights are 8 bytes big-endian, so keys of a space are ordered
 * by height; hashes are 32 bytes. Values are canonical encodings of the named codec, each followed by a checksum (`sealed-record.ts`).
 *
 *   00                  format       version of this schema, 4 bytes; written with genesis, never changed in place, and without checksum
 *   01                  chain        digest of the genesis document, and the epoch of the restart that the chain last went through
 *   02                  head         height and hash of the last final block
 *   03 height           header       headerCodec; genesis is height 0
 *   04 height           body         bodyCodec: the transactions in their network encoding
 *   05 height           senders      hash and sender of each transaction, in the body's order
 *   06 height           receipts     receiptsCodec
 *   07 height           certificate  commitCertificateCodec; from height 1 on
 *   08 block hash       height of the block
 *   09 transaction hash height and index of the transaction
 *   0a height           hash of the validator set of that height, from 1 to head + 2
 *   0b set hash         validator set; each distinct set is stored once
 *   0c height, hash     transactions on which the contract interpreter failed at that height, without a value
 *   0d evidence hash    evidence of equivocation that is not on the chain (`evidenceCodec`)
 *   0e .. 0f            free for the store
 *   10 .. 2f            execution: state, history, tree and undo log (packages/execution/src/state/keys.ts)
 *   30 group, height    log index: fingerprints of the addresses and topics of the block's logs, by group (2 bytes; `log-index.ts`)
 *   31 account, height  account index: positions of the account's transactions in the block (`account-index.ts`)
 *   32 contract         the transaction that created the contract, and its creator
 *   33 .. ff            free
 *
 * One synced batch per block writes 02 to 0b, execution's spaces and the indexes: after a crash a block is stored completely or not at all.
 * Records under 0c and 0d belong to this node alone, and are written when a fault is found.
 */
export const FORMAT_VERSION = 4

/** First byte of the keys of each space. */
export const SPACE = {
  format: 0x00,
  chain: 0x01,
  head: 0x02,
  header: 0x03,
  body: 0x04,
  senders: 0x05,
  receipts: 0x06,
  certificate: 0x07,
  heightByHash: 0x08,
  location: 0x09,
  validatorsHash: 0x0a,
  validators: 0x0b,
  quarantine: 0x0c,
  evidence: 0x0d,
  logIndex: 0x30,
  accountIndex: 0x31,
  creation: 0x32,
} as const
export type Space = keyof typeof SPACE

type SingleSpace = 'format' | 'chain' | 'head'
export type HeightSpace = 'header' | 'body' | 'senders' | 'receipts' | 'certificate' | 'validatorsHash'
type HashSpace = 'heightByHash' | 'location' | 'validators'

/** Key of a space with a single record. */
export const singleKey = (space: SingleSpace): Uint8Array => Uint8Array.of(SPACE[space])

/** Key of a height's record. */
export const heightKey = (space: HeightSpace, height: Height): Uint8Array =>
  concatBytes(Uint8Array.of(SPACE[space]), numberToBytes(height, 8))

/** Key of an index entry or validator set, by hash. */
export const hashKey = (space: HashSpace, hash: Hash): Uint8Array => concatBytes(Uint8Array.of(SPACE[space]), hexToBytes(hash))

const HEIGHT_BYTES = 8
const HASH_BYTES = 32
const GROUP_BYTES = 2
const ADDRESS_BYTES = 20

/** Length of `logIndexKey`. */
export const LOG_INDEX_KEY_BYTES = 1 + GROUP_BYTES + HEIGHT_BYTES

/** Key of a group of the log index in a block. Written into `key` if it is given. */
export function logIndexKey(group: number, height: Height, key: Uint8Array = new Uint8Array(LOG_INDEX_KEY_BYTES)): Uint8Array {
  key[0] = SPACE.logIndex
  key[1] = group >>> 8
  key[2] = group
  writeHeight(key, height)
  return key
}

/** Length of `accountIndexKey`. */
export const ACCOUNT_INDEX_KEY_BYTES = 1 + ADDRESS_BYTES + HEIGHT_BYTES

/** Key of an account's transactions in a block. Written into `key` if it is given. */
export function accountIndexKey(
  account: Address,
  height: Height,
  key: Uint8Array = new Uint8Array(ACCOUNT_INDEX_KEY_BYTES),
): Uint8Array {
  key[0] = SPACE.accountIndex
  key.set(hexToBytes(account), 1)
  writeHeight(key, height)
  return key
}

/** Writes the height at the end of a key, without a DataView: for small arrays V8 would have to move them out of its heap, 5 µs each. */
function writeHeight(key: Uint8Array, height: Height): void {
  let rest: number = height
  for (let i = key.length - 1; i >= key.length - HEIGHT_BYTES; i--) {
    key[i] = rest % 256
    rest = Math.floor(rest / 256)
  }
}

/**
 * The height in a key of the log index or the account index.
 * @throws RangeError if the key is too short, which is damage
 */
export const indexedHeight = (key: Uint8Array): Height =>
  Height(Number(new DataView(key.buffer, key.byteOffset, key.length).getBigUint64(key.length - HEIGHT_BYTES)))

/** The contract in a key of `creationKey`. */
export const contractOfKey = (key: Uint8Array): Address => Address(key.subarray(1))

/** Key of a contract's creation. */
export const creationKey = (contract: Address): Uint8Array => concatBytes(Uint8Array.of(SPACE.creation), hexToBytes(contract))

/** Whether this is the key of the format record, which has no checksum. */
export const isFormatKey = (key: Uint8Array): boolean => key.length === 1 && key[0] === SPACE.format

const SPACE_NAMES: ReadonlyMap<number, string> = new Map([
  ...Object.entries(SPACE).map(([name, space]) => [space, name] as const),
  [0x10, 'flat state'],
  [0x11, 'state history'],
  [0x20, 'state tree'],
  [0x21, 'contract image'],
])

/** Names a record for people: its space, and its height or its key in hex. */
export function describeKey(key: Uint8Array): string {
  const name = SPACE_NAMES.get(key[0] ?? -1) ?? 'unknown space'
  const height = heightOfKey(key)
  if (height !== undefined) return `${name} of height ${height}`
  const rest = key.subarray(1, 1 + DESCRIBED_BYTES)
  return key.length <= 1 ? name : `${name} at ${bytesToHex(rest)}${key.length > 1 + DESCRIBED_BYTES ? '…' : ''}`
}

const DESCRIBED_BYTES = 64

const HEIGHT_SPACES: ReadonlySet<number> = new Set(
  (['header', 'body', 'senders', 'receipts', 'certificate', 'validatorsHash'] as const).map((space) => SPACE[space]),
)

/** The first missing record between two of a space in which each height has one. */
export function gapBetween(before: Uint8Array, key: Uint8Array): Uint8Array | undefined {
  const [last, height] = [heightOfKey(before), heightOfKey(key)]
  if (last === undefined || height === undefined || before[0] !== key[0] || height === last + 1) return undefined
  return concatBytes(key.subarray(0, 1), numberToBytes(last + 1, HEIGHT_BYTES))
}

/** The next key in byte order. */
export function keyBehind(key: Uint8Array): Uint8Array {
  const next = new Uint8Array(key.length + 1)
  next.set(key)
  return next
}

/**
 * Height of a record that follows from a certified block, so it can be rewritten from a peer's copy; undefined for all other keys. Such
 * records are never deleted.
 */
export function rebuiltHeight(key: Uint8Array): Height | undefined {
  const height = REBUILT_SPACES.has(key[0] ?? -1) ? heightOfKey(key) : undefined
  return height === 0 ? undefined : height
}

/** Whether all records from one space byte to another can be rebuilt that way. */
export function areRebuiltSpaces(first: number, last: number): boolean {
  for (let space = first; space <= last; space++) if (!REBUILT_SPACES.has(space)) return false
  return first <= last
}

const REBUILT_SPACES: ReadonlySet<number> = new Set(
  (['header', 'body', 'senders', 'certificate'] as const).map((space) => SPACE[space]),
)

/** The height in a key of `heightKey`; undefined for any other key. */
export function heightOfKey(key: Uint8Array): Height | undefined {
  if (key.length !== 1 + HEIGHT_BYTES || !HEIGHT_SPACES.has(key[0]!)) return undefined
  const height = bytesToNumber(key.subarray(1))
  return height === undefined ? undefined : Height(height)
}

/** Key of a quarantined transaction; keys are ordered by the height of the quarantine. */
export const quarantineKey = (height: number, transaction: Hash): Uint8Array =>
  concatBytes(Uint8Array.of(SPACE.quarantine), numberToBytes(height, HEIGHT_BYTES), hexToBytes(transaction))

/** All quarantined transactions. */
export const quarantineRange = { from: Uint8Array.of(SPACE.quarantine), to: Uint8Array.of(SPACE.quarantine + 1) }

/** Key of evidence of equivocation, by the keccak256 of its encoding. */
export const evidenceKey = (hash: Hash): Uint8Array => concatBytes(Uint8Array.of(SPACE.evidence), hexToBytes(hash))

/** All evidence. */
export const evidenceRange = { from: Uint8Array.of(SPACE.evidence), to: Uint8Array.of(SPACE.evidence + 1) }

/** All entries of an index. */
export const indexRange = (space: 'heightByHash' | 'location' | 'logIndex' | 'accountIndex' | 'creation') => ({
  from: Uint8Array.of(SPACE[space]),
  to: Uint8Array.of(SPACE[space] + 1),
})

/** Execution's current state. */
export const flatStateRange = { from: Uint8Array.of(0x10), to: Uint8Array.of(0x11) }

/** Every key. */
export const wholeRange = { from: new Uint8Array(0), to: Uint8Array.of(0xff) }

/**
 * Parses a key made by `quarantineKey`.
 * @throws if the key has another length, which is damage
 */
export function quarantinedAt(key: Uint8Array): { readonly height: number; readonly transaction: Hash } {
  if (key.length !== 1 + HEIGHT_BYTES + HASH_BYTES)
    throw new Error(`the database is damaged: a quarantine key has ${key.length} bytes`)
  const height = Number(new DataView(key.buffer, key.byteOffset).getBigUint64(1))
  return { height, transaction: Hash(key.subarray(1 + HEIGHT_BYTES)) }
}

export const formatCodec: codec.Codec<number> = codec.u32()

/** Which chain the database contains. */
export interface ChainRecord {
  /** `genesisDigest` of the genesis document from which the chain started. */
  readonly genesisDigest: Hash
  /** 0 until the first restart. */
  readonly restartEpoch: number
}

export const chainRecordCodec: codec.Codec<ChainRecord> = codec.struct({ genesisDigest: codec.hash, restartEpoch: codec.u32() })

export const headRecordCodec: codec.Codec<{ readonly height: Height; readonly hash: Hash }> = codec.struct({
  height: codec.u64<Height>(),
  hash: codec.hash,
})

export const sendersCodec: codec.Codec<readonly StoredSender[]> = codec.list(
  codec.struct({ hash: codec.hash, sender: codec.address }),
  LIMITS.blockTransactionsMax,
)

const LIST_BYTES = 4
const SENDER_BYTES = HASH_BYTES + ADDRESS_BYTES

/** Reads single hashes from an encoding by `sendersCodec`. */
export function hashesOfSenders(encoded: Uint8Array): (index: number) => Hash {
  const buffer = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.byteLength)
  return (index) => {
    const at = LIST_BYTES + SENDER_BYTES * index
    return Hash(`0x${buffer.toString('hex', at, at + HASH_BYTES)}`)
  }
}

export const locationCodec: codec.Codec<TransactionLocation> = codec.struct({
  height: codec.u64<Height>(),
  index: codec.u32(LIMITS.blockTransactionsMax - 1),
})

export const creationCodec: codec.Codec<ContractCreation> = codec.struct({
  height: codec.u64<Height>(),
  index: codec.u32(LIMITS.blockTransactionsMax - 1),
  creator: codec.address,
})

export const heightCodec: codec.Codec<Height> = codec.u64<Height>()
