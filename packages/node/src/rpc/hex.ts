import { parseHex } from '@quoin/protocol'

const HEX = /^0x[0-9a-f]*$/i
/** From here on Node's own decoder is faster. */
const LONG_CHARS = 1_024

/**
 * Bytes of a text that a client sent, of either case; undefined where it is no hex of whole bytes. A group in the expression, as in
 * `(..)*`, would cost four times as much.
 */
export function hexBytes(text: string): Uint8Array | undefined {
  if (text.length < LONG_CHARS) return parseHex(text.startsWith('0X') ? `0x${text.slice(2)}` : text)
  if (text.length % 2 !== 0 || !HEX.test(text)) return undefined
  const bytes = new Uint8Array(text.length / 2 - 1)
  // It takes wide characters for their low bytes: it must not see any.
  Buffer.from(bytes.buffer).write(text.slice(2), 'hex')
  return bytes
}
