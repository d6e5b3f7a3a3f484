import { bytesToHex, type Hash, hexToBytes } from './bytes.ts'

/** Longest name of an organisation or validator in an id. */
export const SHORT_NAME_CHARS_MAX = 31

const SHORT_NAME = /^[a-z0-9](?:[a-z0-9-]{0,29}[a-z0-9])?$/

/**
 * The id (bytes32) of an organisation or validator: its short name in ASCII, padded with zeros on the right, as `encodeBytes32String` of ethers
 * and `stringToHex(name, { size: 32 })` of viem write it.
 *
 * @param name 1 to 31 characters of a–z, 0–9 and hyphens, not at the ends.
 * @returns undefined for any other name.
 */
export function idOfName(name: string): Hash | undefined {
  if (!SHORT_NAME.test(name)) return undefined
  const bytes = new Uint8Array(32)
  for (let i = 0; i < name.length; i++) bytes[i] = name.charCodeAt(i)
  return bytesToHex(bytes) as string as Hash
}

/** The short name in an id; undefined for bytes that are not the id of a name. */
export function nameOfId(id: Hash): string | undefined {
  const bytes = hexToBytes(id)
  const end = bytes.indexOf(0)
  const name = String.fromCharCode(...bytes.subarray(0, end < 0 ? bytes.length : end))
  return idOfName(name) === id ? name : undefined
}

/** Says what a name must be like, for refusals. */
export const SHORT_NAME_RULE = `1 to ${SHORT_NAME_CHARS_MAX} characters a-z, 0-9 and hyphens, not beginning or ending with a hyphen`

/** What is wrong with an id, for codecs; undefined if it is the id of a name. */
export const idProblem = (id: Hash): string | undefined =>
  nameOfId(id) === undefined ? `${id} is not the id of a name: ${SHORT_NAME_RULE}` : undefined
