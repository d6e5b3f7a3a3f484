import { any, number, quoted, repetitive, smallInteger, text, textValue } from './operands.ts'
import type { Random } from './random.ts'

/** Expressions over strings and regular expressions. */

/** A position: mostly close, sometimes missing. */
const place = (random: Random): string =>
  random.oneIn(6)
    ? random.pick(['undefined', 'NaN', 'Infinity', '(-Infinity)', "'2'", '1.7', '2 ** 32', 'null', '(-0)'])
    : smallInteger(random)

const replacement = (random: Random): string =>
  quoted(random.list(0, 4, () => random.pick(['$1', '$2', '$&', "$'", '$`', '$$', '$0', '$10', '$<n>', '-', 'x', '']), ''))

export const textMethod = (random: Random): string => {
  const draw = random.oneIn(2) ? text : repetitive
  const a = draw(random)
  const part = () => (random.oneIn(3) ? draw(random) : quoted(textValue(random, 2)))
  const forms: readonly (() => string)[] = [
    () => `${a}.${random.pick(['at', 'charAt', 'charCodeAt', 'codePointAt'])}(${place(random)})`,
    () => `${a}.${random.pick(['slice', 'substring', 'substr'])}(${place(random)}, ${place(random)})`,
    () =>
      `${a}.${random.pick(['indexOf', 'lastIndexOf', 'includes', 'startsWith', 'endsWith'])}(${part()}${random.oneIn(2) ? `, ${place(random)}` : ''})`,
    () => `${a}.${random.pick(['padStart', 'padEnd'])}(${random.between(-1, 30)}, ${part()})`,
    () => `${a}.repeat(${random.oneIn(6) ? random.pick(['-1', 'Infinity', '0', '1.9', 'NaN']) : random.below(5)})`,
    () =>
      `${a}.${random.pick(['replace', 'replaceAll'])}(${part()}, ${random.pick([replacement(random), part(), '(...m) => m.join()'])})`,
    () => `${a}.split(${random.pick([part(), part(), "''", 'undefined'])}${random.oneIn(3) ? `, ${place(random)}` : ''})`,
    () =>
      `${a}.${random.pick(['toLowerCase', 'toUpperCase', 'trim', 'trimStart', 'trimEnd', 'isWellFormed', 'toWellFormed', 'normalize', 'valueOf'])}()`,
    () => `${a}.normalize(${random.pick(["'NFC'", "'NFD'", "'NFKC'", "'NFKD'", "'x'"])})`,
    () => `${a}.concat(${part()}, ${any(random)})`,
    () => `${a} ${random.pick(['<', '<=', '>', '>=', '==', '===', '+'])} ${draw(random)}`,
    () => `[...${a}]`,
    () => `[...${a}].reverse().join('') + ${a}.length`,
    () => `String.fromCharCode(${random.list(0, 4, () => number(random))})`,
    () =>
      `String.fromCodePoint(${random.list(0, 3, () => random.pick(['65', '0x1f600', '0x10ffff', '0x110000', '0xd800', '-1', '1.5', '0']))})`,
    () => `[${random.list(0, 8, () => draw(random))}].sort()`,
    () => `[${random.list(0, 8, () => draw(random))}].toSorted((x, y) => x.length - y.length).join('|')`,
    () => `String.raw\`a\${${a}}\\n\${${number(random)}}\``,
    () => `Array.from(${a}, (c) => c.codePointAt(0))`,
    () => `${a}[${place(random)}]`,
  ]
  return random.pick(forms)()
}

export const encoding = (random: Random): string => {
  const a = text(random)
  const escapes = () =>
    quoted(
      random.list(
        0,
        5,
        () => random.pick(['%41', '%e4', '%E2%82%AC', '%f0%9f%98%80', '%', '%2f', '%c0%80', 'a', '%u0041', '%ed%a0%80', '%80']),
        '',
      ),
    )
  const forms: readonly (() => string)[] = [
    () => `${random.pick(['encodeURIComponent', 'encodeURI', 'escape'])}(${a})`,
    () => `${random.pick(['decodeURIComponent', 'decodeURI', 'unescape'])}(${random.pick([escapes(), a])})`,
    () => `JSON.stringify(${a})`,
    () => `JSON.parse(JSON.stringify(${a})) === ${a}`,
    () => `JSON.parse(${quoted(jsonText(random, 3))})`,
    () =>
      `JSON.stringify(JSON.parse(${quoted(jsonText(random, 3))})${random.oneIn(2) ? `, ${random.pick(['null', "['a', 'b']", '(k, v) => (k === "a" ? undefined : v)'])}, ${random.pick(["'--'", '2', '20', 'undefined'])}` : ''})`,
    () => `JSON.stringify([${random.list(0, 4, () => any(random))}])`,
    () =>
      `JSON.parse(${quoted(random.list(0, 6, () => random.pick(['{', '}', '[', ']', ',', ':', '"a"', '1', 'null', 'tru', '"\\u00', '-', '01', '1.', ' ']), ''))})`,
  ]
  return random.pick(forms)()
}

