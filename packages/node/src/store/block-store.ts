import type { KvOp } from '@quoin/execution'
import {
  bodyCodec,
  type CommitCertificate,
  type Crypto,
  codec,
  commitCertificateCodec,
  concatBytes,
  encodedLogsBloom,
  err,
  type Hash,
  type Header,
  Height,
  headerCodec,
  headerHash,
  ok,
  type Receipt,
  type Result,
  receiptsCodec,
  type ValidatorSet,
  validatorSetCodec,
  validatorSetHash,
} from '@quoin/protocol'
import type { Kv } from '../powers.ts'
import { DamagedError, type OnDamage } from './damage.ts'
import { heapWeight, type Listed } from './heap-weight.ts'
import { Lru } from './lru.ts'
import * as schema from './schema.ts'
import type { BlockReader, BlockRecord, FinalBlock, StoredHeader, StoredSender, TransactionLocation } from './types.ts'

export interface StoreRefusal {
  readonly code: 'unknown-format'
  /** What is there, what this release reads, and what to do. */
  readonly message: string
}

/** Decoded headers and certificates kept in memory. */
const headerCountMax = 4_096
/** What the decoded bodies, senders and receipts that are kept take of memory. */
const contentBytesMax = 32 * 1024 * 1024
/** Decoded validator sets kept in memory. */
const validatorSetCountMax = 64

/**
 * The chain of final blocks on disk: appends one block at a time, each in one synced batch, and reads them. A record that a block up to the
 * head must have and has not, or that does not decode, is damage: it is told, and the read throws DamagedError.
 */
export class BlockStore implements BlockReader {
  readonly #kv: Kv
  readonly #crypto: Crypto
  readonly #onDamage: OnDamage
  readonly #headers = new Lru<Height, StoredHeader>(headerCountMax)
  readonly #content = new Lru<string, readonly unknown[]>(contentBytesMax)
  readonly #sets = new Lru<Hash, ValidatorSet>(validatorSetCountMax)
  #head: StoredHeader | undefined
  #chain: schema.ChainRecord | undefined

  /** Opens the store in a database, empty or not. Throws DamagedError when what is there contradicts itself. */
  static open(kv: Kv, crypto: Crypto, onDamage: OnDamage = () => {}): Result<BlockStore, StoreRefusal> {
    const refusal = formatRefusal(kv)
    return refusal === undefined ? ok(new BlockStore(kv, crypto, onDamage)) : err(refusal)
  }

  private constructor(kv: Kv, crypto: Crypto, onDamage: OnDamage) {
    this.#kv = kv
    this.#crypto = crypto
    this.#onDamage = onDamage
    this.#chain = this.#decoded(schema.singleKey('chain'), schema.chainRecordCodec)
    const head = this.#decoded(schema.singleKey('head'), schema.headRecordCodec)
    const isBegun = this.#chain !== undefined
    if (isBegun !== (kv.get(schema.singleKey('format')) !== undefined) || isBegun !== (head !== undefined))
      throw this.#damage('of the records format, chain and head, which genesis writes together, some are missing')
    if (head === undefined) return
    this.#head = this.header(head.height)
    if (this.#head?.hash !== head.hash)
      throw this.#damage(`the head is block ${head.height} ${head.hash}, its header is ${this.#head?.hash ?? 'missing'}`)
  }

  /** Forgets what is kept in memory of blocks; it is read from the database again. */
  dropCaches(): void {
    this.#headers.clear()
    this.#content.clear()
  }

  /** Undefined until genesis is stored. */
  get chain(): schema.ChainRecord | undefined {
    return this.#chain
  }

  get head(): StoredHeader {
    if (this.#head === undefined) throw new Error('the genesis block is not stored yet')
    return this.#head
  }

  /** Block 0, the format version and which chain this is, in an empty database. */
  async appendGenesis(record: BlockRecord, chain: schema.ChainRecord): Promise<void> {
    if (this.#head !== undefined) throw new Error('a genesis block is stored already')
    await this.#append(record, [
      { key: schema.singleKey('format'), value: codec.encode(schema.formatCodec, schema.FORMAT_VERSION) },
      { key: schema.singleKey('chain'), value: codec.encode(schema.chainRecordCodec, chain) },
    ])
    this.#chain = chain
  }

  /** The block after the head. It is on disk, and the head, when this resolves. */
  async append(record: BlockRecord): Promise<void> {
    const { header, hash } = record
    if (header.number !== this.head.header.number + 1 || header.parentHash !== this.head.hash)
      throw new Error(`block ${header.number} ${hash} does not follow the head ${this.head.header.number} ${this.head.hash}`)
    await this.#append(record, [])
  }

  async #append(record: BlockRecord, extra: readonly KvOp[]): Promise<void> {
    await this.#kv.write([...extra, ...this.#blockOps(record), ...record.ops])
    const stored = { header: record.header, hash: record.hash }
    this.#headers.set(record.header.number, stored, 1)
    this.#head = stored
  }

