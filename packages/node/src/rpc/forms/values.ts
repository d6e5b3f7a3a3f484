import { LIMITS, U32_MAX } from '@quoin/protocol'
import { anyOf, closed, component, flag, oneOf, type Schema, text } from './json-schema.ts'

/**
 * Forms of single values. Hex is in lower case, as the node writes it. Parameters may have upper case too: the document does not say so, and
 * neither does execution-apis.
 */

const bytesOf = (length: number): Schema => text(`0x[0-9a-f]{${2 * length}}`)
const quantityOf = (digits: string): Schema => text(`0x(0|[1-9a-f][0-9a-f]${digits})`)

export const address = component('Address', text('0x[0-9a-fA-F]{40}'))
export const byte = text('0x[0-9a-f]{1,2}')
export const bytes = component('Bytes', text('0x([0-9a-f]{2})*'))
export const bytes4 = bytesOf(4)
export const bytes8 = bytesOf(8)
export const bytes256 = bytesOf(256)
export const hash = component('Hash', bytesOf(32))
export const quantity = component('Quantity', quantityOf('*'))
export const uint32 = component('Uint32', quantityOf('{0,7}'))
/** At most 2^53 - 1. */
export const uint53 = component('Uint53', text('0x(0|[1-9a-f][0-9a-f]{0,12}|1[0-9a-f]{13})'))
export const uint64 = component('Uint64', quantityOf('{0,15}'))
export const uint256 = component('Uint256', quantityOf('{0,63}'))
export const decimal = text('(0|[1-9][0-9]*)')
/** So long that all are below 2^53. */
export const decimal15 = text('[0-9]{1,15}')
/** A text. */
export const string: Schema = { type: 'string' }
/** A JSON number. */
export const whole: Schema = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER }
export const ratio: Schema = { type: 'number', minimum: 0, maximum: 1 }
export const anything: Schema = {}

/** A JSON number or a quantity, at most 2^53 - 1. */
export const looseInteger = component('Integer', anyOf(whole, uint53))
export const looseUint32 = component('Integer32', anyOf({ ...whole, maximum: U32_MAX }, uint32))

/** Storage keys are a contract's own. An odd number of digits gets a leading zero. */
export const storageKey = component('StorageKey', text(`0x[0-9a-f]{0,${2 * LIMITS.stateKeyBytesMax}}`))

export const TAGS = ['latest', 'earliest', 'pending', 'safe', 'finalized'] as const
export const blockNumber = component('BlockNumberOrTag', anyOf(oneOf(...TAGS), uint53))
/** Also a JSON number. */
export const looseBlockNumber = component('BlockNumberOrTagOrInteger', anyOf(oneOf(...TAGS), looseInteger))
/** Tag, number, hash, or an object of EIP-1898. */
export const blockReference = component(
  'BlockNumberOrTagOrHash',
  anyOf(blockNumber, hash, closed({ blockNumber: uint53 }), closed({ blockHash: hash }, { requireCanonical: flag })),
)