function jsonText(random: Random, depth: number): string {
  const forms: readonly (() => string)[] = [
    () => random.pick(['null', 'true', 'false', '0', '-0', '1e3', '-1.5', '12345678901234567890', '1E-7', '""']),
    () => JSON.stringify(textValue(random, 4)),
    () => random.pick(['"\\u0041\\n"', '"\\ud800"', '"\\/"']),
    () => `[${random.list(0, 3, () => jsonText(random, depth - 1), random.pick([',', ' , ']))}]`,
    () =>
      `{${random.list(0, 3, () => `"${random.pick(['a', 'b', '1', '0', '__proto__', ''])}":${jsonText(random, depth - 1)}`, ',')}}`,
  ]
  return random.pick(depth > 0 ? forms : forms.slice(0, 3))()
}

/** A part of a regular expression. Repetitions do not nest, so no search takes exponential time. */
function pattern(random: Random, depth: number, names: { count: number }): string {
  const atom = (): string => {
    const simple = [
      'a',
      'b',
      'A',
      '1',
      ' ',
      '.',
      '\\d',
      '\\w',
      '\\s',
      '\\W',
      '[ab]',
      '[^a]',
      '[a-c1]',
      '\\b',
      '\\B',
      '^',
      '$',
      '\\u0061',
      '[\\d\\s]',
      '\\.',
      '\\S',
      'ab',
    ]
    if (depth === 0 || random.oneIn(2)) return random.pick(simple)
    const inner = () => pattern(random, depth - 1, names)
    switch (random.below(7)) {
      case 0:
        return `(?:${inner()})`
      case 1:
        return `(?=${inner()})`
      case 2:
        return `(?!${inner()})`
      case 3:
        return `(?<=${inner()})`
      case 4:
        return `(?<!${inner()})`
      case 5:
        return `(?<n${names.count++}>${inner()})`
      default:
        return `(${inner()})`
    }
  }
  const quantified = (): string => {
    const one = atom()
    const isAssertion = /^(\\[bB]|[\^$]|\(\?<?[=!])/.test(one)
    if (isAssertion || !random.oneIn(3) || /[*+}]/.test(one)) return one
    return one.length > 1 && !/^[\\[(]/.test(one)
      ? one
      : one + random.pick(['*', '+', '?', '{2}', '{1,2}', '{0,}', '*?', '+?', '??'])
  }
  const sequence = random.list(1, 3, quantified, '')
  return random.oneIn(5) ? `${sequence}|${random.list(1, 2, quantified, '')}` : sequence
}

export const regularExpression = (random: Random): string => {
  // No reference to a group that may have matched nothing: in replaceAll, V8 compares with its value from the previous match.
  const body = pattern(random, 2, { count: 0 }) + (random.oneIn(8) ? '(?<m>[ab])\\k<m>' : '')
  const flags = random.pick(['', '', 'g', 'i', 'm', 's', 'u', 'y', 'gi', 'gu', 'iu', 'gim', 'd', 'gs', 'v'])
  const all = flags.includes('g') ? flags : `g${flags}`
  const a = random.oneIn(4) ? text(random) : repetitive(random)
  const forms: readonly (() => string)[] = [
    () => `/${body}/${flags}.exec(${a})`,
    () => `/${body}/${flags}.test(${a})`,
    () => `${a}.match(/${body}/${flags})`,
    () => `[...${a}.matchAll(/${body}/${all})]`,
    () => `${a}.replace(/${body}/${flags}, ${replacement(random)})`,
    () => `${a}.replaceAll(/${body}/${all}, (m, ...rest) => '<' + m + rest.length + '>')`,
    () => `${a}.search(/${body}/${flags})`,
    () => `${a}.split(/${body}/${flags})`,
    () =>
      `((r) => [r.test(${a}), r.lastIndex, r.exec(${repetitive(random)}), r.lastIndex, String(r), r.flags])(/${body}/${flags})`,
    () =>
      `new RegExp(${quoted(random.oneIn(3) ? textValue(random, 5) : body)}, ${random.pick(["''", "'g'", "'gg'", "'u'", "'x'"])}).test(${a})`,
  ]
  return random.pick(forms)()
}
