import { any, bigint, comparable, longNumeral, number, numeral, quoted, smallBigint, smallInteger, text } from './operands.ts'
import type { Random } from './random.ts'

/** Expressions over bigints and numbers, and conversions between types. */

const COMPARISONS = ['<', '<=', '>', '>=', '==', '!=', '===', '!==']
const SHIFTS = ['<<', '>>', '>>>']
const ARITHMETIC = ['+', '-', '*', '/', '%']

/** A width in bits for asIntN and asUintN. */
const width = (random: Random): string =>
  random.oneIn(12)
    ? random.pick([
        '-1',
        '2 ** 53',
        '2 ** 53 - 1',
        'NaN',
        '1.9',
        '-0.9',
        "'33'",
        'undefined',
        'Infinity',
        '7n',
        'true',
        '[40]',
        "Symbol('w')",
        '1 << 18',
      ])
    : String(random.oneIn(3) ? random.between(0, 20) * 32 + random.between(-1, 1) : random.between(0, 330))

const radix = (random: Random): string =>
  random.oneIn(15)
    ? random.pick(['1', '37', '0', 'undefined', 'null', '2.9', "'16'", '-2', 'NaN'])
    : String(random.between(2, 36))

export const bigintOperation = (random: Random): string => {
  const a = bigint(random)
  const forms: readonly (() => string)[] = [
    () => `${a} ${random.pick(ARITHMETIC)} ${bigint(random)}`,
    () => `${a} ${random.pick(ARITHMETIC)} ${smallBigint(random)}`,
    () => `${a} ${random.pick(['&', '|', '^'])} ${bigint(random)}`,
    () => `${a} ${random.pick(['<<', '>>'])} ${smallBigint(random)}`,
    () => `${random.pick([smallBigint(random), `(${a} & 0xffffffn)`])} ** ${smallBigint(random)}`,
    () => `${a} ${random.pick(COMPARISONS)} ${random.pick([bigint(random), smallBigint(random), a])}`,
    () => `${random.pick(['-', '~'])}${a}`,
    () => `((x) => [x++, x, ++x, x--, --x, x])(${a})`,
    () =>
      `((x) => { x ${random.pick(['+=', '-=', '*=', '&=', '|=', '^=', '<<=', '>>='])} ${smallBigint(random)}; return x })(${a})`,
    () => `((x, y) => (x / y) * y + (x % y) === x)(${a}, ${bigint(random)})`,
    () =>
      `${a} ${random.pick(['<<', '>>', '>>>'])} ${random.pick(['2n ** 64n', '(-(2n ** 31n))', '(2n ** 32n - 1n)', '(-(2n ** 63n))', '2n ** 31n', '0n'])}`,
    () => `${random.pick(['!', 'typeof ', 'void '])}${a}`,
    () => `[${random.list(0, 6, () => bigint(random))}].sort((x, y) => (x < y ? -1 : x > y ? 1 : 0))`,
    () => `[${random.list(0, 6, () => bigint(random))}].reduce((x, y) => x * 31n + y, 7n)`,
  ]
  return random.pick(forms)()
}

