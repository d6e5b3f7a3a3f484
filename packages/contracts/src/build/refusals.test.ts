import { describe, expect, it } from 'vitest'
import { buildFiles, built, complaints } from '../../test/build/project.ts'
import { ANSWER } from '../../test/build/sources.ts'

/** Uses of things that contracts do not have: an expression for \`0n\`, the column of the offending word in it, and the message. */
const USES: readonly (readonly [expression: string, column: number, reason: RegExp])[] = [
  ['Date.now()', 1, /^Date is not available in contracts: .*block\.timestamp/],
  ['new Date()', 5, /^Date is not available in contracts/],
  ['globalThis.Date', 12, /^Date is not available in contracts/],
  ["globalThis['Date']", 13, /^Date is not available in contracts/],
  ['performance.now()', 1, /^performance is not available in contracts/],
  ['Math.random()', 6, /^Math\.random is not available in contracts: .*proposer/],
  ["Math['random']()", 7, /^Math\.random is not available in contracts/],
  ['setTimeout(() => 0)', 1, /^setTimeout is not available in contracts/],
  ['queueMicrotask(() => 0)', 1, /^queueMicrotask is not available in contracts/],
  ["crypto.getRandomValues('')", 1, /^crypto is not available in contracts: .*keccak256/],
  ["eval('1')", 1, /^eval is not available in contracts/],
  ["new Function('return 1')()", 5, /^Function is not available in contracts/],
  ["Function('return 1')()", 1, /^Function is not available in contracts/],
  ['new WeakRef({})', 5, /^WeakRef is not available in contracts: .*WeakMap/],
  ['new FinalizationRegistry(() => 0)', 5, /^FinalizationRegistry is not available in contracts/],
  ['new SharedArrayBuffer(1)', 5, /^SharedArrayBuffer is not available in contracts: .*ArrayBuffer/],
  ['Atomics.load', 1, /^Atomics is not available in contracts/],
  ['console.log(1)', 1, /^console is not available in contracts: .*event/],
  ["fetch('http://a')", 1, /^fetch is not available in contracts/],
  ['process.env', 1, /^process is not available in contracts/],
  ['Buffer.from([])', 1, /^Buffer is not available in contracts: .*Uint8Array/],
  ['new Intl.NumberFormat()', 5, /^Intl is not available in contracts/],
  ["new TextEncoder().encode('')", 5, /^TextEncoder is not available in contracts: .*encodeUtf8/],
  ['new TextDecoder()', 5, /^TextDecoder is not available in contracts: .*decodeUtf8/],
  ['import.meta.url', 8, /^import\.meta is not available in contracts/],
  ['(5).toLocaleString()', 5, /^toLocaleString is not allowed in contracts: .*toString/],
  ['window.a', 1, /^window is not available in contracts/],
]

describe('things that contracts do not have', () => {
  it('are errors where the author wrote them, all in one build', async () => {
    const lines = USES.map(([expression], i) => `/* ${i} */ ${expression},`)
    const found = complaints(
      await buildFiles(ANSWER('values.length as never', `export const values: unknown[] = [\n${lines.join('\n')}\n]`)),
    )
    const places = USES.map(([, column], i) => `contracts/token.ts:${i + 3}:${column + `/* ${i} */ `.length}: `)
    expect(found.map((text) => text.slice(0, text.indexOf(' ') + 1))).toEqual(places)
    for (const [i, [, , reason]] of USES.entries()) expect(found[i]!.slice(places[i]!.length)).toMatch(reason)
  })

  it('are distinguished from local variables, members, types and unused code', async () => {
    const head = `
type Clock = Date
const local = (performance: { now(): bigint }, fetch: () => bigint) => performance.now() + fetch()
const members = { Date: 1n, console: { log: () => 2n }, setTimeout: 3n, process: 4n, crypto: 5n }
const neverUsed = () => Date.now()
const alsoNot = Date
export const isClock = (value: unknown): value is Clock => value instanceof Function
const { console, crypto } = members`
    const expression =
      'local({ now: () => members.Date }, () => console.log()) + members.setTimeout + members.process + crypto + BigInt(isClock(0))'
    const contract = built(await buildFiles(ANSWER(expression, head)))
    expect(contract.source).not.toMatch(/quoin\$missing|alsoNot/)
    expect(contract.source).toContain('instanceof Function')
  })

  it('may be tested for with typeof: such a package works without them', async () => {
    const guarded = `
export const now = () => typeof performance !== 'undefined' ? performance.now() : 7
if (typeof console !== 'undefined') console.warn('loaded')
`
    const files = {
      'node_modules/lib/package.json': '{ "name": "lib", "type": "module", "main": "index.js" }',
      'node_modules/lib/index.js': guarded,
    }
    const contract = built(await buildFiles(ANSWER('BigInt(now())', "import { now } from 'lib'"), files))
    expect(contract.source).toContain('typeof performance')
    expect(contract.source).not.toContain('$missing$')
    const other = await buildFiles(ANSWER('BigInt(now() + performance.now())', "import { now } from 'lib'"), files)
    expect(complaints(other)).toEqual([
      expect.stringMatching(/^contracts\/token\.ts:6:34: performance is not available in contracts/),
    ])
  })

  it('are errors in a package too, and the error names the package', async () => {
    const files = {
      'node_modules/@their/lib/package.json': '{ "name": "@their/lib", "type": "module", "exports": "./src/index.js" }',
      'node_modules/@their/lib/src/index.js': "import { read } from './deep.js'\nexport const one = () => BigInt(read())\n",
      'node_modules/@their/lib/src/deep.js': '\nexport const read = () => Math.random()\n',
    }
    const found = complaints(await buildFiles(ANSWER('one()', "import { one } from '@their/lib'"), files))
    expect(found).toEqual([
      expect.stringMatching(
        /^@their\/lib\/src\/deep\.js:2:32: Math\.random is not available in contracts: .* \(in the package @their\/lib\)$/,
      ),
    ])
  })
})

