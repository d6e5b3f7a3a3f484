import { describe, expect, it } from 'vitest'
import { byInterpreter, byV8 } from '../../test/differential/interpreters.ts'

/** The errors that `test/differential.test.ts` found, one by one, and their edge cases. */

const EXPONENTS = [0, 1, 31, 32, 52, 53, 63, 64, 65, 128, 255, 1023, 1024]
const bigints = ['0n', ...EXPONENTS.flatMap((e) => [`2n ** ${e}n`, `(2n ** ${e}n - 1n)`, `(2n ** ${e}n + 1n)`])]
const numbers = [
  ...[
    '0',
    'NaN',
    'Infinity',
    '5e-324',
    '0.5',
    '1.5',
    '2.5',
    '1e-310',
    '1e18',
    '2e18',
    '1.7976931348623157e308',
    '2 ** 31',
    '2 ** 32 + 0.5',
  ],
  ...EXPONENTS.filter((e) => e < 1024).flatMap((e) => [
    `2 ** ${e}`,
    `(2 ** ${e} - 1)`,
    `1.5 * 2 ** ${e}`,
    `Number(2n ** ${e}n + 1n)`,
  ]),
]

const withSigns = (list: readonly string[]): readonly string[] => list.flatMap((one) => [`(${one})`, `(-(${one}))`])

describe('a bigint against a number', () => {
  it.each(['<', '<=', '>', '>=', '==', '!=', '===', '!=='])('%s: all signs and exponents, in both orders', (operator) => {
    const expressions = withSigns(bigints).map(
      (a) => `((a) => [${withSigns(numbers).map((b) => `a ${operator} ${b}, ${b} ${operator} a`)}].map(Number).join(''))(${a})`,
    )
    const [v8, interpreter] = [byV8(expressions), byInterpreter(expressions)]
    expect(expressions.filter((_, i) => v8[i] !== interpreter[i])).toEqual([])
  })

  it('below zero, where it was the wrong way round', () => {
    const lines = ['-5n < -1.5', '-5000n < -10000 / 4', '-(10n ** 18n) < -2e18', '-(2n ** 1100n) < -Infinity', '-1.5 > -5n']
    expect(byInterpreter(lines)).toEqual(['true', 'true', 'false', 'false', 'true'])
    expect(byInterpreter(['[5n, -(10n ** 18n), -3].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))'])).toEqual([
      '[-0xde0b6b3a7640000n, -3, 0x5n]',
    ])
  })
})

