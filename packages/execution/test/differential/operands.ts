import type { Random } from './random.ts'

/** Operands as JavaScript source, chosen to hit an interpreter's edge cases: limbs, signs, exponents, surrogates. */

const BITS = [
  0, 1, 2, 7, 8, 15, 16, 30, 31, 32, 33, 47, 52, 53, 54, 62, 63, 64, 65, 95, 96, 97, 127, 128, 129, 160, 191, 192, 255, 256, 257,
  300, 511, 512, 513, 1023, 1024, 1025,
]

function magnitude(random: Random): bigint {
  const bits = BigInt(random.oneIn(4) ? random.pick(BITS) : random.pick(BITS.slice(0, 30)))
  const power = 1n << bits
  switch (random.below(6)) {
    case 0:
      return power
    case 1:
      return power - 1n
    case 2:
      return power + 1n
    case 3:
      return 10n ** BigInt(random.below(40)) * BigInt(random.below(1000))
    default: {
      let value = 0n
      for (let have = 0n; have < bits; have += 32n)
        value = (value << 32n) | BigInt(random.oneIn(5) ? random.pick([0, 2 ** 32 - 1]) : random.bits())
      return value & (power - 1n)
    }
  }
}

export function bigintValue(random: Random): bigint {
  const value = magnitude(random)
  return random.oneIn(2) ? value : -value
}

const bigintText = (value: bigint, hex: boolean): string => {
  const digits = value < 0n ? -value : value
  const text = `${hex ? `0x${digits.toString(16)}` : digits}n`
  return value < 0n ? `(-${text})` : text
}

export const bigint = (random: Random): string => bigintText(bigintValue(random), random.oneIn(3))

/** A bigint with few digits. */
export const smallBigint = (random: Random): string => bigintText(BigInt(random.between(-5, 140)), false)

const SPECIAL = [
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  1.5,
  2.5,
  -1.5,
  NaN,
  Infinity,
  -Infinity,
  2 ** 31,
  2 ** 31 - 1,
  -(2 ** 31),
  -(2 ** 31) - 1,
  2 ** 32,
  2 ** 32 - 1,
  2 ** 53,
  2 ** 53 - 1,
  2 ** 53 + 2,
  -(2 ** 53),
  2 ** 63,
  2 ** 64,
  -(2 ** 63),
  -(2 ** 64),
  1e21,
  1e-6,
  1e-7,
  123456789012345680000,
  Number.MAX_VALUE,
  Number.MIN_VALUE,
  2 ** -1022,
  2 ** -1074,
  Number.EPSILON,
  0.1,
  0.2,
  0.3,
  1.005,
  1.45,
  8.345,
  1e22,
  5e-324,
  1.7976931348623157e308,
]

const view = new DataView(new ArrayBuffer(8))

/** A double of random bits; not NaN. */
function anyDouble(random: Random): number {
  view.setUint32(0, random.bits())
  view.setUint32(4, random.oneIn(4) ? random.pick([0, 1, 2 ** 32 - 1]) : random.bits())
  const value = view.getFloat64(0)
  return Number.isNaN(value) ? 0 : value
}

/** The double next to one. */
function neighbour(random: Random, value: number): number {
  view.setFloat64(0, value)
  view.setBigInt64(0, view.getBigInt64(0) + (random.oneIn(2) ? 1n : -1n))
  const found = view.getFloat64(0)
  return Number.isNaN(found) ? value : found
}

export function numberValue(random: Random): number {
  const sign = random.oneIn(3) ? -1 : 1
  switch (random.below(10)) {
    case 0:
      return random.pick(SPECIAL)
    case 1:
      return anyDouble(random)
    case 2:
      return sign * 2 ** random.between(-1074, 1023)
    case 3:
      return neighbour(random, sign * 2 ** random.between(-60, 130))
    case 4:
      return sign * Number(`${random.bits()}e${random.between(-30, 30)}`)
    case 5:
      return (sign * random.below(100_000)) / 10 ** random.below(6)
    case 6:
      return Number(bigintValue(random))
    case 7:
      return neighbour(random, Number(`${sign * random.between(1, 9)}e${random.between(-320, 308)}`))
    case 8:
      return sign * (random.bits() / 2 ** random.below(34))
    default:
      return sign * random.below(300)
  }
}

/** A number that can be ordered: not NaN. */
export function comparable(random: Random): string {
  const value = numberValue(random)
  return numberText(Number.isNaN(value) ? 0 : value)
}

const numberText = (value: number): string => (value < 0 || Object.is(value, -0) ? `(-${-value})` : String(value))

export const number = (random: Random): string => numberText(numberValue(random))

/** A finite number with few digits, for places where wider numbers find nothing. */
export const smallInteger = (random: Random): string => numberText(random.between(-3, 12))

/** Groups of characters for strings: plain, unusual cases, combining, outside the first plane, halves of pairs. */
const CHARACTERS: readonly (readonly string[])[] = [
  [...'abcABCxyz'],
  [...'0123456789'],
  [...' \t\n\u00a0\ufeff\u2028\u3000'],
  [...'.*+?^$()[]{}|/-_,:;\'"`#@!%&=<>~'],
  [...'\u00e4\u00df\u00c4\u0130\u0131\u017f\u212a\u03a3\u03c3\u03c2\u01c4\u01c5\u01c6\ufb01\u1e9e\u0149'],
  [...'e\u0301\u0308\u0323a\u030a\u1100\u1161\uac00\u00c5\u2126\u0344'],
  ['\u{1f600}', '\u{10400}', '\u{10428}', '\u{1d400}', '\u{10ffff}', '\u4e2d', '\u{2f800}'],
  ['\ud800', '\udc00', '\udbff', '\udfff', '\0', '\u007f', '\u0080', '\u00ff', '\u0100', '\uffff'],
]

