import {
  bytesToHex,
  type Crypto,
  compareBytes,
  err,
  joinBytes,
  ok,
  parseHex,
  parseUtf8,
  type Result,
  utf8ToBytes,
} from '@quoin/protocol'
import { checksumAddress, parseAddress } from '../abi/address.ts'
import { decodeArguments } from '../abi/decode.ts'
import { encodeArguments } from '../abi/encode.ts'
import { encodePacked } from '../abi/packed.ts'
import { parseTypeList, type TupleType } from '../abi/type.ts'
import type { AbiValue } from '../abi/value.ts'
import type { LibraryError } from './error.ts'
import { LIBRARY_GAS as GAS } from './library-gas.ts'
import { verifyOrderedProof, verifySortedProof } from './merkle.ts'
import { blocks, decodeGas, encodeGas, units, valueGas } from './price.ts'
import { ecrecover, recoverSigner } from './recover.ts'
import { TYPED_DATA_LIMITS, typedDataDigest } from './typed-data.ts'

/** Kind of a parameter. `value`: bigints, booleans, strings, bytes, and arrays and objects of these without cycles. */
export type LibraryKind = 'bytes' | 'string' | 'bigint' | 'value'

type ArgumentOf<K> = K extends 'bytes' ? Uint8Array : K extends 'string' ? string : K extends 'bigint' ? bigint : unknown
type ArgumentsOf<K extends readonly LibraryKind[]> = { readonly [I in keyof K]: ArgumentOf<K[I]> }

/**
 * A function of the host library. It is pure, and it returns an error for any arguments of the right kinds that it cannot
 * process. The caller checks the kinds and charges the gas before it runs the function. The price does not include copies between
 * guest and host.
 */
export interface LibraryFunction<K extends readonly LibraryKind[] = readonly LibraryKind[]> {
  readonly parameters: K
  gas(...values: ArgumentsOf<K>): number
  run(crypto: Crypto, ...values: ArgumentsOf<K>): Result<AbiValue | undefined, LibraryError>
}

const define = <const K extends readonly LibraryKind[]>(
  parameters: K,
  gas: (...values: ArgumentsOf<K>) => number,
  run: (crypto: Crypto, ...values: ArgumentsOf<K>) => Result<AbiValue | undefined, LibraryError>,
): LibraryFunction<K> => ({ parameters, gas, run })

/** Maximum number of parts of one concatenation. */
const CONCAT_PARTS_MAX = 4096

/**
 * The host library: functions that would be too slow in the interpreter. The table with its names and prices is part of the
 * execution version.
 */
