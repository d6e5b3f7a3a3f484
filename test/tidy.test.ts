import { describe, expect, it } from 'vitest'
import { sourceFiles } from './tidy/files.ts'
import { type Finding, rules } from './tidy/rules.ts'
import { scan } from './tidy/scan.ts'

type RuleName = keyof typeof rules

const lineOf = (text: string, offset: number) => text.slice(0, offset).split('\n').length

/** Violations of a set of rules in one file, as `path:line rule: message`. */
function check(path: string, text: string, names = Object.keys(rules) as RuleName[]): string[] {
  const source = scan(text)
  return names.flatMap((name) =>
    (rules[name]?.(path, source) ?? []).map(
      ({ offset, message }: Finding) => `${path}:${lineOf(text, offset)} ${name}: ${message}`,
    ),
  )
}

describe('the tree', () => {
  it('keeps every rule', () => {
    const files = [...sourceFiles()]
    expect(files.map(({ path }) => path)).toContain('packages/protocol/src/codec.ts')
    expect(files.flatMap(({ path, text }) => check(path, text))).toEqual([])
  })
})

const pure = 'packages/execution/src/a.ts'
const consensus = 'packages/consensus/src/a.ts'
const node = 'packages/node/src/engine/a.ts'
const slash = '/'
const lockOf = (packages: object) => JSON.stringify({ packages })

/** For each rule: texts that it must report, and texts that it must not report. */
const fixtures: Record<RuleName, { bad: [path: string, text: string][]; good: [path: string, text: string][] }> = {
  'no-ambient-power': {
    bad: [
      [pure, 'const t = Date.now()'],
      [pure, 'const t = new Date()'],
      [pure, 'x(Math.random())'],
      [consensus, 'setTimeout(() => x, 5)'],
      ['packages/protocol/src/a.ts', 'process.env.X'],
      [pure, 'performance.now()'],
      [pure, 'const s = `${Date.now()}`'],
    ],
    good: [
      [node, 'const t = Date.now()'],
      ['packages/execution/src/a.test.ts', 'const t = Date.now()'],
      [pure, '/* Date.now() */ const s = "Date.now()"; const r = /Date.now/; clock.process.x; row.performance.y'],
    ],
  },
  'no-locale': {
    bad: [
      [pure, 'n.toLocaleString()'],
      [pure, 'new Intl.Collator()'],
      [pure, 'a.localeCompare(b)'],
    ],
    good: [[pure, 'n.toString()']],
  },
  'no-for-in': {
    bad: [[pure, 'for (const key in table) {}']],
    good: [[pure, "for (const key of list) {}\nif ('a' in table) {}"]],
  },
  'no-parse-float': { bad: [[pure, 'parseFloat(s)']], good: [[node, 'parseFloat(s)']] },
  'synchronous-consensus': {
    bad: [
      [consensus, 'async function f() {}'],
      [consensus, 'x = await y'],
    ],
    good: [
      [pure, 'async function f() {}'],
      [consensus, '// nothing async here'],
    ],
  },
  'file-length': {
    bad: [[node, 'x\n'.repeat(501)]],
    good: [
      [node, 'x\n'.repeat(500)],
      ['docs/a.md', 'x\n'.repeat(501)],
    ],
  },
  'every-test-runs': {
    bad: [
      ['packages/node/src/a.test.ts', 'it.only("x", f)'],
      ['packages/node/src/a.test.ts', 'describe.concurrent.skip("x", f)'],
      ['packages/node/src/a.test.ts', 'test.todo("x")'],
      ['test/a.test.ts', '({ task }) => task.skip()'],
    ],
    good: [
      ['packages/node/src/a.test.ts', 'it.each([1])("skip", f); it.runIf(long)("x", f)'],
      [node, 'reader.skip(3)'],
    ],
  },
  'no-retry': {
    bad: [
      ['vitest.config.ts', 'retry: 3'],
      ['test/a.test.ts', 'it("x", { retry: 1 }, f)'],
      ['test/a.test.ts', '{ retry: times }'],
    ],
    good: [
      ['vitest.config.ts', 'retry: 0, pool'],
      [node, 'retry: 3'],
    ],
  },
  'no-empty-catch': {
    bad: [
      [node, 'try { f() } catch {}'],
      [node, 'try { f() } catch (error) { /* so what */ }'],
      [node, 'f().catch(() => {})'],
      [node, 'f().catch((_error) => undefined)'],
    ],
    good: [
      [
        node,
        'try { f() } catch (error) { log(error) }\nf().catch((error) => log(error))\nf().catch(undefinedBehaviour)\nconst a = await f().catch(() => undefined)',
      ],
    ],
  },
  'no-sleep': {
    bad: [
      ['test/a.test.ts', 'await new Promise((r) => setTimeout(r, 100))'],
      [node, 'await new Promise((resolve) => setTimeout(resolve, 100))'],
      ['scripts/a.mjs', 'const sleep = promisify(setTimeout)'],
    ],
    good: [[node, 'const timer = setTimeout(action, ms)']],
  },
  'no-sleep-import': {
    bad: [[node, `import { setTimeout } from 'node:timers/promises'`]],
    good: [
      [node, `import { setTimeout } from 'node:timers'`],
      [node, `import { setImmediate } from 'node:timers/promises'`],
    ],
  },
  'no-hidden-require': {
    bad: [[node, "const x = createRequire(import.meta.url)('secp256k1')"]],
    good: [
      [node, "const require = createRequire(import.meta.url)\nconst x = require('secp256k1')"],
      [node, "createRequire(import.meta.url)('../../package.json')"],
    ],
  },
  'no-promises-in-comments': {
    bad: ['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX'].map((word) => [node, `f() // ${word}: later`]),
    good: [[node, 'const method = "a todo list"']],
  },
  'no-local-path': {
    bad: ['work', 'farm', 'root'].map((folder) => ['docs/a.md', `see ${slash}${folder}${slash}main`]),
    good: [['docs/a.md', 'packages/work/x https://example.org/root/x ./root/x /homework/']],
  },
  'no-workplace-word': {
    bad: [['README.md', `a sub${'agent'} wrote this`]],
    good: [['README.md', 'the user agent of a browser']],
  },
  'lock-fits-every-platform': {
    bad: [
      [
        'package-lock.json',
        lockOf({
          'node_modules/t': { optionalDependencies: { 't-linux-x64': '1.0.0', 't-darwin-x64': '1.0.0' } },
          'node_modules/t-linux-x64': {},
        }),
      ],
    ],
    good: [
      ['package-lock.json', lockOf({ 'node_modules/t': { optionalDependencies: { u: '1.0.0' } }, 'node_modules/u': {} })],
      ['package-lock.json', lockOf({ 'packages/a': { optionalDependencies: { u: '1.0.0' } }, 'packages/a/node_modules/u': {} })],
      [
        'package-lock.json',
        lockOf({
          'node_modules/@s/t/node_modules/v': { optionalDependencies: { u: '1.0.0' } },
          'node_modules/@s/t/node_modules/u': {},
        }),
      ],
    ],
  },
  'no-registry-in-lock': {
    bad: [['package-lock.json', `"resolved": "https:${slash}/registry.example.org/a.tgz"`]],
    good: [['package-lock.json', '"resolved": "packages/node", "link": true']],
  },
}