describe('imports', () => {
  const refusals = [
    ["import { readFileSync } from 'node:fs'", 'BigInt(readFileSync.length)', 30, /^node:fs is a Node\.js module/],
    ["import { randomBytes } from 'crypto'", 'BigInt(randomBytes.length)', 29, /^crypto is a Node\.js module/],
  ] as const
  it.each(refusals)('%s is refused', async (head, expression, column, reason) => {
    const [found, ...rest] = complaints(await buildFiles(ANSWER(expression, head)))
    expect(found).toMatch(new RegExp(`^contracts/token\\.ts:2:${column}: ${reason.source.slice(1)}`))
    // Reported once, for the deployed module; the description module adds no further error.
    expect(rest).toEqual([])
  })

  it.each([
    ["import('./other.ts')", 6],
    ['import(String(1))', 6],
  ])('%s is refused', async (expression, line) => {
    const found = complaints(await buildFiles(ANSWER(`${expression} as never`), { 'contracts/other.ts': 'export const a = 1' }))
    expect(found).toEqual([
      expect.stringMatching(new RegExp(`^contracts/token\\.ts:${line}:\\d+: import\\(\\) is not allowed in contracts`)),
    ])
  })

  it('that a package has and the contract does not use are dropped', async () => {
    const files = {
      'node_modules/lib/package.json': '{ "name": "lib", "type": "module", "main": "index.js" }',
      'node_modules/lib/index.js': `import { readFileSync } from 'node:fs'
import crypto from 'crypto'
export const one = () => 'use import("a") or import(b)'
export const load = (name) => import(name)
export const lazy = () => import('./other.js')
export const read = () => readFileSync(crypto.name)
`,
      'node_modules/lib/other.js': '',
    }
    const contract = built(await buildFiles(ANSWER('BigInt(one().length)', "import { one } from 'lib'"), files))
    expect(contract.source).not.toMatch(/node:fs|crypto|other/)
    expect(contract.source).toContain('use import("a") or import(b)')
    const found = complaints(
      await buildFiles(ANSWER('BigInt(one(read(), lazy()))', "import { lazy, one, read } from 'lib'"), files),
    )
    expect(found).toEqual([
      expect.stringMatching(/^lib\/index\.js:1:30: node:fs is a Node\.js module.* \(in the package lib\)$/),
      expect.stringMatching(/^lib\/index\.js:2:20: crypto is a Node\.js module.* \(in the package lib\)$/),
      expect.stringMatching(/^lib\/index\.js:5:27: import\(\) is not allowed in contracts.* \(in the package lib\)$/),
    ])
  })

  it('by require are refused as well, unless the package copes without', async () => {
    const files = (text: string) => ({
      'node_modules/lib/package.json': '{ "name": "lib", "main": "index.js" }',
      'node_modules/lib/index.js': text,
    })
    const source = ANSWER('BigInt(one())', "import { one } from 'lib'")
    const found = complaints(await buildFiles(source, files("const fs = require('fs')\nexports.one = () => fs.one")))
    expect(found).toEqual([expect.stringMatching(/^lib\/index\.js:1:20: fs is a Node\.js module.* \(in the package lib\)$/)])
    built(await buildFiles(source, files("let fs\ntry { fs = require('fs') } catch {}\nexports.one = () => (fs ? 2 : 1)")))
  })

  it('of missing modules are reported with the importing file', async () => {
    const found = complaints(await buildFiles(ANSWER('1n', "import './missing.ts'\nimport 'no-such-package'")))
    expect(found).toEqual([
      expect.stringMatching(/^contracts\/token\.ts:2:8: Could not resolve "\.\/missing\.ts"/),
      expect.stringMatching(/^contracts\/token\.ts:3:8: Could not resolve "no-such-package"/),
    ])
  })

  it('may name a package that has the name of a Node.js module', async () => {
    const files = {
      'node_modules/events/package.json': '{ "name": "events", "main": "index.js" }',
      'node_modules/events/index.js': 'exports.one = () => 1n',
    }
    built(await buildFiles(ANSWER('one()', "import { one } from 'events'"), files))
  })

  it('top-level await runs where everything runs: in the evaluation', async () => {
    built(await buildFiles(ANSWER('one', 'const one = await Promise.resolve(1n)')))
    const found = complaints(await buildFiles(ANSWER('one', 'const one = await new Promise<bigint>(() => undefined)')))
    expect(found).toEqual([
      expect.stringMatching(
        /^contracts\/token\.ts:3:1: Error: the promise never settles: nothing is left to run that could settle it$/,
      ),
    ])
  })
})