  /** Writes all that follows from a final block anew: for a record that was damaged. What the block left behind stays as it is. */
  async rebuild(block: FinalBlock): Promise<void> {
    const height = block.header.number
    await this.#kv.write(this.#finalOps(block))
    this.#headers.delete(height)
    for (const space of ['body', 'senders'] as const) this.#content.delete(`${space}:${height}`)
    // The damaged record lies in its table until that is written anew.
    for (const space of ['header', 'body', 'senders', 'certificate'] as const)
      await this.#kv.compact?.({ from: schema.heightKey(space, height), to: schema.heightKey(space, Height(height + 1)) })
  }

  #blockOps(record: BlockRecord): KvOp[] {
    const { header, hash, receipts, validators } = record
    const height = header.number
    return [
      put(schema.singleKey('head'), schema.headRecordCodec, { height, hash }),
      ...this.#finalOps(record),
      { key: schema.heightKey('receipts', height), value: receipts },
      ...validators.flatMap((entry) => this.#setOps(entry)),
    ]
  }

  #finalOps({ header, hash, transactions, certificate }: FinalBlock): KvOp[] {
    const height = header.number
    const raws = transactions.map(({ raw }) => raw)
    return [
      put(schema.heightKey('header', height), headerCodec, header),
      put(schema.heightKey('body', height), bodyCodec, raws),
      put(schema.heightKey('senders', height), schema.sendersCodec, transactions),
      ...(certificate === undefined ? [] : [put(schema.heightKey('certificate', height), commitCertificateCodec, certificate)]),
      put(schema.hashKey('heightByHash', hash), schema.heightCodec, height),
      ...transactions.map((transaction, index) =>
        put(schema.hashKey('location', transaction.hash), schema.locationCodec, { height, index }),
      ),
    ]
  }

  #setOps({ height, set }: { readonly height: Height; readonly set: ValidatorSet }): readonly KvOp[] {
    const hash = validatorSetHash(this.#crypto, set)
    return [
      { key: schema.heightKey('validatorsHash', height), value: codec.encode(codec.hash, hash) },
      { key: schema.hashKey('validators', hash), value: codec.encode(validatorSetCodec, set) },
    ]
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

  /** A scan over a long past does not decode its headers, nor put recent ones out of the cache. */
  logsBloom(height: Height): Uint8Array | undefined {
    const cached = this.#headers.get(height)
    if (cached !== undefined) return cached.header.logsBloom
    const record = this.#bytes('header', height)
    return record === undefined ? undefined : encodedLogsBloom(record.subarray(schema.HEADER_RECORD_HEAD_BYTES))
  }

  heightOf(blockHash: Hash): Height | undefined {
    return this.#decoded(schema.hashKey('heightByHash', blockHash), schema.heightCodec)
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

  certificate(height: Height): CommitCertificate | undefined {
    return this.#ofHeight('certificate', height, commitCertificateCodec)
  }

  validators(height: Height): ValidatorSet | undefined {
    const hash = this.#ofHeight('validatorsHash', height, codec.hash)
    if (hash === undefined) return undefined
    const cached = this.#sets.get(hash)
    if (cached !== undefined) return cached
    const set = this.#decoded(schema.hashKey('validators', hash), validatorSetCodec)
    if (set === undefined) throw this.#damage(`there is no validator set ${hash}, which is that of height ${height}`)
    this.#sets.set(hash, set, 1)
    return set
  }

  locate(transactionHash: Hash): TransactionLocation | undefined {
    return this.#decoded(schema.hashKey('location', transactionHash), schema.locationCodec)
  }

  certifiedBlock(height: Height): Uint8Array | undefined {
    const parts = (['header', 'body', 'certificate'] as const).map((space) => this.#bytes(space, height))
    return parts.every((part) => part !== undefined) ? concatBytes(...parts) : undefined
  }

  /** A list of a block, decoded once while it is recent. */
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

  #ofHeight<T>(space: schema.HeightSpace, height: Height, type: codec.Codec<T>): T | undefined {
    const bytes = this.#bytes(space, height)
    return bytes === undefined ? undefined : this.#decode(schema.heightKey(space, height), type, bytes)
  }

  /** A record of a height; undefined only where the height has none. */
  #bytes(space: schema.HeightSpace, height: Height): Uint8Array | undefined {
    const key = schema.heightKey(space, height)
    const bytes = this.#kv.get(key)
    if (bytes === undefined && this.#mustHave(space, height))
      throw this.#damage(`the ${schema.describeKey(key)} is missing, the head is ${this.#head!.header.number}`, key)
    return bytes
  }

  #mustHave(space: schema.HeightSpace, height: Height): boolean {
    const head = this.#head?.header.number
    if (head === undefined) return false
    const [first, last] = space === 'validatorsHash' ? [1, head + 2] : [space === 'certificate' ? 1 : 0, head]
    return height >= first && height <= last
  }

  #decoded<T>(key: Uint8Array, type: codec.Codec<T>): T | undefined {
    const bytes = this.#kv.get(key)
    return bytes === undefined ? undefined : this.#decode(key, type, bytes)
  }

  /** The value of a record that this node wrote: anything else is damage. */
  #decode<T>(key: Uint8Array, type: codec.Codec<T>, bytes: Uint8Array): T {
    const value = codec.decode(type, bytes)
    if (value.ok) return value.value
    throw this.#damage(`the ${schema.describeKey(key)} does not decode: ${value.error.message}`, key)
  }

  #damage(finding: string, key?: Uint8Array): DamagedError {
    const damage = new DamagedError(finding, key)
    this.#onDamage(damage)
    return damage
  }
}

const put = <T>(key: Uint8Array, type: codec.Codec<T>, value: T): KvOp => ({ key, value: codec.encode(type, value) })

/** Why this release cannot use a database; undefined where it can. Ask before anything else is read from it. */
export function formatRefusal(kv: Pick<Kv, 'get'>): StoreRefusal | undefined {
  const record = kv.get(schema.singleKey('format'))
  if (record === undefined) return undefined
  const format = codec.decode(schema.formatCodec, record)
  if (format.ok && format.value === schema.FORMAT_VERSION) return undefined
  return unknownFormat(format.ok ? `format ${format.value}` : `a format record of ${record.length} bytes`)
}

function unknownFormat(found: string): StoreRefusal {
  return {
    code: 'unknown-format',
    message:
      `the database has ${found}, this release reads format ${schema.FORMAT_VERSION}: start the release that wrote it, ` +
      'or begin with an empty data directory (npm run devnet: --reset) and let the node fetch the chain from its peers',
  }
}
