import { parseHex } from '@quoin/protocol'

const HEX = /^0x[0-9a-f]*$/i
/** From this length on, Node's own decoder is faster. */
const LONG_CHARS = 1_024

/**
 * Decodes hex in either case from a client.
 *
 * The regular expression has no group, as in `(..)*`, which would cost four times as much.
 *
 * @returns The bytes; undefined if the text is not 0x and an even number of hex digits.
 */
export function hexBytes(text: string): Uint8Array | undefined {
  if (text.length < LONG_CHARS) return parseHex(text.startsWith('0X') ? `0x${text.slice(2)}` : text)
  if (text.length % 2 !== 0 || !HEX.test(text)) return undefined
  const bytes = new Uint8Array(text.length / 2 - 1)
  // Buffer.write reads only the low byte of wide characters, so the check above must exclude them.
  Buffer.from(bytes.buffer).write(text.slice(2), 'hex')
  return bytes
}
