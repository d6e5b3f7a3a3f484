import { BLOOM_BYTES } from './bloom.ts'
import { type Address, bytesToNumber, concatBytes, Hash, type Hex, hexToBytes, numberToBytes, ZERO_HASH } from './bytes.ts'
import * as codec from './codec.ts'
import type { Crypto } from './crypto.ts'
import { LIMITS } from './limits.ts'
import type { Gas, Height, TimeMs, Wei } from './numbers.ts'
import { encodeRlp, integerPayload } from './rlp.ts'

/** What this chain's headers state in addition to Ethereum's fields. `mixHash` commits to it. */
export interface HeaderExtra {
  /** Hash of everything that determines how contracts execute: interpreter, host table, gas table, prelude, codecs. */
  readonly executionVersion: Hash
  /** Hash of the validator set that votes on this block. */
  readonly validatorsHash: Hash
  /** Hash of the validator set of the next height. */
  readonly nextValidatorsHash: Hash
}

/**
 * The values of a header. Ethereum's other fields are constant on this chain (`CONSTANT_FIELDS`) or follow from these values: `timestamp`,
 * `extraData` and `mixHash`.
 */
export interface Header {
  readonly parentHash: Hash
  /** Fee address of the validator that first proposed the block. */
  readonly miner: Address
  readonly stateRoot: Hash
  readonly transactionsRoot: Hash
  readonly receiptsRoot: Hash
  readonly logsBloom: Uint8Array
  readonly number: Height
  readonly gasLimit: Gas
  readonly gasUsed: Gas
  /** Block time in milliseconds. The RLP has the whole seconds in `timestamp` and the rest in `extraData`. */
  readonly timeMs: TimeMs
  readonly baseFeePerGas: Wei
  readonly extra: HeaderExtra
  /** Digest of the genesis document in block 0; undefined in every other block. */
  readonly genesisDigest: Hash | undefined
}

/** Fields of Ethereum's header that are constant here: there are no uncles and no mining. */
export const CONSTANT_FIELDS = {
  /** keccak256(rlp([])) */
  sha3Uncles: Hash('0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347'),
  difficulty: 0n,
  nonce: '0x0000000000000000' as Hex,
} as const

/** Version of `extraData` and `mixHash`; the first byte of `extraData`. */
const EXTRA_DATA_VERSION = 1

/** Ethereum's `timestamp`: the block time in whole seconds since the Unix epoch. */
export const headerTimestamp = (header: Pick<Header, 'timeMs'>): number => Math.floor(header.timeMs / 1000)

/**
 * Checks that block times increase strictly. The distance from the present matters only for a fresh proposal.
 *
 * @returns why a child of `parent` cannot have this time; undefined if it can
 */
export const timeProblem = (parent: Pick<Header, 'timeMs'>, timeMs: number): string | undefined =>
  timeMs > parent.timeMs ? undefined : `timeMs is ${timeMs}, not after the parent's ${parent.timeMs}`

/**
 * Ethereum's `extraData`: a version (1 byte), and the milliseconds within the header's second (2 bytes): block time = 1000 · timestamp +
 * milliseconds. Stock clients refuse more than 32 bytes.
 */
export const headerExtraData = ({ timeMs }: Header): Uint8Array =>
  concatBytes(Uint8Array.of(EXTRA_DATA_VERSION), numberToBytes(timeMs % 1000, 2))

/**
 * Ethereum's `mixHash`, free since there is no mining: keccak256(executionVersion ‖ validatorsHash ‖ nextValidatorsHash ‖ genesisDigest), 128
 * bytes, with 32 zero bytes for `genesisDigest` after block 0. It makes the block hash commit to these values.
 */
export function headerMixHash(crypto: Crypto, { extra, genesisDigest = ZERO_HASH }: Header): Hash {
  const { executionVersion, validatorsHash, nextValidatorsHash } = extra
  const values = [executionVersion, validatorsHash, nextValidatorsHash, genesisDigest]
  return Hash(crypto.keccak256(concatBytes(...values.map(hexToBytes))))
}