describe('BigInt.asUintN', () => {
  it('is right for every width', () => {
    const values = withSigns([
      '0n',
      '1n',
      '5_000_000_000n',
      '2n ** 255n - 1n',
      '2n ** 256n',
      '0x123456789abcdef0fedcba9876543210n',
    ])
    const wrong = values.map(
      (x) =>
        `Array.from({ length: 331 }, (_, n) => n).filter((n) => BigInt.asUintN(n, ${x}) !== (${x} & ((1n << BigInt(n)) - 1n)) || BigInt.asUintN(n, ${x}) < 0n)`,
    )
    expect(byInterpreter(wrong)).toEqual(values.map(() => '[]'))
  })

  it('is a method with the attributes of one', () => {
    const [descriptor, construct, own] = byInterpreter([
      "(({ value, ...rest }) => [rest, value.name, value.length, 'prototype' in value])(Object.getOwnPropertyDescriptor(BigInt, 'asUintN'))",
      'new BigInt.asUintN(8, 1n)',
      'Object.getOwnPropertyNames(BigInt).sort()',
    ])
    expect(descriptor).toBe('[{writable: true, enumerable: false, configurable: true}, "asUintN", 2, false]')
    expect(construct).toBe('throws TypeError')
    expect(own).toBe('["asIntN", "asUintN", "length", "name", "prototype"]')
  })

  it('converts each argument once, the width first', () => {
    const seen = (width: string, value: string) =>
      `((log) => { try { log.push(BigInt.asUintN({ valueOf() { log.push('width'); return ${width} } }, { valueOf() { log.push('value'); return ${value} } })) } catch (e) { log.push(e.name) } return log })([])`
    expect(byInterpreter([seen('33', '-1n'), seen('-1', '1n'), seen('8', '1'), seen('8n', '1n')])).toEqual([
      '["width", "value", 0x1ffffffffn]',
      '["width", "RangeError"]',
      '["width", "value", "TypeError"]',
      '["width", "TypeError"]',
    ])
  })

  it('refuses a width for which there is no room', () => {
    const [huge, positive, beyond] = byInterpreter([
      'BigInt.asUintN(2 ** 53 - 1, -1n)',
      'BigInt.asUintN(2 ** 53 - 1, 7n)',
      'BigInt.asUintN(2 ** 53, 7n)',
    ])
    expect([huge, positive, beyond]).toEqual(['throws RangeError', '0x7n', 'throws RangeError'])
  })

  it('does not depend on built-ins that a contract replaces', () => {
    expect(
      byInterpreter([
        `(() => { const { asIntN } = BigInt; const { trunc } = Math; const own = BigInt
          try { BigInt.asIntN = () => 0n; Math.trunc = () => 0; globalThis.BigInt = () => 0n; return own.asUintN(256, -1n) === 2n ** 256n - 1n }
          finally { globalThis.BigInt = own; own.asIntN = asIntN; Math.trunc = trunc } })()`,
      ]),
    ).toEqual(['true'])
  })
})

it('Math.acosh has no value below 1', () => {
  const expressions = [-0, 0.5, 1, -1, -1.5, -2, -52421, -(2 ** 26), -1e300, -Infinity, Infinity, NaN].map(
    (x) => `Math.acosh(${x})`,
  )
  expect(byInterpreter(expressions)).toEqual(byV8(expressions))
})

it('lastIndexOf finds negative numbers in typed arrays', () => {
  const found = ['Int8Array', 'Int16Array', 'Int32Array', 'Float32Array', 'BigInt64Array'].map((kind) => {
    const [values, wanted] = kind.startsWith('Big') ? ['-3n, 253n, 7n', '-3n'] : ['-3, 253, 7', '-3']
    return `((a) => [a.lastIndexOf(${wanted}), a.indexOf(${wanted}), a.includes(${wanted}), a.lastIndexOf(${wanted}, -1)])(new ${kind}([${values}]).subarray(0, 1))`
  })
  expect(byInterpreter(found)).toEqual(found.map(() => '[0, 0, true, 0]'))
  expect(byInterpreter(['new Int8Array([-3, 1]).lastIndexOf(253)', 'new Uint8Array([253, 1]).lastIndexOf(-3)'])).toEqual([
    '-1',
    '-1',
  ])
})

it('a sparse array that is made smaller keeps nothing beyond its length', () => {
  const histories = [8, 9, 16, 17, 100].flatMap((count) =>
    [0, 1, count - 1].map(
      (length) =>
        `(() => { const a = []; for (let i = ${count}; i > 0; i--) a[i * 1000] = i; a.length = ${length}; const left = Object.keys(a); a.length = 200000; return [left, Object.keys(a), a.lastIndexOf(${count})] })()`,
    ),
  )
  expect(byInterpreter(histories)).toEqual(histories.map(() => '[[], [], -1]'))
  const stays = (first: number) =>
    `(() => { const a = []; for (let i = 1; i < 20; i++) a[i * 1000] = i; Object.defineProperty(a, ${first}, { value: 7, configurable: false }); try { a.length = 3 } catch (e) { return [e.name, a.length, Object.keys(a)] } })()`
  expect(byInterpreter([stays(500), stays(5000), stays(19000)])).toEqual(byV8([stays(500), stays(5000), stays(19000)]))
})
