import { ENCODE_LIMITS } from '../abi/encode.ts'
import { LIBRARY_GAS as GAS } from './library-gas.ts'

/** Prices for work that depends on the size of its arguments, from the tables in `library-gas.ts`. */

export const blocks = (price: { readonly base: number; readonly block: number }, bytes: number, blockBytes: number): number =>
  price.base + price.block * Math.ceil((bytes + 1) / blockBytes)

export const units = (price: { readonly base: number; readonly unit: number }, count: number): number =>
  price.base + price.unit * count

/** Price of abi.encode: the types' text and all values. */
export function encodeGas(types: string, values: unknown): number {
  const { base, typeChar } = GAS.abiEncode
  return base + typeChar * types.length + valueGas(GAS.abiEncode, values)
}

/** Price of abi.decode. If the types contain an address, every word is charged as an address. */
export function decodeGas(types: string, { length }: Pick<Uint8Array, 'length'>): number {
  const { base, typeChar, word, addressWord } = GAS.abiDecode
  return base + typeChar * types.length + (types.includes('address') ? addressWord : word) * Math.ceil(length / 32)
}

export interface ValuePrice {
  readonly value: number
  readonly character?: number
  readonly byte: number
}

/** Deepest level that is counted: types do not nest deeper, and deeper values are refused. */
const LEVELS_MAX = 40

/** Maximum number of values that are counted: more have no encoding within the limit. */
const VALUES_MAX = ENCODE_LIMITS.encodedBytesMax / 32

/** Price of each value and its contents. */
export function valueGas({ value: each, character = 0, byte }: ValuePrice, content: unknown): number {
  let gas = 0
  let values = 0
  const visit = (value: unknown, level: number): void => {
    values++
    gas += each
    if (typeof value === 'string') gas += character * value.length
    else if (value instanceof Uint8Array) gas += byte * value.length
    else if (typeof value !== 'object' || value === null || level === LEVELS_MAX) return
    else if (Array.isArray(value)) for (let i = 0; i < value.length && values <= VALUES_MAX; i++) visit(value[i], level + 1)
    else for (const item of Object.values(value)) if (values <= VALUES_MAX) visit(item, level + 1)
  }
  visit(content, 0)
  return gas
}

/** Price of encoding a value whose types are known: each value and its contents. */
export const encodedValueGas = (value: unknown): number => valueGas(GAS.abiEncode, value)
