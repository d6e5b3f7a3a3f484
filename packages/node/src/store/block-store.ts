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
  type Height,
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
import { Lru } from './lru.ts'
import * as schema from './schema.ts'
import type { BlockReader, BlockRecord, StoredHeader, StoredSender, TransactionLocation } from './types.ts'

export interface StoreRefusal {
  readonly code: 'unknown-format'
  /** What is there, what this release reads, and what to do. */
  readonly message: string
}

/** Decoded headers and certificates kept in memory. */
const headerCountMax = 4_096
/** Encoded size of the bodies, senders and receipts whose decoded form is kept in memory. */
const contentBytesMax = 32 * 1024 * 1024
/** Decoded validator sets kept in memory. */
const validatorSetCountMax = 64

/** The chain of final blocks on disk: appends one block at a time, each in one synced batch, and reads them. */
export class BlockStore implements BlockReader {
  readonly #kv: Kv
  readonly #crypto: Crypto
  readonly #headers = new Lru<Height, StoredHeader>(headerCountMax)
  readonly #content = new Lru<string, readonly unknown[]>(contentBytesMax)
  readonly #sets = new Lru<Hash, ValidatorSet>(validatorSetCountMax)
  #head: StoredHeader | undefined
  #chain: schema.ChainRecord | undefined

  /** Opens the store in a database, empty or not. Throws when what is there contradicts itself. */
  static open(kv: Kv, crypto: Crypto): Result<BlockStore, StoreRefusal> {
    const format = read(kv, schema.singleKey('format'), schema.formatCodec)
    if (format !== undefined && format !== schema.FORMAT_VERSION) return err(unknownFormat(format))
    return ok(new BlockStore(kv, crypto))
  }

  private constructor(kv: Kv, crypto: Crypto) {
    this.#kv = kv
    this.#crypto = crypto
    this.#chain = read(kv, schema.singleKey('chain'), schema.chainRecordCodec)
    const head = read(kv, schema.singleKey('head'), schema.headRecordCodec)
    if (head === undefined) return
    this.#head = this.header(head.height)
    if (this.#head?.hash !== head.hash)
      throw new Error(`the database is damaged: no header of its head ${head.height} ${head.hash}`)
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

  #blockOps({ header, hash, transactions, receipts, certificate, validators }: BlockRecord): KvOp[] {
    const height = header.number
    const raws = transactions.map(({ raw }) => raw)
    const put = <T>(key: Uint8Array, type: codec.Codec<T>, value: T): KvOp => ({ key, value: codec.encode(type, value) })
    return [
      put(schema.singleKey('head'), schema.headRecordCodec, { height, hash }),
      put(schema.heightKey('header', height), headerCodec, header),
      put(schema.heightKey('body', height), bodyCodec, raws),
      put(schema.heightKey('senders', height), schema.sendersCodec, transactions),
      { key: schema.heightKey('receipts', height), value: receipts },
      ...(certificate === undefined ? [] : [put(schema.heightKey('certificate', height), commitCertificateCodec, certificate)]),
      put(schema.hashKey('heightByHash', hash), schema.heightCodec, height),
      ...transactions.map((transaction, index) =>
        put(schema.hashKey('location', transaction.hash), schema.locationCodec, { height, index }),
      ),
      ...validators.flatMap((entry) => this.#setOps(entry)),
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
    const header: Header | undefined = read(this.#kv, schema.heightKey('header', height), headerCodec)
    if (header === undefined) return undefined
    const stored = { header, hash: headerHash(this.#crypto, header) }
    this.#headers.set(height, stored, 1)
    return stored
  }

  /** A scan over a long past does not decode its headers, nor put recent ones out of the cache. */
  logsBloom(height: Height): Uint8Array | undefined {
    const cached = this.#headers.get(height)
    if (cached !== undefined) return cached.header.logsBloom
    const record = this.#kv.get(schema.heightKey('header', height))
    return record === undefined ? undefined : encodedLogsBloom(record.subarray(schema.HEADER_RECORD_HEAD_BYTES))
  }

  heightOf(blockHash: Hash): Height | undefined {
    return read(this.#kv, schema.hashKey('heightByHash', blockHash), schema.heightCodec)
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
    return read(this.#kv, schema.heightKey('certificate', height), commitCertificateCodec)
  }

  validators(height: Height): ValidatorSet | undefined {
    const hash = read(this.#kv, schema.heightKey('validatorsHash', height), codec.hash)
    if (hash === undefined) return undefined
    const cached = this.#sets.get(hash)
    if (cached !== undefined) return cached
    const set = read(this.#kv, schema.hashKey('validators', hash), validatorSetCodec)
    if (set === undefined) throw new Error(`the database is damaged: no validator set ${hash} of height ${height}`)
    this.#sets.set(hash, set, 1)
    return set
  }

  locate(transactionHash: Hash): TransactionLocation | undefined {
    return read(this.#kv, schema.hashKey('location', transactionHash), schema.locationCodec)
  }

  certifiedBlock(height: Height): Uint8Array | undefined {
    const parts = (['header', 'body', 'certificate'] as const).map((space) => this.#kv.get(schema.heightKey(space, height)))
    return parts.every((part) => part !== undefined) ? concatBytes(...parts) : undefined
  }

  /** A list of a block, decoded once while it is recent. */
  #read<T>(space: 'body' | 'senders' | 'receipts', height: Height, type: codec.Codec<readonly T[]>): readonly T[] | undefined {
    const name = `${space}:${height}`
    const cached = this.#content.get(name)
    if (cached !== undefined) return cached as readonly T[]
    const key = schema.heightKey(space, height)
    const bytes = this.#kv.get(key)
    if (bytes === undefined) return undefined
    const items = decode(key, type, bytes)
    this.#content.set(name, items, bytes.length)
    return items
  }
}

function read<T>(kv: Kv, key: Uint8Array, type: codec.Codec<T>): T | undefined {
  const bytes = kv.get(key)
  return bytes === undefined ? undefined : decode(key, type, bytes)
}

/** The value of a record that this node wrote: anything else is corruption. */
function decode<T>(key: Uint8Array, type: codec.Codec<T>, bytes: Uint8Array): T {
  const value = codec.decode(type, bytes)
  if (value.ok) return value.value
  throw new Error(`the database is damaged: record ${Buffer.from(key).toString('hex')}: ${value.error.message}`)
}

function unknownFormat(found: number): StoreRefusal {
  return {
    code: 'unknown-format',
    message:
      `the database has format ${found}, this release reads format ${schema.FORMAT_VERSION}: start the release that wrote it, ` +
      'or begin with an empty data directory (npm run devnet: --reset) and let the node fetch the chain from its peers',
  }
}
