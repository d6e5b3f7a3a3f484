import { any, bigint, comparable, number, numeral, primitive, smallBigint, smallInteger, text } from './operands.ts'
import type { Random } from './random.ts'

/** Expressions over arrays, typed arrays and objects. */

const index = (random: Random): string =>
  random.oneIn(8) ? random.pick(['undefined', 'NaN', 'Infinity', '(-Infinity)', "'1'", '1.5']) : smallInteger(random)

const elements = (random: Random): string => {
  const draw = random.pick([primitive, primitive, number, text, smallInteger, any])
  return random.list(0, 7, () => (random.oneIn(25) ? '' : draw(random)))
}

export const arrayOf = (random: Random): string => `[${elements(random)}]`

const CALLBACKS = [
  '(x) => x',
  '(x, i) => [i, x]',
  '(x) => typeof x',
  '(x, i) => i % 2 === 0',
  '(x) => x > 1',
  '(x) => x === undefined',
  '(x) => Array.isArray(x)',
  '(x, i, all) => all.length - i',
]

export const arrayMethod = (random: Random): string => {
  const a = arrayOf(random)
  const f = random.pick(CALLBACKS)
  const forms: readonly (() => string)[] = [
    () =>
      `${a}.${random.pick(['map', 'filter', 'find', 'findIndex', 'findLast', 'findLastIndex', 'some', 'every', 'flatMap'])}(${f})`,
    () =>
      `${a}.${random.pick(['slice', 'at', 'toSpliced', 'splice', 'copyWithin', 'with', 'lastIndexOf', 'indexOf'])}(${random.list(0, 3, () => index(random))})`,
    () =>
      `${a}.${random.pick(['includes', 'indexOf', 'lastIndexOf'])}(${random.pick([primitive, any])(random)}${random.oneIn(3) ? `, ${index(random)}` : ''})`,
    () => `${a}.fill(${primitive(random)}, ${index(random)}, ${index(random)})`,
    () => `${a}.concat(${random.list(0, 3, () => random.pick([arrayOf(random), primitive(random)]))})`,
    () =>
      `[${random.list(0, 3, () => random.pick([arrayOf(random), `[${arrayOf(random)}]`, primitive(random)]))}].flat(${random.pick(['', '0', '2', 'Infinity', '-1'])})`,
    () => `${a}.join(${random.pick(['', "''", "', '", 'undefined', 'null'])})`,
    () => `${a}.${random.pick(['reduce', 'reduceRight'])}((x, y) => x + '/' + String(y)${random.oneIn(2) ? `, ''` : ''})`,
    () => `${a}.${random.pick(['reverse', 'toReversed', 'keys', 'entries', 'values', 'toString'])}()`,
    () =>
      `Array.from(${random.pick([a, `{ length: ${smallInteger(random)}, 1: 'x' }`, text(random)])}${random.oneIn(2) ? `, ${f}` : ''})`,
    () => `((a) => { a.length = ${random.pick(['0', '3', '9', '-1', '2.5', '4294967296'])}; return a })(${a})`,
    () => `(([p, , q = 7, ...r]) => [p, q, r])(${a})`,
    () => `[...${a}, ...${arrayOf(random)}]`,
    () => `Math.max(...${a})`,
    () => `Object.keys(${a})`,
  ]
  return random.pick(forms)()
}

const COMPARATORS = [
  '(x, y) => x - y',
  '(x, y) => y - x',
  '(x, y) => (x < y ? -1 : x > y ? 1 : 0)',
  '(x, y) => (x % 3) - (y % 3)',
  '() => 0',
  '(x, y) => Math.abs(x) - Math.abs(y)',
]

export const sorting = (random: Random): string => {
  const integers = () => random.list(0, 30, () => smallInteger(random))
  const forms: readonly (() => string)[] = [
    () => `${arrayOf(random)}.${random.pick(['sort', 'toSorted'])}()`,
    () => `[${integers()}].${random.pick(['sort', 'toSorted'])}(${random.pick(COMPARATORS)})`,
    () => `[${random.list(0, 12, () => comparable(random))}].sort((x, y) => (x < y ? -1 : x > y ? 1 : 0))`,
    () => `[${random.list(0, 60, () => `[${smallInteger(random)}, ${random.below(100)}]`)}].sort((x, y) => x[0] - y[0])`,
    () => `[${random.list(0, 9, () => text(random))}].sort((x, y) => (x < y ? 1 : x > y ? -1 : 0))`,
    () => `[${random.list(0, 9, () => bigint(random))}].sort()`,
    () =>
      `new ${random.pick(['Int32Array', 'Uint8Array', 'Float64Array', 'Float32Array'])}([${random.list(0, 12, () => comparable(random))}]).sort(${random.pick(['', '(x, y) => y - x'])})`,
    () => `new ${random.pick(['BigInt64Array', 'BigUint64Array'])}([${random.list(0, 9, () => bigint(random))}]).sort()`,
    () => `[${random.list(0, 5, () => random.pick([primitive(random), '']))}].sort(${random.pick(['undefined', 'null', '5'])})`,
  ]
  return random.pick(forms)()
}

