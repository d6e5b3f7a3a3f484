/**
 * What passes between host and guest, as a copy. A number is any double, a bigint at most 288 bits in two's complement. Strings are sequences
 * of UTF-16 units, lone surrogates and zeros included. Objects that come from a guest have no prototype. `read-value` and `write-value` say
 * how.
 */
export type GuestValue = GuestScalar | Uint8Array | readonly GuestValue[] | GuestObject

export type GuestScalar = undefined | null | boolean | number | bigint | string

export interface GuestObject {
  readonly [member: string]: GuestValue
}