export function textValue(random: Random, lengthMax = 12): string {
  const group = random.oneIn(3) ? undefined : random.pick(CHARACTERS)
  let text = ''
  for (let left = random.below(lengthMax + 1); left > 0; left--) text += random.pick(group ?? random.pick(CHARACTERS))
  return text
}

/** A string as a literal in plain ASCII. */
export function quoted(text: string): string {
  let literal = ''
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit === 0x27 || unit === 0x5c) literal += `\\${text[i]}`
    else literal += unit >= 0x20 && unit < 0x7f ? text[i] : `\\u${unit.toString(16).padStart(4, '0')}`
  }
  return `'${literal}'`
}

export const text = (random: Random): string => quoted(textValue(random))

/** Text with few different characters, in which searches find much. */
export const repetitive = (random: Random): string =>
  quoted(random.list(0, 14, () => random.pick(['a', 'b', 'A', 'ab', ' ', '1']), ''))

const digits = (random: Random, most: number): string => random.list(1, most, () => String(random.below(10)), '')

/** Text that is a number or almost one, with at most 20 significant digits, for which ECMA-262 defines one result. */
export function numeral(random: Random): string {
  const forms: readonly (() => string)[] = [
    () => digits(random, 20),
    () => `${digits(random, 5)}.${digits(random, 15)}`,
    () => `${digits(random, 3)}.${digits(random, 3)}e${random.pick(['', '+', '-'])}${digits(random, 3)}`,
    () => `${digits(random, 20)}e${random.pick(['', '+', '-'])}${digits(random, 3)}`,
    () => `.${digits(random, 20)}`,
    () => `0.${'0'.repeat(random.below(330))}${digits(random, 20)}`,
    () => `0x${random.bits().toString(16)}${random.bits().toString(16)}`,
    () => `0b${random.bits().toString(2)}`,
    () => `0o${random.bits().toString(8)}`,
    () =>
      random.pick([
        '',
        ' ',
        '-',
        '+',
        '.',
        'e',
        'Infinity',
        '-Infinity',
        '+Infinity',
        'infinity',
        'NaN',
        '1_000',
        '0x',
        '0x1.8',
        '1e',
        '1e+',
        '--1',
        '1n',
        '\u0661',
        '1 2',
        '0b2',
        '-0x1',
        '-0',
      ]),
    () => String(numberValue(random)),
    () => String(BigInt.asIntN(64, bigintValue(random))),
  ]
  return around(random, random.pick(forms)())
}

/** Text of a number with many digits: random, halfway between two doubles, or slightly above. */
export const longNumeral = (random: Random): string =>
  around(
    random,
    random.pick([
      () => digits(random, 400),
      () => `${digits(random, 5)}.${digits(random, 60)}`,
      () => String(bigintValue(random)),
      () => halfway(random) + random.pick(['', '', '0', '1', '0000000000000000000001']),
    ])(),
  )

function around(random: Random, core: string): string {
  const sign = random.oneIn(5) ? random.pick(['-', '+']) : ''
  const edge = () => (random.oneIn(8) ? random.pick([' ', '\n', '\t\ufeff', '\u3000', '_', 'x', ',']) : '')
  return quoted(edge() + sign + core + edge())
}

function halfway(random: Random): string {
  const mantissa = (1n << 53n) | (BigInt(random.bits()) << 21n) | BigInt(random.bits() >>> 11) | 1n
  const exponent = random.between(-60, 900)
  if (exponent >= 0) return String(mantissa << BigInt(exponent))
  const scaled = String(mantissa * 5n ** BigInt(-exponent)).padStart(-exponent + 1, '0')
  return `${scaled.slice(0, exponent)}.${scaled.slice(exponent)}`
}

const OTHERS = [
  'undefined',
  'null',
  'true',
  'false',
  '[]',
  '{}',
  '({ valueOf: () => 3n })',
  '({ valueOf: () => -2.5 })',
  "({ toString: () => '7' })",
  '[5]',
  '[1, 2]',
  "Symbol('s')",
  'Object(2n ** 70n)',
  "Object('x')",
  '(() => 1)',
]

/** A value of any type. */
export function any(random: Random): string {
  switch (random.below(8)) {
    case 0:
    case 1:
      return bigint(random)
    case 2:
    case 3:
      return number(random)
    case 4:
      return text(random)
    case 5:
      return numeral(random)
    case 6:
      return smallInteger(random)
    default:
      return parenthesised(random.pick(OTHERS))
  }
}

const parenthesised = (expression: string): string => (expression === '{}' ? '({})' : expression)

/** A primitive: a key of a Map or a member of a Set. */
export const primitive = (random: Random): string =>
  random.pick([
    () =>
      random.pick([
        'undefined',
        'null',
        'true',
        'false',
        'NaN',
        '0',
        '(-0)',
        '1',
        '1n',
        "'1'",
        "''",
        "'a'",
        "'b'",
        '2',
        '3',
        '(-1)',
        '0n',
      ]),
    () => smallInteger(random),
    () => smallBigint(random),
    () => quoted(textValue(random, 3)),
  ])()