/** RLP of Ethereum's 16 header fields as of London (EIP-1559). The block hash is computed from it; nothing stores or sends it. */
export function headerRlp(crypto: Crypto, header: Header): Uint8Array {
  return encodeRlp([
    hexToBytes(header.parentHash),
    hexToBytes(CONSTANT_FIELDS.sha3Uncles),
    hexToBytes(header.miner),
    hexToBytes(header.stateRoot),
    hexToBytes(header.transactionsRoot),
    hexToBytes(header.receiptsRoot),
    header.logsBloom,
    integerPayload(CONSTANT_FIELDS.difficulty),
    integerPayload(header.number),
    integerPayload(header.gasLimit),
    integerPayload(header.gasUsed),
    integerPayload(headerTimestamp(header)),
    headerExtraData(header),
    hexToBytes(headerMixHash(crypto, header)),
    hexToBytes(CONSTANT_FIELDS.nonce),
    integerPayload(header.baseFeePerGas),
  ])
}

/** Block hash: keccak256 of the header's RLP. */
export const headerHash = (crypto: Crypto, header: Header): Hash => Hash(crypto.keccak256(headerRlp(crypto, header)))

const fieldsBeforeBloom = {
  number: codec.u64<Height>(),
  parentHash: codec.hash,
  miner: codec.address,
  stateRoot: codec.hash,
  transactionsRoot: codec.hash,
  receiptsRoot: codec.hash,
} as const

const fields = codec.checked(
  codec.struct({
    ...fieldsBeforeBloom,
    logsBloom: codec.fixedBytes(BLOOM_BYTES),
    gasLimit: codec.u64<Gas>(LIMITS.blockGasMax),
    gasUsed: codec.u64<Gas>(),
    timeMs: codec.u64<TimeMs>(LIMITS.timeMsMax),
    baseFeePerGas: codec.u256<Wei>(),
    extra: codec.struct({ executionVersion: codec.hash, validatorsHash: codec.hash, nextValidatorsHash: codec.hash }),
  }),
  ({ gasUsed, gasLimit }) => (gasUsed > gasLimit ? `gasUsed is ${gasUsed}, above the gasLimit ${gasLimit}` : undefined),
)

/** Size of an encoded header in bytes, except that of block 0. */
export const HEADER_BYTES = fields.bytesMax

/**
 * A header on network and disk: its values, all of fixed size. Constant and derived fields of the RLP are left out, so they cannot
 * contradict the values. The digest of the genesis document follows only in block 0.
 */
export const headerCodec: codec.Codec<Header> = {
  bytesMax: fields.bytesMax + codec.hash.bytesMax,
  write(writer, header) {
    const { number, genesisDigest } = header
    if ((number === 0) !== (genesisDigest !== undefined))
      throw new RangeError(`block 0, and no other, has a genesis digest, but that of block ${number} is ${genesisDigest}`)
    fields.write(writer, header)
    if (genesisDigest !== undefined) codec.hash.write(writer, genesisDigest)
  },
  read(reader) {
    const values = fields.read(reader)
    return { ...values, genesisDigest: values.number === 0 ? codec.hash.read(reader) : undefined }
  },
}

const LOGS_BLOOM_AT = codec.struct(fieldsBeforeBloom).bytesMax

/**
 * Finds `logsBloom` without decoding the rest of the header, which makes a scan over many headers ten times as fast.
 *
 * @param encoded an encoding by `headerCodec`; not checked.
 * @returns a view of `encoded`.
 */
export const encodedLogsBloom = (encoded: Uint8Array): Uint8Array => encoded.subarray(LOGS_BLOOM_AT, LOGS_BLOOM_AT + BLOOM_BYTES)

const NUMBER_BYTES = 8
const HASH_BYTES = 32
/** After the bloom: `gasLimit` and `gasUsed`. */
const TIME_AT = LOGS_BLOOM_AT + BLOOM_BYTES + 2 * NUMBER_BYTES

/** As `encodedLogsBloom`, for `parentHash`. */
export const encodedParentHash = (encoded: Uint8Array): Hash => Hash(encoded.subarray(NUMBER_BYTES, NUMBER_BYTES + HASH_BYTES))

/** As `encodedLogsBloom`, for `timeMs`. */
export const encodedTime = (encoded: Uint8Array): TimeMs =>
  bytesToNumber(encoded.subarray(TIME_AT, TIME_AT + NUMBER_BYTES)) as TimeMs