const KINDS = [
  'Int8Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
  'Float32Array',
  'Float64Array',
]

export const typedArray = (random: Random): string => {
  const a = `new ${random.pick(KINDS)}([${random.list(0, 8, () => random.pick([number, smallInteger])(random))}])`
  const forms: readonly (() => string)[] = [
    () =>
      `${a}.${random.pick(['slice', 'subarray', 'at', 'copyWithin', 'indexOf', 'includes', 'lastIndexOf'])}(${random.list(1, 2, () => index(random))})`,
    () =>
      `((a) => [a.at(${smallInteger(random)}), a.lastIndexOf(a.at(${smallInteger(random)})), a.indexOf(a.at(-1)), a.includes(a[0])])(${a})`,
    () =>
      `((a, x) => [a.lastIndexOf(x), a.indexOf(a[1]), a.includes(x), a.fill(x, -1), a.with(0, x), a.toSorted()])(new ${random.pick(['BigInt64Array', 'BigUint64Array'])}([${random.list(1, 4, () => bigint(random))}]), ${random.pick([bigint, smallBigint])(random)})`,
    // V8 of Node.js 20 ignores the end when the start is undefined.
    () => `${a}.fill(${number(random)}, ${smallInteger(random)}, ${index(random)})`,
    () => `${a}.with(${index(random)}, ${number(random)})`,
    () => `${a}.${random.pick(['reverse', 'toReversed', 'toSorted', 'join', 'keys'])}()`,
    () =>
      `${a}.${random.pick(['map', 'filter', 'find', 'findLast', 'some'])}(${random.pick(['(x) => x * 2.5', '(x) => x > 1', '(x) => -x', '(x, i) => i'])})`,
    () => `((a) => { a.set(${random.pick([arrayOf, () => '[1, 2]'])(random)}, ${index(random)}); return a })(${a})`,
    () => `((a) => { a[${random.below(10)}] = ${any(random)}; return a })(${a})`,
    () => `new ${random.pick(KINDS)}(${a})`,
    () => `new ${random.pick(KINDS)}(${random.pick(KINDS)}.from(${arrayOf(random)}).buffer)`,
    () =>
      `((v) => { v.set${random.pick(['Int8', 'Uint16', 'Int32', 'Uint32', 'Float32', 'Float64'])}(${index(random)}, ${random.pick([number, any])(random)}, ${random.pick(['true', 'false'])}); return Array.from(new Uint8Array(v.buffer)) })(new DataView(new ArrayBuffer(12)))`,
    () => `((a) => Array.from(new Uint8Array(a.buffer.slice(${index(random)}, ${index(random)}))))(${a})`,
  ]
  return random.pick(forms)()
}

export const keyOf = (random: Random): string =>
  random.pick([
    'a',
    'b',
    'c',
    '0',
    '1',
    '2',
    '10',
    "'-1'",
    "'01'",
    "'4294967295'",
    "'4294967294'",
    "''",
    '[1 + 1]',
    "['x' + 'y']",
    '1.5',
    '1n',
  ])

export const objectOf = (random: Random): string => `{ ${random.list(0, 5, () => `${keyOf(random)}: ${primitive(random)}`)} }`

export const objectOperation = (random: Random): string => {
  const a = `(${objectOf(random)})`
  const forms: readonly (() => string)[] = [
    () => a,
    () => `Object.${random.pick(['keys', 'values', 'entries', 'getOwnPropertyNames'])}(${random.pick([a, any(random)])})`,
    () => `Object.assign(${a}, ${random.pick([a, any(random)])}, ${objectOf(random)})`,
    () => `({ ...${random.pick([a, any(random), arrayOf(random)])}, b: 5, ...${a} })`,
    () => `Object.fromEntries([${random.list(0, 4, () => `[${primitive(random)}, ${primitive(random)}]`)}])`,
    () => `(({ a, b = 1, ...rest }) => [a, b, rest])(${a})`,
    () => `((o) => { delete o.a; o[${primitive(random)}] = 3; return o })(${a})`,
    () =>
      `((o) => { const seen = []; for (const k in o) seen.push(k); return seen })(${random.pick([a, text(random), arrayOf(random)])})`,
    () => `${primitive(random)} in ${a}`,
    () => `Object.hasOwn(${a}, ${primitive(random)})`,
    () => `${any(random)}?.${random.pick(['a', 'length', 'x?.y', 'toString', '[0]'])}`,
    () =>
      `((o) => [Object.isFrozen(o), ((v) => { try { o.a = v } catch (e) { return e.name } })(5), o])(Object.${random.pick(['freeze', 'seal', 'preventExtensions'])}(${a}))`,
    () => `((x, y = x, ...z) => [x, y, z])(${random.list(0, 4, () => primitive(random))})`,
    () =>
      `((x) => { switch (x) { case 1: return 'one'; case 1n: return 'big'; case '1': return 'text'; case ${primitive(random)}: return 'drawn'; default: return 'none' } })(${random.pick([primitive, numeral])(random)})`,
    () => `[...(function* () { yield* ${arrayOf(random)}; yield ${primitive(random)} })()]`,
    () => `JSON.stringify(${a})`,
  ]
  return random.pick(forms)()
}
