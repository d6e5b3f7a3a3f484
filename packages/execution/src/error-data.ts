import { LIMITS, parseUtf8, utf8ToBytes } from '@quoin/protocol'

/** Selector, offset and length in front of the text. */
const HEAD_BYTES = 4 + 64
/** Maximum UTF-8 length of a reason whose encoding fits into a receipt. */
const REASON_BYTES_MAX = 32 * Math.floor((LIMITS.errorDataBytesMax - HEAD_BYTES) / 32)

const SELECTOR = 0x08c379a0

/** ABI encoding of Solidity's `Error(string)`, which viem and ethers decode. A longer text is cut between characters. */
export function encodeErrorString(reason: string): Uint8Array {
  const text = cut(utf8ToBytes(reason))
  const data = new Uint8Array(HEAD_BYTES + 32 * Math.ceil(text.length / 32))
  const view = new DataView(data.buffer)
  view.setUint32(0, SELECTOR)
  view.setUint32(4 + 28, 0x20)
  view.setUint32(4 + 60, text.length)
  data.set(text, HEAD_BYTES)
  return data
}

function cut(text: Uint8Array): Uint8Array {
  if (text.length <= REASON_BYTES_MAX) return text
  let end = REASON_BYTES_MAX
  // A byte 10xxxxxx continues a character.
  while ((text[end]! & 0xc0) === 0x80) end--
  return text.subarray(0, end)
}

/** The text of an `Error(string)`; undefined for any other data. */
export function decodeErrorString(data: Uint8Array): string | undefined {
  const { length } = data
  if (length < HEAD_BYTES) return undefined
  const view = new DataView(data.buffer, data.byteOffset, length)
  // Upper bytes of the offset and of the length.
  const isSmall = (at: number): boolean => data.subarray(at, at + 28).every((byte) => byte === 0)
  if (view.getUint32(0) !== SELECTOR || !isSmall(4) || view.getUint32(4 + 28) !== 0x20 || !isSmall(4 + 32)) return undefined
  const textBytes = view.getUint32(4 + 60)
  return textBytes > length - HEAD_BYTES ? undefined : parseUtf8(data.subarray(HEAD_BYTES, HEAD_BYTES + textBytes))
}
