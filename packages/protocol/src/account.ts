import type { Hash } from './bytes.ts'
import * as codec from './codec.ts'
import type { Nonce, Wei } from './numbers.ts'
import { unwrap } from './result.ts'

/** The state's data about an address, without its storage. */
export interface Account {
  readonly nonce: Nonce
  readonly balance: Wei
  /** keccak256 of the code; undefined for a plain account. */
  readonly codeHash: Hash | undefined
}

/** An address that was never used. It has no entry in the state. */
export const EMPTY_ACCOUNT: Account = { nonce: 0 as Nonce, balance: 0n as Wei, codeHash: undefined }

export const accountCodec: codec.Codec<Account> = codec.struct({
  nonce: codec.u32<Nonce>(),
  balance: codec.u256<Wei>(),
  codeHash: codec.optional(codec.hash),
})

export const isEmptyAccount = ({ nonce, balance, codeHash }: Account): boolean =>
  nonce === 0 && balance === 0n && codeHash === undefined

/**
 * Decodes an account from its state value.
 *
 * @throws when `accountCodec` cannot decode the bytes: the database is damaged
 */
export const accountFromValue = (value: Uint8Array | undefined): Account =>
  value === undefined ? EMPTY_ACCOUNT : unwrap(codec.decode(accountCodec, value))
