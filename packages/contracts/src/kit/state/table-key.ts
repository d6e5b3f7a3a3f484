import type { Guest } from '../guest.ts'
import type { SpecValue, WordType } from '../value-types.ts'
import { type KeyText, keyTextOf } from './key.ts'

declare const quoin: Guest

/** Type of a table's key: one word, or several named words. The order compares the first word first. */
export type KeySpec = WordType | { readonly [member: string]: WordType }
/** A value of a key. */
export type KeyValue<K extends KeySpec> = SpecValue<K>
/** A bound in the order of keys: a key, or its leading members. */
export type KeyBound<K extends KeySpec> = K extends WordType ? SpecValue<K> : Partial<SpecValue<K>>

/**
 * Encodes the words of a key as texts, so that `<` on texts is the order of the words. No text is a prefix of another one, so that concatenated texts
 * are ordered by the first word that differs. All characters are from `0` to `}`, except for a minus.
 */
interface Word {
  readonly type: WordType
  readonly text: KeyText<unknown>
  /** The ordering text, from the word's text in storage keys. */
  order(text: string): string
  /** End of the word's ordering text that begins at an index. */
  end(text: string, from: number): number
  value(order: string): unknown
}

const sameText = (text: string): string => text
/** Encoding of a word whose texts all have the same length. */
const fixed = (type: WordType, chars: number, order: Word['order'], value: Word['value']): Word => ({
  type,
  text: keyTextOf(type) as KeyText<unknown>,
  order,
  end: (_text, from) => from + chars,
  value,
})

function wordOf(type: WordType): Word {
  if (type === 'bool') return fixed(type, 1, sameText, (order) => order === '1')
  const bytes = (order: string) => quoin.decodeHex(`0x${order}`)
  if (type === 'address')
    return fixed(
      type,
      40,
      (text) => text.slice(2).toLowerCase(),
      (order) => quoin.formatAddress(bytes(order)),
    )
  if (type.startsWith('bytes')) return fixed(type, 2 * Number(type.slice(5)), (text) => text.slice(2), bytes)
  return { type, text: keyTextOf(type) as KeyText<unknown>, order: integerOrder, end: integerEnd, value: integerValue }
}

const ZERO = 48
/** The number of digits is encoded as one character. A positive integer with fewer digits is less. */
const LENGTHS = ZERO - 1
/** For negative integers, the one with more digits is less. */
const NEGATIVE_LENGTHS = 126

/** The number of digits, then the digits. Negative integers begin with a minus, and their digits are the difference to the next power of ten. */
function integerOrder(text: string): string {
  if (text[0] !== '-') return String.fromCharCode(LENGTHS + text.length) + text
  const digits = text.length - 1
  return `-${String.fromCharCode(NEGATIVE_LENGTHS - digits)}${`${2n * 10n ** BigInt(digits) + BigInt(text)}`.slice(1)}`
}

const integerEnd = (text: string, from: number): number =>
  text[from] === '-' ? from + 2 + NEGATIVE_LENGTHS - text.charCodeAt(from + 1) : from + 1 + text.charCodeAt(from) - LENGTHS

const integerValue = (order: string): bigint =>
  order[0] === '-' ? BigInt(order.slice(2)) - 10n ** BigInt(order.length - 2) : BigInt(order.slice(1))

/** Encodes and decodes keys of one type. */
export interface KeyCodec {
  /** Types of the key's words. */
  readonly types: readonly WordType[]
  /** Storage key of a row; `prefix` is the table's own key. */
  place(prefix: string, key: unknown): string
  /** The ordering text of a key, or of its leading members. Throws TypeError if the given members are not the leading ones. */
  order(key: unknown): string
  /** Decodes an ordering text. */
  key(order: string): unknown
}

export function keyCodec(spec: KeySpec): KeyCodec {
  const names = typeof spec === 'string' ? undefined : Object.keys(spec)
  const words = (typeof spec === 'string' ? [spec] : Object.values(spec)).map(wordOf)
  const types = words.map(({ type }) => type)
  if (!names) {
    const { text, order, value } = words[0]!
    return { types, place: text, order: (key) => order(text('', key)), key: value }
  }
  // Consecutive rows often share words, and converting digits to an address is expensive.
  const recent: { order?: string; value?: unknown }[] = words.map(() => ({}))
  return {
    types,
    place(prefix, key) {
      let place = prefix
      words.forEach(({ text }, i) => {
        place = text(i === 0 ? place : `${place}:`, (key as Members)[names[i]!])
      })
      return place
    },
    order(key) {
      const values = names.map((name) => (key as Members)[name])
      const given = values.indexOf(undefined)
      const leading = given < 0 ? values : values.slice(0, given)
      if (values.some((value, i) => value !== undefined && i >= leading.length))
        throw new TypeError(`a part of a key has its first members: ${names.join(', ')}`)
      return leading.map((value, i) => words[i]!.order(words[i]!.text('', value))).join('')
    },
    key(order) {
      const key: { [name: string]: unknown } = {}
      let from = 0
      words.forEach((word, i) => {
        const end = word.end(order, from)
        const text = order.slice(from, end)
        const last = recent[i]!
        if (last.order !== text) {
          last.value = word.value(text)
          last.order = text
        }
        key[names[i]!] = last.value
        from = end
      })
      return key
    },
  }
}

type Members = { readonly [name: string]: unknown }
