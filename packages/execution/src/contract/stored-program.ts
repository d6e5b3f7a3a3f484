import { bytesToNumber, type Crypto, concatBytes, equalBytes, numberToBytes, utf8ToBytes } from '@quoin/protocol'
import type { Interpreter } from '../vm/index.ts'
import { loadAbi, type StoredAbi, storeAbi } from './abi/stored-abi.ts'
import type { Program } from './program.ts'

/*
 * Storage format of a program. With it, the first use of a code needs neither its container nor a check of its ABI:
 *
 *   length of the text (4 bytes, big-endian) ‖ first 8 bytes of its SHA-256 ‖ text, padded with spaces to a multiple of 4 ‖ packed image
 *
 * The text is ASCII JSON. It is derived data: a program that cannot be read is made again from the code.
 */

/** Raise it with each change of the form, so that programs in an older form are made again. */
export const PROGRAM_FORMAT = 2

/** A program without its image. */
interface StoredText {
  readonly abi: StoredAbi
  /** Name of each ABI function's entry, in the ABI's order. */
  readonly entries: readonly string[]
  readonly reentrant: readonly number[]
}

const LENGTH_BYTES = 4
const CHECKSUM_BYTES = 8
/** Arguments of one function call; the platform's stack limits them. */
const CHUNK_CHARACTERS = 8_192

/** Sizes of the interface and image parts of a stored program. */
export interface ProgramSize {
  readonly interfaceBytes: number
  readonly imageBytes: number
}

export interface PackedProgram extends ProgramSize {
  readonly bytes: Uint8Array
}

/** Encodes a program for the database. */
export function packProgram(
  crypto: Crypto,
  interpreter: Interpreter,
  { abi, entries, reentrant, image }: Program,
): PackedProgram {
  const stored: StoredText = {
    abi: storeAbi(abi),
    entries: [...abi.functions.keys()].map((selector) => entries.get(selector)!),
    reentrant: [...reentrant],
  }
  const json = JSON.stringify(stored)
  const text = utf8ToBytes(json.padEnd(4 * Math.ceil(json.length / 4)))
  const packed = interpreter.packImage(image)
  const bytes = concatBytes(numberToBytes(text.length, LENGTH_BYTES), checksumOf(crypto, text), text, packed)
  return { bytes, interfaceBytes: text.length, imageBytes: packed.length }
}

/** Decodes a stored program; undefined if it is not one of this interpreter. */
export function unpackProgram(crypto: Crypto, interpreter: Interpreter, packed: Uint8Array): Program | undefined {
  const at = LENGTH_BYTES + CHECKSUM_BYTES
  const length = bytesToNumber(packed.subarray(0, LENGTH_BYTES))
  if (length === undefined || packed.length < at + length) return undefined
  const text = packed.subarray(at, at + length)
  // The checksum shows that packProgram wrote the text.
  if (!equalBytes(checksumOf(crypto, text), packed.subarray(LENGTH_BYTES, at))) return undefined
  const image = interpreter.unpackImage(packed.subarray(at + length))
  if (image === undefined) return undefined
  const { abi: storedAbi, entries, reentrant } = JSON.parse(asciiOf(text)) as StoredText
  const abi = loadAbi(storedAbi)
  const selectors = [...abi.functions.keys()]
  return { abi, image, entries: new Map(selectors.map((selector, i) => [selector, entries[i]!])), reentrant: new Set(reentrant) }
}

const checksumOf = (crypto: Crypto, text: Uint8Array): Uint8Array => crypto.sha256(text).subarray(0, CHECKSUM_BYTES)

function asciiOf(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += CHUNK_CHARACTERS)
    text += String.fromCharCode.apply(null, bytes.subarray(at, at + CHUNK_CHARACTERS) as unknown as number[])
  return text
}
