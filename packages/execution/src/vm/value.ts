/**
 * Values that pass between host and guest, as copies. A number is any double; a bigint has at most 288 bits in two's complement.
 * Strings are sequences of UTF-16 units and may contain lone surrogates and zeros. Objects that come from a guest have no
 * prototype. See `read-value.ts` and `write-value.ts`.
 */
export type GuestValue = GuestScalar | Uint8Array | readonly GuestValue[] | GuestObject

export type GuestScalar = undefined | null | boolean | number | bigint | string

export interface GuestObject {
  readonly [member: string]: GuestValue
}
