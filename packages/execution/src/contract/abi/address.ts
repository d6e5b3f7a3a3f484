import { bytesToHex, type Crypto, parseHex } from '@quoin/protocol'

const ADDRESS_CHARS = 42

/** Text of an address (20 bytes) with EIP-55's checksum in the case of its letters. */
export function checksumAddress(crypto: Crypto, address: Uint8Array): string {
  const text = bytesToHex(address)
  const ascii = new Uint8Array(ADDRESS_CHARS - 2)
  for (let i = 0; i < ascii.length; i++) ascii[i] = text.charCodeAt(i + 2)
  const digest = crypto.keccak256(ascii)
  for (let i = 0; i < ascii.length; i++) {
    const nibble = i % 2 === 0 ? digest[i >> 1]! >> 4 : digest[i >> 1]! & 15
    // Letters follow the digits in ASCII.
    if (nibble >= 8 && ascii[i]! > 57) ascii[i]! -= 32
  }
  return `0x${String.fromCharCode(...ascii)}`
}

/**
 * The 20 bytes of an address's text. As viem has it, a text with a capital letter must have the right checksum; a text without has none.
 * Returns what is wrong: not an address at all, or its checksum.
 */
export function parseAddress(crypto: Crypto, text: string): Uint8Array | 'type' | 'checksum' {
  const bytes = text.length === ADDRESS_CHARS ? parseHex(text) : undefined
  if (bytes === undefined) return 'type'
  return /[A-F]/.test(text) && checksumAddress(crypto, bytes) !== text ? 'checksum' : bytes
}
