import { type Address, err, type Result } from '@quoin/protocol'
import { encodeErrorString } from '../error-data.ts'
import type { GuestError } from '../vm/index.ts'

/** What a message that succeeded answers. */
export interface Success {
  readonly data: Uint8Array
  readonly contractAddress: Address | undefined
}

/** Why a message failed. */
export interface Failure {
  readonly reason: string
  readonly data: Uint8Array
  readonly error: GuestError | undefined
}

export const failed = (reason: string, error?: GuestError): Result<never, Failure> =>
  err({ reason, data: encodeErrorString(reason), error })

/** An exception that left a contract: it brings its own data, or is put into words. */
export function thrown(error: GuestError): Result<never, Failure> {
  const { name, message, data } = error
  const reason = name === '' || name === 'Error' || data !== undefined ? message : `${name}: ${message}`
  return data === undefined ? failed(reason, error) : err({ reason, data, error })
}

export const OUT_OF_GAS = failed('out of gas')
