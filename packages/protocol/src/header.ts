import { BLOOM_BYTES } from './bloom.ts'
import { Address, Hash, type Hex, hexToBytes, ZERO_HASH } from './bytes.ts'
import * as codec from './codec.ts'
import type { Crypto } from './crypto.ts'
import { type ExtraData, extraDataCodec } from './extra-data.ts'
import { LIMITS } from './limits.ts'
import { Gas, Height, TimeMs, Wei } from './numbers.ts'
import { err, ok, type Result } from './result.ts'
import { encodeRlp, integerPayload, RlpFailure, RlpReader } from './rlp.ts'

/** The header fields that vary on this chain. The other fields of Ethereum's header are constants (`CONSTANT_FIELDS`). */
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
  readonly extra: Omit<ExtraData, 'milliseconds'>
  /** Digest of the genesis document in block 0, else zero. */
  readonly mixHash: Hash
  readonly baseFeePerGas: Wei
}

/** Fields of Ethereum's header that are constant here: there are no uncles and no mining. */
export const CONSTANT_FIELDS = {
  /** keccak256(rlp([])) */
  sha3Uncles: Hash('0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347'),
  difficulty: 0n,
  nonce: '0x0000000000000000' as Hex,
} as const

export interface HeaderError {
  readonly code: 'malformed'
  readonly message: string
}

/** Ethereum's `timestamp`: the block time in whole seconds since the Unix epoch. */
export const headerTimestamp = (header: Header): number => Math.floor(header.timeMs / 1000)

/**
 * Checks that block times increase strictly. The distance from the present matters only for a fresh proposal.
 *
 * @returns why a child of `parent` cannot have this time; undefined if it can
 */
export const timeProblem = (parent: Pick<Header, 'timeMs'>, timeMs: number): string | undefined =>
  timeMs > parent.timeMs ? undefined : `timeMs is ${timeMs}, not after the parent's ${parent.timeMs}`

/** The encoded `extraData` of a header. */
export function headerExtraData(header: Header): Uint8Array {
  return codec.encode(extraDataCodec, { ...header.extra, milliseconds: header.timeMs % 1000 })
}

/** Encodes a header as RLP of Ethereum's 16 header fields as of London (EIP-1559). */
export function encodeHeader(header: Header): Uint8Array {
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
    hexToBytes(header.mixHash),
    hexToBytes(CONSTANT_FIELDS.nonce),
    integerPayload(header.baseFeePerGas),
  ])
}

/**
 * Position of `logsBloom` in an encoded header. Before it are the list's prefix (3 bytes for any payload of 256 to 65,535 bytes), five hashes, an
 * address and its own prefix, which have the same size in every header.
 */
const LOGS_BLOOM_AT = 3 + 5 * 33 + 21 + 3

/**
 * Finds `logsBloom` without decoding the rest of the header, which makes a scan over many headers ten times as fast.
 *
 * @param encoded a result of `encodeHeader`; not checked.
 * @returns a view of `encoded`.
 */
export const encodedLogsBloom = (encoded: Uint8Array): Uint8Array => encoded.subarray(LOGS_BLOOM_AT, LOGS_BLOOM_AT + BLOOM_BYTES)

/** Block hash: keccak256 of the encoded header. */
export const headerHash = (crypto: Crypto, header: Header): Hash => Hash(crypto.keccak256(encodeHeader(header)))

/** Decodes a header. Accepts only the encodings that `encodeHeader` produces. */
export function decodeHeader(bytes: Uint8Array): Result<Header, HeaderError> {
  if (bytes.length > LIMITS.headerBytesMax)
    return malformed(`header has ${bytes.length} bytes, at most ${LIMITS.headerBytesMax} are allowed`)
  try {
    const outer = new RlpReader(bytes)
    const fields = outer.list('header')
    outer.finish()
    const header = readFields(fields)
    fields.finish()
    return ok(header)
  } catch (failure) {
    if (failure instanceof RlpFailure) return malformed(`header is not canonical: ${failure.message}`)
    throw failure
  }
}

const malformed = (message: string): Result<never, HeaderError> => err({ code: 'malformed', message })

function readFields(fields: RlpReader): Header {
  const parentHash = Hash(fields.string('parentHash', 32))
  constant('sha3Uncles', Hash(fields.string('sha3Uncles', 32)), CONSTANT_FIELDS.sha3Uncles)
  const miner = Address(fields.string('miner', 20))
  const stateRoot = Hash(fields.string('stateRoot', 32))
  const transactionsRoot = Hash(fields.string('transactionsRoot', 32))
  const receiptsRoot = Hash(fields.string('receiptsRoot', 32))
  const logsBloom = new Uint8Array(fields.string('logsBloom', BLOOM_BYTES))
  constant('difficulty', fields.bigint('difficulty'), CONSTANT_FIELDS.difficulty)
  const number = Height(fields.number('number'))
  const gasLimit = Gas(fields.number('gasLimit', LIMITS.blockGasMax))
  const gasUsed = Gas(fields.number('gasUsed', gasLimit))
  const timestamp = fields.number('timestamp', Math.floor(LIMITS.timeMsMax / 1000))
  const extra = codec.decode(extraDataCodec, fields.string('extraData'))
  if (!extra.ok) throw new RlpFailure(`extraData: ${extra.error.message}`)
  const { milliseconds, ...rest } = extra.value
  const mixHash = Hash(fields.string('mixHash', 32))
  if (number !== 0) constant('mixHash', mixHash, ZERO_HASH)
  constant('nonce', fields.string('nonce', 8).join(), '0,0,0,0,0,0,0,0')
  const baseFeePerGas = Wei(fields.bigint('baseFeePerGas'))
  const timeMs = TimeMs(1000 * timestamp + milliseconds)
  return {
    parentHash,
    miner,
    stateRoot,
    transactionsRoot,
    receiptsRoot,
    logsBloom,
    number,
    gasLimit,
    gasUsed,
    timeMs,
    extra: rest,
    mixHash,
    baseFeePerGas,
  }
}

function constant<T>(name: string, found: T, wanted: T): void {
  if (found !== wanted) throw new RlpFailure(`${name} is not the constant ${String(wanted)}`)
}
