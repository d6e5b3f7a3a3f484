/**
 * ABI values as contracts see them. Every integer is a bigint, whatever its width. An address is text with EIP-55 checksum.
 * `bytes` and `bytesN` are Uint8Array. A struct is an object with its members' names, or an array where members have no names.
 */
export type AbiValue = bigint | boolean | string | Uint8Array | readonly AbiValue[] | AbiStruct

export interface AbiStruct {
  readonly [member: string]: AbiValue
}
