import { arrayOf, keyOf, objectOf } from './collections.ts'
import { bigint, primitive, smallInteger, text } from './operands.ts'
import type { Random } from './random.ts'

/** Expressions that do many things to one object: dense arrays become sparse, tables grow and shrink, strings become ropes. */

type Draw = (random: Random) => string

/** This many steps; each returns its value or the name of its error. */
const steps = (random: Random, step: Draw, most = 12): string => random.list(2, most, () => `attempt(() => ${step(random)})`)

const index = (random: Random): number => (random.oneIn(3) ? random.below(70) : random.below(12))

const arrayStep: Draw = (random) =>
  random.pick([
    () => `a.push(${random.list(0, 3, () => primitive(random))})`,
    () => 'a.pop()',
    () => 'a.shift()',
    () => `a.unshift(${random.list(0, 2, () => primitive(random))})`,
    () => `a.splice(${random.list(0, 4, () => smallInteger(random))})`,
    () => `(a[${index(random)}] = ${primitive(random)})`,
    () => `(a[${index(random)}] = ${primitive(random)})`,
    () => `delete a[${index(random)}]`,
    () => 'a.reverse().length',
    () => `a.copyWithin(${smallInteger(random)}, ${smallInteger(random)}).length`,
    () => `(a.length = ${index(random)})`,
    () => `a.sort().length`,
    () => `a.fill(${primitive(random)}, ${smallInteger(random)}).length`,
    () => `[a.indexOf(${primitive(random)}), a.lastIndexOf(${primitive(random)}), a.length]`,
    () => `(() => { for (let i = ${index(random)}; i > 0; i -= ${random.between(1, 4)}) a[i] = i })()`,
    () => `(() => { for (let i = ${index(random)}; i > 0; i -= ${random.between(1, 4)}) delete a[i] })()`,
    () =>
      `Object.keys(Object.defineProperty(a, ${index(random)}, { value: 1, configurable: ${random.oneIn(2)}, enumerable: true, writable: true })).length`,
    () => `(a = a.concat([${primitive(random)}])).length`,
    () => `(a = a.slice(${smallInteger(random)})).length`,
    () => `(a = [...a]).length`,
    () =>
      `(() => { const seen = []; for (const x of a) { seen.push(x); if (seen.length === 3) a.length = ${random.below(6)}; if (seen.length > 20) break } return seen })()`,
  ])()

const objectStep: Draw = (random) =>
  random.pick([
    () => `(o[${random.pick([primitive, primitive, smallInteger])(random)}] = ${primitive(random)})`,
    () => `delete o[${random.pick([primitive, smallInteger])(random)}]`,
    () => `Object.assign(o, ${objectOf(random)})`,
    () => `(o = { ...o, ${keyOf(random)}: ${primitive(random)} })`,
    () => `(() => { for (let i = 0; i < ${random.below(30)}; i++) o['k' + i] = i })()`,
    () => `(() => { for (let i = 0; i < ${random.below(30)}; i += ${random.between(1, 3)}) delete o['k' + i] })()`,
    () => `(() => { const seen = []; for (const k in o) { seen.push(k); delete o[${primitive(random)}] } return seen })()`,
    () =>
      `Object.keys(Object.defineProperty(o, ${primitive(random)}, { value: 2, enumerable: ${random.oneIn(2)}, configurable: ${!random.oneIn(3)} }))`,
    () => `[${primitive(random)} in o, Object.hasOwn(o, ${primitive(random)})]`,
    () => 'JSON.stringify(Object.entries(o).map(([k]) => k))',
    () => `Object.keys(Object.${random.oneIn(6) ? 'freeze' : 'keys'}(o))`,
  ])()

const mapStep: Draw = (random) =>
  random.pick([
    () => `m.set(${primitive(random)}, ${primitive(random)}).size`,
    () => `m.get(${primitive(random)})`,
    () => `m.has(${primitive(random)})`,
    () => `m.delete(${primitive(random)})`,
    () => `m.set(${bigint(random)}, 1).size`,
    () => '[...m.keys()]',
    () => '[...m.values()]',
    () => `m.forEach((v, k) => { if (k === ${primitive(random)}) m.delete(${primitive(random)}) })`,
    () => `(() => { let n = 0; for (const [k] of m) if (n++ < 9) m.set(k + '!', n) })()`,
    () => `(() => { for (let i = 0; i < ${random.below(40)}; i++) m.set(i, -i) })()`,
    () => `(() => { for (let i = 0; i < ${random.below(40)}; i += ${random.between(1, 3)}) m.delete(i) })()`,
  ])()

const setStep: Draw = (random) =>
  random.pick([
    () => `s.add(${primitive(random)}).size`,
    () => `s.has(${primitive(random)})`,
    () => `s.delete(${primitive(random)})`,
    () => '[...s.entries()]',
    () =>
      `(() => { const seen = []; for (const v of s) { seen.push(v); if (seen.length < 9) s.delete(${primitive(random)}) } return seen })()`,
    () => 's.clear()',
    () => `(() => { for (let i = 0; i < ${random.below(40)}; i++) s.add(i) })()`,
  ])()

/** Strings of more than 8 KiB are ropes. */
const textStep: Draw = (random) =>
  random.pick([
    () => `(t += ${text(random)}).length`,
    () => `(t = ${text(random)} + t).length`,
    () => `(t = (t + t).slice(0, 20000)).length`,
    () => `(t = t.slice(${smallInteger(random)}, ${random.pick(['9000', '30', '(-5)', 'undefined'])})).length`,
    () => `t.indexOf(${text(random)})`,
    () => `t.at(${smallInteger(random)})`,
    () => `[t < ${text(random)}, t === t + '', t + 'a' > t]`,
    () => `(t = 'xy'.repeat(${random.pick([3, 600, 4100, 8000])}) + t).length`,
    () => `t.lastIndexOf('y') + t.codePointAt(${smallInteger(random)})`,
    () => `(() => { for (let i = 0; i < ${random.below(40)}; i++) t += i })()`,
    () => `({ [t]: 1 })[t]`,
    () => `t.split('x').length`,
  ])()

export const arrayHistory: Draw = (random) =>
  `((a) => [${steps(random, arrayStep, 16)}, a, Object.keys(a).length, a.length])(${arrayOf(random)})`

export const objectHistory: Draw = (random) => `((o) => [${steps(random, objectStep)}, o])(${objectOf(random)})`

export const keyedHistory: Draw = (random) =>
  random.oneIn(2)
    ? `((m) => [${steps(random, mapStep)}, m])(new Map([${random.list(0, 4, () => `[${primitive(random)}, ${primitive(random)}]`)}]))`
    : `((s) => [${steps(random, setStep)}, s])(new Set([${random.list(0, 6, () => primitive(random))}]))`

export const textHistory: Draw = (random) =>
  `((t) => [${steps(random, textStep)}, t.length, t.slice(0, 30), t.slice(-30), t[t.length >> 1]])(${text(random)})`