export const HOST_LIBRARY = {
  keccak256: define(
    ['bytes'],
    ({ length }) => blocks(GAS.keccak256, length, 136),
    (crypto, bytes) => ok(crypto.keccak256(bytes)),
  ),
  sha256: define(
    ['bytes'],
    ({ length }) => blocks(GAS.sha256, length, 64),
    (crypto, bytes) => ok(crypto.sha256(bytes)),
  ),

  /** (digest, v, r, s) → address, or undefined when the signature is invalid. */
  ecrecover: define(['bytes', 'bigint', 'bytes', 'bytes'], () => GAS.recover.base, ecrecover),
  /** (digest, r ‖ s ‖ v) → address. */
  recoverSigner: define(['bytes', 'bytes'], () => GAS.recover.base, recoverSigner),

  /** (types, values) → bytes, as Solidity's abi.encode. */
  abiEncode: define(['string', 'value'], encodeGas, (crypto, types, values) =>
    withTypes(types, (parameters) => encodeArguments(crypto, parameters, listOf(values))),
  ),
  /** (types, values) → bytes, as abi.encodePacked. */
  abiEncodePacked: define(['string', 'value'], encodeGas, (crypto, types, values) =>
    withTypes(types, (parameters) => encodePacked(crypto, parameters, listOf(values))),
  ),
  /** (types, bytes) → array of values, as abi.decode; bytes after the values are an error. */
  abiDecode: define(['string', 'bytes'], decodeGas, (crypto, types, bytes) =>
    withTypes(types, (parameters) => decodeArguments(crypto, parameters, bytes)),
  ),

  /** (encodeType, domain, message) → digest of EIP-712. */
  typedDataDigest: define(
    ['string', 'value', 'value'],
    (type, domain, message) =>
      GAS.typedData.base +
      GAS.typedData.typeChar * Math.min(type.length, TYPED_DATA_LIMITS.typeCharsMax) +
      valueGas(GAS.typedData, domain) +
      valueGas(GAS.typedData, message),
    typedDataDigest,
  ),

  /** (root, leaf, nodes of the proof) → boolean, as OpenZeppelin's MerkleProof.verify. */
  verifySortedProof: define(
    ['bytes', 'bytes', 'bytes'],
    (_root, _leaf, { length }) => GAS.sortedProof.base + GAS.sortedProof.node * Math.ceil(length / 32),
    verifySortedProof,
  ),
  /** (root, item, index, count, nodes of the proof) → boolean, for this chain's own trees. */
  verifyOrderedProof: define(
    ['bytes', 'bytes', 'bigint', 'bigint', 'bytes'],
    (_root, item, _index, _count, { length }) =>
      blocks(GAS.sha256, item.length, 64) + GAS.orderedProof.base + GAS.orderedProof.node * Math.ceil(length / 32),
    verifyOrderedProof,
  ),

  /** 20 bytes → text with checksum. */
  formatAddress: define(
    ['bytes'],
    () => GAS.address.base,
    (crypto, bytes) => (bytes.length === 20 ? ok(checksumAddress(crypto, bytes)) : refused('an address must be 20 bytes')),
  ),
  /** Address in lower case or with the right checksum → 20 bytes. */
  parseAddress: define(
    ['string'],
    () => GAS.address.base,
    (crypto, text) => {
      const bytes = parseAddress(crypto, text)
      if (bytes === 'type') return refused('not an address')
      return bytes === 'checksum' ? refused('the checksum is wrong') : ok(bytes)
    },
  ),

  /** Compares two byte strings → -1n, 0n or 1n. */
  compareBytes: define(
    ['bytes', 'bytes'],
    (a, b) => GAS.compareBytes.base + GAS.compareBytes.byte * Math.min(a.length, b.length),
    (_crypto, a, b) => ok(BigInt(Math.sign(compareBytes(a, b)))),
  ),
  /** Array of Uint8Array → one. */
  concatBytes: define(
    ['value'],
    (parts) => GAS.concatBytes.base + valueGas(GAS.concatBytes, parts),
    (_crypto, parts) => {
      const list = listOf(parts)
      if (list.length > CONCAT_PARTS_MAX) return refused(`more than ${CONCAT_PARTS_MAX} parts`)
      return list.every((part) => part instanceof Uint8Array) ? ok(joinBytes(list)) : refused('not an array of Uint8Array')
    },
  ),

  /** Text → UTF-8. */
  encodeUtf8: define(
    ['string'],
    ({ length }) => units(GAS.utf8, length),
    (_crypto, text) => ok(utf8ToBytes(text)),
  ),
  /** UTF-8 → text. */
  decodeUtf8: define(
    ['bytes'],
    ({ length }) => units(GAS.utf8, length),
    (_crypto, bytes) => {
      const text = parseUtf8(bytes)
      return text === undefined ? refused('not UTF-8') : ok(text)
    },
  ),
  /** Bytes → 0x and lower-case digits. */
  encodeHex: define(
    ['bytes'],
    ({ length }) => units(GAS.hex, length),
    (_crypto, bytes) => ok(bytesToHex(bytes)),
  ),
  /** 0x and an even number of hex digits → bytes. */
  decodeHex: define(
    ['string'],
    ({ length }) => units(GAS.hex, length),
    (_crypto, text) => {
      const bytes = parseHex(text)
      return bytes === undefined ? refused('not hex: expected 0x and an even number of digits') : ok(bytes)
    },
  ),
} as const

const refused = (message: string): Result<never, LibraryError> => err({ message })

/** A value that is not an array has no items; the check against the types then reports how many are missing. */
const listOf = (values: unknown): readonly unknown[] => (Array.isArray(values) ? values : [])

function withTypes<T>(text: string, use: (parameters: TupleType) => Result<T, LibraryError>): Result<T, LibraryError> {
  const parameters = parseTypeList(text)
  return parameters.ok ? use(parameters.value) : refused(`types: ${parameters.error.message}`)
}
