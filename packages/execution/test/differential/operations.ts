import * as collections from './collections.ts'
import * as histories from './histories.ts'
import * as numbers from './numbers.ts'
import type { Random } from './random.ts'
import * as texts from './texts.ts'

/** A kind of operation and its share in per cent. */
export interface Operations {
  readonly name: string
  readonly percent: number
  draw(random: Random): string
}

export const OPERATIONS: readonly Operations[] = [
  { name: 'bigint operators', percent: 12, draw: numbers.bigintOperation },
  { name: 'bigint methods', percent: 10, draw: numbers.bigintMethod },
  { name: 'bigint against number', percent: 9, draw: numbers.mixedComparison },
  { name: 'operators on any types', percent: 7, draw: numbers.anyOperation },
  { name: 'conversions', percent: 7, draw: numbers.conversion },
  { name: 'conversions of long numerals', percent: 1, draw: numbers.longConversion },
  { name: 'number operators', percent: 7, draw: numbers.numberOperation },
  { name: 'approximations', percent: 2, draw: numbers.approximation },
  { name: 'number formats', percent: 6, draw: numbers.numberFormat },
  { name: 'digits in any radix', percent: 1, draw: numbers.radixFormat },
  { name: 'texts', percent: 7, draw: texts.textMethod },
  { name: 'encodings', percent: 4, draw: texts.encoding },
  { name: 'regular expressions', percent: 5, draw: texts.regularExpression },
  { name: 'arrays', percent: 4, draw: collections.arrayMethod },
  { name: 'sort', percent: 3, draw: collections.sorting },
  { name: 'typed arrays', percent: 3, draw: collections.typedArray },
  { name: 'objects', percent: 2, draw: collections.objectOperation },
  { name: 'histories of arrays', percent: 4, draw: histories.arrayHistory },
  { name: 'histories of objects', percent: 2, draw: histories.objectHistory },
  { name: 'histories of Map and Set', percent: 3, draw: histories.keyedHistory },
  { name: 'histories of texts', percent: 1, draw: histories.textHistory },
]
