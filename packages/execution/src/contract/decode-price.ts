import type { AbiType, TupleType } from './abi/type.ts'
import { MESSAGE_GAS } from './message-gas.ts'

const WORD = 32

/** Number of words in an encoding, and how many of them are addresses. */
interface Content {
  readonly words: number
  readonly addresses: number
}

interface Price {
  /** Price of the smallest possible encoding. */
  readonly least: number
  readonly leastWords: number
  /** Price of each further word: an array item with its share of addresses, or text. 0 where nothing can follow. */
  readonly furtherWord: number
}

const { word, addressWord } = MESSAGE_GAS
const prices = new WeakMap<TupleType, Price>()

/**
 * Ticks for decoding this many bytes as a list of types. The smallest encoding is known exactly. Anything beyond it is array
 * items and bytes, and those words are charged as if all were items of the array with the most addresses per word.
 */
export function decodeGas(inputs: TupleType, bytes: number): number {
  let price = prices.get(inputs)
  if (price === undefined) {
    price = priceOf(inputs)
    prices.set(inputs, price)
  }
  return price.least + price.furtherWord * Math.max(0, Math.ceil(bytes / WORD) - price.leastWords)
}

function priceOf(inputs: TupleType): Price {
  const least = sum(inputs.members.map(({ type }) => leastContent(type)))
  const { words, addresses } = densestItem(inputs)
  const share = Math.ceil(((addressWord - word) * addresses) / words)
  return { least: gasOf(least), leastWords: least.words, furtherWord: inputs.dynamic ? word + share : 0 }
}

const gasOf = ({ words, addresses }: Content): number => word * words + (addressWord - word) * addresses

const NOTHING: Content = { words: 0, addresses: 0 }
const ONE_WORD: Content = { words: 1, addresses: 0 }

const sum = (parts: readonly Content[]): Content =>
  parts.reduce((all, part) => ({ words: all.words + part.words, addresses: all.addresses + part.addresses }), NOTHING)

/** The smallest encoding of a value: its offset if it has one, its length, and the shortest contents. */
function leastContent(type: AbiType): Content {
  const { words, addresses } = leastBody(type)
  return type.dynamic ? { words: words + 1, addresses } : { words, addresses }
}

function leastBody(type: AbiType): Content {
  if (type.kind === 'tuple') return sum(type.members.map(({ type: member }) => leastContent(member)))
  if (type.kind !== 'array') return { words: 1, addresses: type.kind === 'address' ? 1 : 0 }
  if (type.length === undefined) return ONE_WORD
  const { words, addresses } = leastContent(type.item)
  return { words: words * type.length, addresses: addresses * type.length }
}

/**
 * Among the items of arrays without a fixed length, the one with the most addresses per word; one word of text where no array has
 * addresses.
 */
function densestItem(type: AbiType): Content {
  if (type.kind === 'tuple') return type.members.map(({ type: member }) => densestItem(member)).reduce(denser, ONE_WORD)
  if (type.kind !== 'array') return ONE_WORD
  const inner = densestItem(type.item)
  return type.length === undefined ? denser(inner, leastContent(type.item)) : inner
}

const denser = (a: Content, b: Content): Content => (b.addresses * a.words > a.addresses * b.words ? b : a)