export const bigintMethod = (random: Random): string => {
  const a = bigint(random)
  const forms: readonly (() => string)[] = [
    () => `BigInt.asIntN(${width(random)}, ${a})`,
    () => `BigInt.asUintN(${width(random)}, ${a})`,
    () => `BigInt.asUintN(${width(random)}, ${smallBigint(random)})`,
    () => `BigInt.${random.pick(['asIntN', 'asUintN'])}(${width(random)}, ${any(random)})`,
    () => `${a}.toString(${radix(random)})`,
    () => `String(${a})`,
    () => `\`\${${a}}\` + ${bigint(random)}`,
    () => `BigInt(${random.pick([numeral, longNumeral, number, text, any])(random)})`,
    () => `BigInt(String(${a})) === ${a}`,
    () => `Number(${a})`,
    () => `parseInt(${a})`,
    () => `[new BigInt64Array([${a}])[0], new BigUint64Array([${a}])[0]]`,
    () =>
      `((v, w) => { v.set${random.pick(['BigInt64', 'BigUint64'])}(0, ${a}, w); return [v.getBigUint64(0), v.getBigInt64(0, true), v.getFloat64(0, w), v.getInt32(4)] })(new DataView(new ArrayBuffer(8)), ${random.pick(['true', 'false'])})`,
    () => `JSON.stringify({ a: ${a} })`,
    () => `Object(${a}) ${random.pick(['==', '===', '<', '+'])} ${random.pick([a, bigint(random), number(random)])}`,
    () => `new Set([${a}, ${bigint(random)}, ${a}, ${smallBigint(random)}]).size`,
    () =>
      `[${a}, ${bigint(random)}, ${smallBigint(random)}].${random.pick(['includes', 'indexOf'])}(${random.pick([a, smallBigint(random), smallInteger(random)])})`,
    () =>
      `Number.isInteger(${a}) || Number.isSafeInteger(${a}) || ${random.pick(['isNaN', 'Math.abs', 'Math.max', 'isFinite', 'Math.trunc'])}(${a})`,
  ]
  return random.pick(forms)()
}

/** Comparisons of bigints and numbers, of both signs, near and far: wrong results here can cost an author money. */
export const mixedComparison = (random: Random): string => {
  const operator = random.pick(COMPARISONS)
  const a = bigint(random)
  const forms: readonly (() => string)[] = [
    () => `${a} ${operator} ${number(random)}`,
    () => `${number(random)} ${operator} ${a}`,
    () => `${a} ${operator} Number(${a})`,
    () => `Number(${a}) ${operator} ${a}`,
    () =>
      `${a} ${operator} Number(${a}) ${random.pick(['*', '+', '/', '-'])} ${random.pick(['1.5', '0.5', '2', '1', '4294967296'])}`,
    () => `${smallBigint(random)} ${operator} ${random.pick([number, smallInteger])(random)}`,
    () =>
      `[${random.list(2, 6, () => random.pick([bigint, comparable, smallBigint])(random))}].sort((x, y) => (x < y ? -1 : x > y ? 1 : 0))`,
  ]
  return random.pick(forms)()
}

/** Two values of any types and one operator. */
export const anyOperation = (random: Random): string => {
  const operator = random.pick([...COMPARISONS, ...COMPARISONS, ...ARITHMETIC, '&', '|', '^', ...SHIFTS, '&&', '||', '??'])
  // No shift to a bigint of millions of bits, which takes V8 seconds.
  const right = SHIFTS.includes(operator) ? random.pick([smallBigint, number, text]) : any
  return `${any(random)} ${operator} ${right(random)}`
}

/** Digits of a safe integer, or of any integer in a radix for which ECMA-262 requires the exact number. */
function exactParseInt(random: Random): string {
  const digits = Math.trunc(random.bits() * 2 ** random.between(-20, 21)).toString(random.between(2, 36))
  const base = Number.parseInt(digits, 36) <= Number.MAX_SAFE_INTEGER ? radix(random) : random.pick(['2', '4', '8', '16', '32'])
  return `parseInt(${quoted(digits)}, ${base})`
}

export const conversion = (random: Random): string => {
  const a = any(random)
  const forms: readonly (() => string)[] = [
    () => `Number(${numeral(random)})`,
    () => `Number(${a})`,
    () => `${random.pick(['+', '-', '~', '!'])}${a}`,
    () => `parseFloat(${random.pick([numeral(random), numeral(random), a])})`,
    () => `parseInt(${random.pick([numeral(random), a])})`,
    () => exactParseInt(random),
    () => `${numeral(random)} ${random.pick(COMPARISONS)} ${random.pick([number, bigint])(random)}`,
    () => `${a} ${random.pick(['| 0', '>>> 0', '<< 1', '>> 1'])}`,
    () => `Boolean(${a}) === !!${a}`,
    () =>
      `${random.pick(['Number.isInteger', 'Number.isSafeInteger', 'isNaN', 'isFinite', 'Number.isFinite', 'Array.isArray'])}(${a})`,
    () => `Object.is(${a}, ${any(random)})`,
    () => `typeof ${a}`,
    () => `[${numeral(random)}].map(Number)`,
    () => `JSON.parse(${numeral(random)})`,
    () =>
      `((v) => [v.getFloat32(0), v.getInt16(1), v.getUint8(7)])((() => { const v = new DataView(new ArrayBuffer(8)); v.setFloat64(0, ${number(random)}); return v })())`,
  ]
  return random.pick(forms)()
}

