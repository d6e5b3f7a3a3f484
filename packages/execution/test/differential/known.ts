import { byInterpreter, byV8, numberShown } from './interpreters.ts'

/** A known kind of difference between the interpreter and V8. */
export interface KnownDifference {
  readonly name: string
  readonly reason: string
  /** Ours: stock QuickJS has another result than the interpreter. All others are upstream's. */
  readonly isOurs?: true
  /**
   * Expressions on which they differ today, with the interpreter's result. Empty where V8 is wrong, because its versions differ.
   */
  readonly examples: readonly (readonly [expression: string, interpreter: string])[]
  /** Whether a difference that was found by chance is of this kind. */
  covers(found: Difference): boolean
}

/** An operation with different results. */
export interface Difference {
  readonly operations: string
  readonly expression: string
  readonly v8: string
  readonly interpreter: string
  /** The result of stock QuickJS, which tells upstream's errors from ours. */
  readonly stock: string
}

/** Whose difference it is. */
export function originOf({ v8, interpreter, stock }: Pick<Difference, 'v8' | 'interpreter' | 'stock'>): string {
  if (stock === interpreter) return "upstream's: stock QuickJS has the interpreter's result"
  if (stock === v8) return "ours: stock QuickJS has V8's result"
  return `both: stock QuickJS has a third result, ${stock}`
}

const ULPS_MAX = 2n

