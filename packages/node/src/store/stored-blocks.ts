import {
  bodyCodec,
  type CommitCertificate,
  type Crypto,
  codec,
  commitCertificateCodec,
  concatBytes,
  EncodedReceipts,
  encodedLogsBloom,
  encodedParentHash,
  encodedTime,
  type Hash,
  type Header,
  type Height,
  headerCodec,
  headerHash,
  type Receipt,
  receiptsCodec,
  type ValidatorSet,
  validatorSetCodec,
} from '@quoin/protocol'
import { Lru } from '../lru.ts'
import type { Kv } from '../powers.ts'
import { DamagedError, type OnDamage } from './damage.ts'
import { heapWeight, type Listed } from './heap-weight.ts'
import * as schema from './schema.ts'
import type { BlockReader, BlockStamp, SingleReceipts, StoredHeader, StoredSender, TransactionLocation } from './types.ts'

/** Decoded headers and certificates kept in memory. */
const headerCountMax = 4_096
/** Memory limit for decoded bodies, senders and receipts. */
const contentBytesMax = 32 * 1024 * 1024
/** Decoded validator sets kept in memory. */
const validatorSetCountMax = 64

/**
 * Reads the chain of final blocks up to a head, and nothing after it, though the database may contain more. If a record that a block up to
 * the head must have is missing or does not decode, the damage is reported and the read throws DamagedError.
 */
export class StoredBlocks implements BlockReader {
  readonly #kv: Pick<Kv, 'get'>
  readonly #crypto: Crypto
  readonly #onDamage: OnDamage
  readonly #headers = new Lru<Height, StoredHeader>(headerCountMax)
  readonly #content = new Lru<string, readonly unknown[]>(contentBytesMax)
  readonly #sets = new Lru<Hash, ValidatorSet>(validatorSetCountMax)
  #head: StoredHeader | undefined

  constructor(kv: Pick<Kv, 'get'>, crypto: Crypto, onDamage: OnDamage) {
    this.#kv = kv
    this.#crypto = crypto
    this.#onDamage = onDamage
  }

