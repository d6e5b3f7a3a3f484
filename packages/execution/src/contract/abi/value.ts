/**
 * What contracts see of ABI values. Every integer is a bigint, whatever its width; an address is text with its EIP-55 checksum; `bytes` and
 * `bytesN` are Uint8Array; a struct is an object by its members' names, or an array where they have none.
 */
export type AbiValue = bigint | boolean | string | Uint8Array | readonly AbiValue[] | AbiStruct

export interface AbiStruct {
  readonly [member: string]: AbiValue
}