export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [
  {
    name: 'text of a power of two is not the shortest',
    reason:
      'js_dtoa (dtoa.c) tries only the nearest decimal of each length. Below a power of two doubles lie closer than above, so that for 54 of ' +
      '2,098 powers a shorter text exists. The text has 17 digits and reads as the same number. The shorter one would take another algorithm.',
    examples: [
      ['String(7.120236347223045e-307)', '"7.1202363472230444e-307"'],
      ['String(2 ** 89)', '"6.1897001964269014e+26"'],
      ['JSON.stringify([-(2 ** -24)])', '"[-5.9604644775390625e-8]"'],
    ],
    covers: ({ v8, interpreter }) =>
      textsOfPowers().reduce((line, { long, short }) => line.replaceAll(long, short), interpreter) === v8,
  },
  {
    name: 'numerals of more than 20 digits',
    reason:
      'ECMA-262 lets an implementation take the 21st digit and all behind it for zero (RoundMVResult); js_atod does so half way between doubles.',
    examples: [["Number('41898432867738277196002070145801214686857940434944')", 'f4a3cab06.b554d53f']],
    covers: ({ operations, v8, interpreter }) => operations === 'conversions of long numerals' && areNear(v8, interpreter, 1n),
  },
  {
    name: 'parseInt beyond 2 ** 53 in a radix that is no power of two',
    reason: 'ECMA-262 lets an implementation approximate there, 10 apart.',
    examples: [["parseInt('464135a5a527', 31)", 'f4377aed3.a530b32e']],
    covers: () => false,
  },
  {
    name: 'last digits of Math functions and of **',
    reason: 'Implementation-approximated in ECMA-262. musl and V8 differ in the last bit or two.',
    examples: [['Math.hypot(180.60937130451202, 734.3158001899719)', 'f4087a19a.f40e3597']],
    covers: ({ operations, v8, interpreter }) => operations === 'approximations' && areNear(v8, interpreter, ULPS_MAX),
  },
  {
    name: 'digits of fractions and of numbers beyond 2 ** 53 in a radix other than 10',
    reason:
      "Implementation-approximated in ECMA-262. The interpreter's text lies within half a unit in the last place of the number; V8's may not.",
    examples: [['(4611686018427389000).toString(35)', '"1cqrb9a7gvi00"']],
    covers: ({ operations, expression, interpreter }) => {
      const [, value, radix] = /^\((.*)\)\.toString\((\d+)\)$/.exec(expression) ?? []
      return operations === 'digits in any radix' && readsAs(interpreter, Number(value?.replace(/[()]/g, '')), Number(radix))
    },
  },
  {
    name: 'a text is not spread into an object',
    reason: 'JS_CopyDataProperties (quickjs.c) passes over everything that is no object. Object.assign takes the characters.',
    examples: [
      ["({ ...'hi' })", '{}'],
      ["((o) => ({ a: 1, ...o }))('hi')", '{a: 1}'],
    ],
    covers: ({ expression }) => /^\(\{ \.\.\.(?:'|\(?Object\(')/.test(expression),
  },
  {
    name: 'bigints of more than 2 ** 20 bits',
    reason: "JS_BIGINT_MAX_SIZE (quickjs.c), 32,768 limbs: a RangeError. V8's limit is 2 ** 30 bits, which no gas pays for.",
    examples: [
      ['1n << 1048576n', 'throws RangeError'],
      ['2n ** 1048575n', 'throws RangeError'],
    ],
    covers: () => false,
  },
  {
    name: 'asUintN of a negative bigint to 2 ** 20 bits',
    reason:
      "The prelude's asUintN gives the positive number where stock QuickJS gives a negative one; this one is beyond the limit.",
    isOurs: true,
    examples: [['BigInt.asUintN(2 ** 20, -1n)', 'throws RangeError']],
    covers: () => false,
  },
  {
    name: 'sort by what is no order',
    reason:
      'With a comparator that contradicts itself, as any does that meets NaN, ECMA-262 leaves the order to the implementation.',
    examples: [['[5, 4, NaN, 3, 1, 2].sort((x, y) => x - y)', '[4, 5, NaN, 1, 2, 3]']],
    covers: () => false,
  },
  {
    name: 'no locale',
    reason:
      'ECMA-402 is not there on purpose: tables of languages differ between machines. What has locale in its name ignores it.',
    examples: [
      ["'a'.localeCompare('B') > 0", 'true'],
      ['(1234567.5).toLocaleString()', '"1234567.5"'],
    ],
    covers: () => false,
  },
  {
    name: 'V8 finds nothing in the middle of a pair',
    reason:
      'With the flag u or v, V8 may find an empty match between the halves of a surrogate pair, which is no position in ECMA-262. QuickJS is right.',
    examples: [],
    covers: ({ operations, expression }) =>
      operations === 'regular expressions' && /\/\w*[uv]\w*[,).]/.test(expression) && /\\ud[89ab]..\\ud[c-f]/.test(expression),
  },
]

let powers: readonly { readonly long: string; readonly short: string }[] | undefined

/** The powers of two whose text is longer in the interpreter than in V8: both texts. */
export function textsOfPowers(): NonNullable<typeof powers> {
  if (powers !== undefined) return powers
  const expressions = Array.from({ length: 2098 }, (_, i) => `String(2 ** ${i - 1074})`)
  const [short, long] = [byV8(expressions), byInterpreter(expressions)].map((lines) =>
    lines.map((line) => JSON.parse(line) as string),
  )
  powers = short!.map((text, i) => ({ short: text, long: long![i]! })).filter((both) => both.long !== both.short)
  return powers
}

const word = new DataView(new ArrayBuffer(8))

/** Position of a double among all doubles, by size. */
function placeOf(value: number): bigint {
  word.setFloat64(0, value)
  const bits = word.getBigInt64(0)
  return bits < 0n ? -(bits & 0x7fffffffffffffffn) : bits
}

function areNear(v8: string, interpreter: string, ulpsMax: bigint): boolean {
  const [a, b] = [numberShown(v8), numberShown(interpreter)]
  if (a === undefined || b === undefined) return false
  const distance = placeOf(a) - placeOf(b)
  return distance <= ulpsMax && -distance <= ulpsMax
}

/** Whether this double is the nearest one to the number that a line shows as text in a radix. */
function readsAs(line: string, value: number, radix: number): boolean {
  const [, sign, whole, fraction = ''] = /^"(-?)([0-9a-z]+)(?:\.([0-9a-z]+))?"$/.exec(line) ?? []
  if (whole === undefined || !Number.isFinite(value) || (sign === '-') !== value < 0) return false
  let digits = 0n
  for (const digit of whole + fraction) digits = digits * BigInt(radix) + BigInt(Number.parseInt(digit, radix))
  const scale = BigInt(radix) ** BigInt(fraction.length)
  // In units of 2 ** -1075, half of the smallest double's size: text = digits / scale.
  const size = (x: number) => fixedPoint(Math.abs(x)) * scale
  const text = digits << 1075n
  const [here, below, above] = [size(value), size(nextTo(value, -1n)), size(nextTo(value, 1n))]
  return 2n * text >= here + below && 2n * text <= here + above
}

/** A finite double times 2 ** 1075. */
function fixedPoint(value: number): bigint {
  word.setFloat64(0, value)
  const bits = word.getBigUint64(0)
  const exponent = bits >> 52n
  const mantissa = bits & 0xfffffffffffffn
  return exponent === 0n ? mantissa << 1n : (mantissa | (1n << 52n)) << exponent
}

function nextTo(value: number, step: bigint): number {
  word.setFloat64(0, Math.abs(value))
  word.setBigUint64(0, word.getBigUint64(0) + step)
  return word.getFloat64(0)
}