describe.each(Object.keys(rules) as RuleName[])('rule %s', (name) => {
  const { bad, good } = fixtures[name] ?? { bad: [], good: [] }

  it('has fixtures', () => {
    expect(bad.length).toBeGreaterThan(0)
    expect(good.length).toBeGreaterThan(0)
  })
  it.each(bad)('finds example %# in %s', (path, text) => {
    expect(check(path, text, [name])).toHaveLength(1)
  })
  it.each(good)('leaves alone example %# in %s', (path, text) => {
    expect(check(path, text, [name])).toEqual([])
  })
})

describe('scan', () => {
  it('reports the line of a finding', () => {
    expect(check(pure, 'a\n\nb(Date.now())\n', ['no-ambient-power'])).toEqual([
      `${pure}:3 no-ambient-power: a pure package must take this power as an argument: Date.now`,
    ])
  })
  it('keeps length and lines', () => {
    const text = '#!x\nconst a = `b\n${c({ d: `${e}` })}` / 2 // f\n/* g\n */ h(/[/"]/.test(i), "\\"", \'j\')\n'
    for (const view of Object.values(scan(text)) as string[]) {
      expect(view.length).toBe(text.length)
      expect(view.split('\n').length).toBe(text.split('\n').length)
    }
  })
  it('distinguishes division from regular expressions, and templates from their substitutions', () => {
    const { code, comments } = scan('x = a / b; y = /"q/.test(z) // c\nreturn /\'/; w = `s${ d({}) + `t${e}` }u` + f')
    expect(code).toContain('a / b; y = /')
    expect(code).toContain('.test(z)')
    expect(code).toContain('d({})')
    expect(code).toContain('e')
    expect(code).toContain('+ f')
    expect(code).not.toMatch(/[qstu]\b(?!\()/)
    expect(comments.trim()).toBe('// c')
  })
})