/** Text of more than 20 digits, where ECMA-262 allows an implementation to truncate. */
export const longConversion = (random: Random): string =>
  `${random.pick(['Number', 'parseFloat', 'JSON.parse', 'parseInt', '+'])}(${longNumeral(random)})`

export const numberOperation = (random: Random): string => {
  const [a, b] = [number(random), number(random)]
  const forms: readonly (() => string)[] = [
    () => `${a} ${random.pick([...ARITHMETIC, ...COMPARISONS, '&', '|', '^', '<<', '>>', '>>>'])} ${b}`,
    () => `Math.${random.pick(['floor', 'ceil', 'round', 'trunc', 'abs', 'sign', 'sqrt', 'fround', 'clz32'])}(${a})`,
    () => `Math.${random.pick(['min', 'max', 'imul'])}(${random.list(0, 3, () => number(random))})`,
    () => `((x) => [x++, x, ++x, x--, --x])(${a})`,
    () => `[${random.list(0, 8, () => comparable(random))}].sort((x, y) => x - y)`,
    () => `[${random.list(0, 8, () => number(random))}].reduce((x, y) => x + y, 0)`,
    () =>
      `Array.from(new ${random.pick(['Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array', 'Float32Array', 'Float64Array'])}([${random.list(1, 5, () => number(random))}]))`,
    () => `${smallInteger(random)} ** ${random.pick(['0', '1', '2', '3', '0.5', '(-1)', 'NaN', 'Infinity', '(-Infinity)'])}`,
  ]
  return random.pick(forms)()
}

/** Functions whose last digits ECMA-262 leaves to the implementation. */
export const approximation = (random: Random): string => {
  const forms: readonly (() => string)[] = [
    () =>
      `Math.${random.pick(['sin', 'cos', 'tan', 'exp', 'log', 'log2', 'log10', 'log1p', 'expm1', 'cbrt', 'atan', 'asin', 'acos', 'sinh', 'cosh', 'tanh', 'asinh', 'acosh', 'atanh'])}(${number(random)})`,
    () => `Math.${random.pick(['atan2', 'pow', 'hypot'])}(${number(random)}, ${number(random)})`,
    () => `${number(random)} ** ${random.pick([number, smallInteger])(random)}`,
  ]
  return random.pick(forms)()
}

export const numberFormat = (random: Random): string => {
  const a = number(random)
  const places = () =>
    random.oneIn(12)
      ? random.pick(['-1', '101', 'undefined', 'NaN', "'3'", '2.7'])
      : String(random.oneIn(4) ? random.between(0, 100) : random.between(0, 22))
  const forms: readonly (() => string)[] = [
    () => `String(${a})`,
    () => `${a} + ''`,
    () => `(${a}).toFixed(${places()})`,
    () => `(${a}).toPrecision(${places()})`,
    () => `(${a}).toExponential(${places()})`,
    () => `(${Math.trunc(random.bits() * 2 ** random.between(-10, 21))}).toString(${radix(random)})`,
    () => `(${random.bits()} / 2 ** ${random.below(33)}).toString(${random.pick([2, 4, 8, 16, 32])})`,
    () => `JSON.stringify([${a}])`,
    () => `Number(String(${a})) === ${a}`,
    () => `[${a}, ${number(random)}].join()`,
  ]
  return random.pick(forms)()
}

/**
 * Fractions in a radix that is not a power of two, and numbers beyond 2 ** 53 in any radix: ECMA-262 does not define the digits.
 */
export const radixFormat = (random: Random): string => `(${number(random)}).toString(${radix(random)})`
