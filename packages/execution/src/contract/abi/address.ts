import { bytesToHex, type Crypto, type Hex, hexToBytes } from '@quoin/protocol'
import { TextCache } from '../cache.ts'
import { CONTRACT_CACHE_LIMITS } from '../limits.ts'

const ADDRESS_BYTES = 20
const DIGITS = 2 * ADDRESS_BYTES

/** Character code of a lower-case hex digit. */
const digitOf = (nibble: number): number => (nibble < 10 ? 48 + nibble : 87 + nibble)

/** Texts by lower-case hex, and bytes by text. Cached because the checksum costs a hash and most addresses occur again. */
const texts = new TextCache<string>(CONTRACT_CACHE_LIMITS.addressesMax)
const parsed = new TextCache<Uint8Array>(CONTRACT_CACHE_LIMITS.addressesMax)

/** Text of an address (20 bytes) with EIP-55 checksum. */
export const checksumAddress = (crypto: Crypto, address: Uint8Array): string => checksumText(crypto, bytesToHex(address))

/** As `checksumAddress`, for an address in lower-case hex. */
export const checksumText = (crypto: Crypto, address: Hex): string =>
  texts.get(address, () => withChecksum(crypto, hexToBytes(address)))

function withChecksum(crypto: Crypto, address: Uint8Array): string {
  const digits = new Uint8Array(DIGITS)
  for (let i = 0; i < ADDRESS_BYTES; i++) {
    digits[2 * i] = digitOf(address[i]! >> 4)
    digits[2 * i + 1] = digitOf(address[i]! & 15)
  }
  raiseLetters(crypto, digits)
  return `0x${String.fromCharCode.apply(null, digits as unknown as number[])}`
}

/** Changes letters to capitals where EIP-55 requires it. */
function raiseLetters(crypto: Crypto, digits: Uint8Array): void {
  const digest = crypto.keccak256(digits)
  for (let i = 0; i < DIGITS; i++) {
    const nibble = i % 2 === 0 ? digest[i >> 1]! >> 4 : digest[i >> 1]! & 15
    // In ASCII, letters follow digits, and a capital is its small letter minus 32.
    if (nibble >= 8 && digits[i]! > 57) digits[i]! -= 32
  }
}

/**
 * Parses the text of an address. As in viem, a text with a capital letter must have the right checksum; a lower-case text has
 * none.
 *
 * @returns the 20 bytes, which are shared and must not be changed; or what is wrong: `type` (not an address) or `checksum`
 */
export function parseAddress(crypto: Crypto, text: string): Uint8Array | 'type' | 'checksum' {
  if (text.length !== 2 + DIGITS) return 'type'
  const known = parsed.find(text)
  if (known !== undefined) return known
  const address = parse(crypto, text)
  if (typeof address !== 'string') parsed.add(text, address)
  return address
}

function parse(crypto: Crypto, text: string): Uint8Array | 'type' | 'checksum' {
  if (text.charCodeAt(0) !== 48 || text.charCodeAt(1) !== 120) return 'type'
  const digits = new Uint8Array(DIGITS)
  const address = new Uint8Array(ADDRESS_BYTES)
  let capitals = false
  for (let i = 0; i < DIGITS; i++) {
    const code = text.charCodeAt(2 + i)
    const capital = code >= 65 && code <= 70
    const letter = capital || (code >= 97 && code <= 102)
    if (!letter && (code < 48 || code > 57)) return 'type'
    capitals ||= capital
    // Bit 5 distinguishes small letters from capitals; in digits it is always set.
    digits[i] = code | 32
    const nibble = letter ? (code | 32) - 87 : code - 48
    address[i >> 1]! |= i % 2 === 0 ? nibble << 4 : nibble
  }
  if (!capitals) return address
  raiseLetters(crypto, digits)
  for (let i = 0; i < DIGITS; i++) if (digits[i] !== text.charCodeAt(2 + i)) return 'checksum'
  return address
}