  get head(): StoredHeader {
    if (this.#head === undefined) throw new Error('the genesis block is not stored yet')
    return this.#head
  }

  protected get hasHead(): boolean {
    return this.#head !== undefined
  }

  /** Makes a block that is on disk the head. */
  protected enter(stored: StoredHeader): void {
    this.#headers.set(stored.header.number, stored, 1)
    this.#head = stored
  }

  /** Drops the cache of a block whose records were rewritten. */
  protected forget(height: Height): void {
    this.#headers.delete(height)
    for (const space of ['body', 'senders'] as const) this.#content.delete(`${space}:${height}`)
  }

  /** Drops the block caches; blocks are read from the database again. */
  dropCaches(): void {
    this.#headers.clear()
    this.#content.clear()
  }

  header(height: Height): StoredHeader | undefined {
    const cached = this.#headers.get(height)
    if (cached !== undefined) return cached
    const header: Header | undefined = this.#ofHeight('header', height, headerCodec)
    if (header === undefined) return undefined
    const stored = { header, hash: headerHash(this.#crypto, header) }
    this.#headers.set(height, stored, 1)
    return stored
  }

  /** Does not decode headers of old blocks, so a long scan neither costs that time nor evicts recent headers from the cache. */
  logsBloom(height: Height): Uint8Array | undefined {
    const cached = this.#headers.get(height)
    if (cached !== undefined) return cached.header.logsBloom
    const record = this.#bytes('header', height)
    return record === undefined ? undefined : encodedLogsBloom(record)
  }

  /** The hash of an old block is in the next header. Computing it again takes ten times as long as reading that. */
  stamp(height: Height): BlockStamp | undefined {
    const known = this.#headers.get(height) ?? (height < this.head.header.number ? undefined : this.header(height))
    if (known !== undefined) return { hash: known.hash, timeMs: known.header.timeMs }
    const record = this.#bytes('header', height)
    const next = this.#bytes('header', (height + 1) as Height)
    return record === undefined || next === undefined ? undefined : { hash: encodedParentHash(next), timeMs: encodedTime(record) }
  }

  heightOf(blockHash: Hash): Height | undefined {
    const height = this.decoded(schema.hashKey('heightByHash', blockHash), schema.heightCodec)
    return height === undefined || this.#isBehindHead(height) ? undefined : height
  }

  body(height: Height): readonly Uint8Array[] | undefined {
    return this.#read('body', height, bodyCodec)
  }

  senders(height: Height): readonly StoredSender[] | undefined {
    return this.#read('senders', height, schema.sendersCodec)
  }

  receipts(height: Height): readonly Receipt[] | undefined {
    return this.#read('receipts', height, receiptsCodec)
  }

  singleReceipts(height: Height): SingleReceipts | undefined {
    const bytes = this.#bytes('receipts', height)
    if (bytes === undefined) return undefined
    const key = schema.heightKey('receipts', height)
    const damage = (problem: string) => this.damage(`the ${schema.describeKey(key)} does not decode: ${problem}`, key)
    let receipts: EncodedReceipts
    try {
      receipts = new EncodedReceipts(bytes)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      throw damage(error.message)
    }
    return {
      at(index) {
        const placed = receipts.at(index)
        if (placed?.ok === true) return placed.value
        throw damage(placed?.error.message ?? `it has ${receipts.count} receipts, none at ${index}`)
      },
    }
  }

  encodedReceipts(height: Height): Uint8Array | undefined {
    return this.#bytes('receipts', height)
  }

  transactionHashes(height: Height): ((index: number) => Hash) | undefined {
    const bytes = this.#bytes('senders', height)
    return bytes === undefined ? undefined : schema.hashesOfSenders(bytes)
  }

  certificate(height: Height): CommitCertificate | undefined {
    return this.#ofHeight('certificate', height, commitCertificateCodec)
  }

  validators(height: Height): ValidatorSet | undefined {
    const hash = this.#ofHeight('validatorsHash', height, codec.hash)
    if (hash === undefined) return undefined
    const cached = this.#sets.get(hash)
    if (cached !== undefined) return cached
    const set = this.decoded(schema.hashKey('validators', hash), validatorSetCodec)
    if (set === undefined) throw this.damage(`the validator set ${hash} of height ${height} is missing`)
    this.#sets.set(hash, set, 1)
    return set
  }

  locate(transactionHash: Hash): TransactionLocation | undefined {
    const location = this.decoded(schema.hashKey('location', transactionHash), schema.locationCodec)
    return location === undefined || this.#isBehindHead(location.height) ? undefined : location
  }

  certifiedBlock(height: Height): Uint8Array | undefined {
    const parts = (['header', 'body', 'certificate'] as const).map((space) => this.#bytes(space, height))
    return parts.every((part) => part !== undefined) ? concatBytes(...parts) : undefined
  }

  /** A list of a block, decoded once while it is in the cache. */
  #read<Space extends keyof Listed>(
    space: Space,
    height: Height,
    type: codec.Codec<readonly Listed[Space][]>,
  ): readonly Listed[Space][] | undefined {
    const name = `${space}:${height}`
    const cached = this.#content.get(name)
    if (cached !== undefined) return cached as readonly Listed[Space][]
    const bytes = this.#bytes(space, height)
    if (bytes === undefined) return undefined
    const items = this.#decode(schema.heightKey(space, height), type, bytes)
    this.#content.set(name, items, bytes.length + heapWeight[space](items))
    return items
  }

  /** Whether the database has this block but the head is still before it. */
  #isBehindHead(height: Height): boolean {
    return this.#head !== undefined && height > this.#head.header.number
  }

  /** A block's header as it is on disk; it may be later than the head. */
  protected headerOnDisk(height: Height): StoredHeader | undefined {
    const header = this.decoded(schema.heightKey('header', height), headerCodec)
    return header === undefined ? undefined : { header, hash: headerHash(this.#crypto, header) }
  }

  #ofHeight<T>(space: schema.HeightSpace, height: Height, type: codec.Codec<T>): T | undefined {
    const bytes = this.#bytes(space, height)
    return bytes === undefined ? undefined : this.#decode(schema.heightKey(space, height), type, bytes)
  }

  /** A record of a height; undefined only if the height must not have one. */
  #bytes(space: schema.HeightSpace, height: Height): Uint8Array | undefined {
    const key = schema.heightKey(space, height)
    const head = this.#head?.header.number
    if (head === undefined) return this.#kv.get(key)
    const [first, last] = space === 'validatorsHash' ? [1, head + 2] : [space === 'certificate' ? 1 : 0, head]
    if (height > last) return undefined
    const bytes = this.#kv.get(key)
    if (bytes === undefined && height >= first)
      throw this.damage(`the ${schema.describeKey(key)} is missing, the head is ${head}`, key)
    return bytes
  }

  protected decoded<T>(key: Uint8Array, type: codec.Codec<T>): T | undefined {
    const bytes = this.#kv.get(key)
    return bytes === undefined ? undefined : this.#decode(key, type, bytes)
  }

  /** Decodes a record that this node wrote. Failure means damage. */
  #decode<T>(key: Uint8Array, type: codec.Codec<T>, bytes: Uint8Array): T {
    const value = codec.decode(type, bytes)
    if (value.ok) return value.value
    throw this.damage(`the ${schema.describeKey(key)} does not decode: ${value.error.message}`, key)
  }

  protected damage(finding: string, key?: Uint8Array): DamagedError {
    const damage = new DamagedError(finding, key)
    this.#onDamage(damage)
    return damage
  }
}
