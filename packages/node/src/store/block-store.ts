import type { KvOp, PlacedCreation } from '@quoin/execution'
import {
  bodyCodec,
  type Crypto,
  codec,
  commitCertificateCodec,
  err,
  Height,
  headerCodec,
  ok,
  type Result,
  type ValidatorSet,
  validatorSetCodec,
  validatorSetHash,
} from '@quoin/protocol'
import type { Kv } from '../powers.ts'
import { accountIndexOps } from './account-index.ts'
import type { CommitHeights } from './commit-heights.ts'
import type { OnDamage } from './damage.ts'
import { logIndexOps } from './log-index.ts'
import * as schema from './schema.ts'
import { StoredBlocks } from './stored-blocks.ts'
import type { BlockRecord, FinalBlock } from './types.ts'

/** Why this release cannot use a database. */
export interface StoreRefusal {
  readonly code: 'unknown-format'
  /** What was found, what this release reads, and what to do. */
  readonly message: string
}

/**
 * The chain of final blocks on disk: appends one block at a time, each in one synced batch, and reads them. If a record that a block up to
 * the head must have is missing or does not decode, the damage is reported and the read throws DamagedError.
 */
export class BlockStore extends StoredBlocks {
  readonly #kv: Kv
  readonly #crypto: Crypto
  readonly #heights: CommitHeights | undefined
  #chain: schema.ChainRecord | undefined

  /**
   * Opens the store in a database, empty or not.
   * @throws DamagedError if its records contradict each other
   */
  static open(kv: Kv, crypto: Crypto, onDamage: OnDamage = () => {}, heights?: CommitHeights): Result<BlockStore, StoreRefusal> {
    const refusal = formatRefusal(kv)
    return refusal === undefined ? ok(new BlockStore(kv, crypto, onDamage, heights)) : err(refusal)
  }

  private constructor(kv: Kv, crypto: Crypto, onDamage: OnDamage, heights: CommitHeights | undefined) {
    super(kv, crypto, onDamage)
    this.#kv = kv
    this.#crypto = crypto
    this.#heights = heights
    this.#chain = this.decoded(schema.singleKey('chain'), schema.chainRecordCodec)
    const head = this.decoded(schema.singleKey('head'), schema.headRecordCodec)
    const isBegun = this.#chain !== undefined
    if (isBegun !== (kv.get(schema.singleKey('format')) !== undefined) || isBegun !== (head !== undefined))
      throw this.damage('some of the records format, chain and head are missing, which are written together at genesis')
    if (head === undefined) return
    const stored = this.header(head.height)
    if (stored?.hash !== head.hash)
      throw this.damage(
        `the head is block ${head.height} ${head.hash}, but its header ${stored === undefined ? 'is missing' : `has hash ${stored.hash}`}`,
      )
    this.#heights?.begin(head.height)
    this.enter(stored)
  }

  /** Undefined until genesis is stored. */
  get chain(): schema.ChainRecord | undefined {
    return this.#chain
  }

  /** Writes block 0, the format version and the chain's identity into an empty database. */
  async appendGenesis(record: BlockRecord, chain: schema.ChainRecord): Promise<void> {
    if (this.hasHead) throw new Error('a genesis block is already stored')
    await this.#append(record, [
      { key: schema.singleKey('format'), value: codec.encode(schema.formatCodec, schema.FORMAT_VERSION) },
      { key: schema.singleKey('chain'), value: codec.encode(schema.chainRecordCodec, chain) },
    ])
    this.#chain = chain
  }

  /** Appends the block after the head. When this resolves, the block is on disk and is the head. */
  async append(record: BlockRecord): Promise<void> {
    const { header, hash } = record
    if (header.number !== this.head.header.number + 1 || header.parentHash !== this.head.hash)
      throw new Error(`block ${header.number} ${hash} does not follow the head ${this.head.header.number} ${this.head.hash}`)
    await this.#append(record, [])
  }

  async #append(record: BlockRecord, extra: readonly KvOp[]): Promise<void> {
    this.#heights?.begin(record.header.number)
    await this.#kv.write([...extra, ...this.#blockOps(record), ...record.ops])
    this.enter({ header: record.header, hash: record.hash })
  }

  /** Rewrites all records that follow from a final block, because one of them was damaged. Other data of the block stays unchanged. */
  async rebuild(block: FinalBlock): Promise<void> {
    const height = block.header.number
    await this.#kv.write(this.#finalOps(block))
    this.forget(height)
    // The damaged record stays in its table until the table is rewritten.
    for (const space of ['header', 'body', 'senders', 'certificate'] as const)
      await this.#kv.compact?.({ from: schema.heightKey(space, height), to: schema.heightKey(space, Height(height + 1)) })
  }

  #blockOps(record: BlockRecord): KvOp[] {
    const { header, hash, receipts, creations, validators } = record
    const height = header.number
    return [
      put(schema.singleKey('head'), schema.headRecordCodec, { height, hash }),
      ...this.#finalOps(record),
      { key: schema.heightKey('receipts', height), value: receipts },
      ...logIndexOps(height, receipts),
      ...accountIndexOps(record),
      ...creations.map((creation) => this.#creationOp(height, creation)),
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

  #creationOp(height: Height, { contract, index, creator }: PlacedCreation): KvOp {
    return put(schema.creationKey(contract), schema.creationCodec, { height, index, creator })
  }

  #setOps({ height, set }: { readonly height: Height; readonly set: ValidatorSet }): readonly KvOp[] {
    const hash = validatorSetHash(this.#crypto, set)
    return [
      { key: schema.heightKey('validatorsHash', height), value: codec.encode(codec.hash, hash) },
      { key: schema.hashKey('validators', hash), value: codec.encode(validatorSetCodec, set) },
    ]
  }
}

const put = <T>(key: Uint8Array, type: codec.Codec<T>, value: T): KvOp => ({ key, value: codec.encode(type, value) })

/** Why this release cannot use a database; undefined if it can. Call it before any other read. */
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
      `the database has ${found}, but this release reads format ${schema.FORMAT_VERSION}: start the release that wrote it, ` +
      'or start with an empty data directory (npm run devnet: --reset) and let the node fetch the chain from its peers',
  }
}
