import { readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { formatDiagnostics } from '@quoin/contracts/build'
import { afterAll, describe, expect, it } from 'vitest'
import { Project } from '../packages/contracts/test/build/project.ts'
import { token as handWritten } from '../packages/contracts/test/testing/token.ts'
import { codeLines } from '../scripts/bench/lib/code-lines.mjs'

const repository = fileURLToPath(new URL('../', import.meta.url))
const read = (path: string) => readFileSync(join(repository, path), 'utf8')
const page = read('docs/solidity-comparison.md')
const SOURCES = {
  contracts: ['packages/contracts/test/fixtures/token.ts', 'bench/Token.sol'],
  tests: ['bench/comparison/token.test.ts', 'bench/comparison/Token.t.sol'],
} as const

/** The page's code blocks after a line with the path of their file. A comment `…` marks omitted lines. */
const samples = [...page.matchAll(/^`([\w./-]+)`:\n\n```\w+\n(.*?)^```$/gms)].map(([, path = '', text = '']) => ({
  path,
  pieces: text.split(/^ *\/\/ …\n/m).map((piece) => piece.trim()),
}))

describe('the comparison with Solidity', () => {
  it('shows both contracts and both tests', () => {
    expect(samples.map(({ path }) => path).sort()).toEqual(Object.values(SOURCES).flat().sort())
    expect(page.match(/^```(?:ts|solidity)$/gm)).toHaveLength(samples.length)
  })

  it.each(samples)('shows $path unchanged', ({ path, pieces }) => {
    let rest = read(path)
    for (const piece of pieces) {
      const at = rest.indexOf(piece)
      expect(at, `not in ${path}, or in another order:\n${piece}`).toBeGreaterThanOrEqual(0)
      rest = rest.slice(at + piece.length)
    }
  })

  it('counts their lines', () => {
    for (const [name, paths] of Object.entries(SOURCES)) {
      const [ours, theirs] = paths.map((path) => codeLines(read(path)))
      expect(page).toContain(`| lines of the ${name.slice(0, -1)} | ${ours} | ${theirs} |`)
    }
  })

  it('has the same tests on both sides', () => {
    const letters = (name: string) => name.toLowerCase().replace(/[^a-z]/g, '')
    const [ours, theirs] = SOURCES.tests.map(read) as [string, string]
    const names = [...ours.matchAll(/^it\('(.*)',/gm)].map(([, name = '']) => letters(name))
    expect(names).toHaveLength(10)
    expect([...theirs.matchAll(/function test_(\w+)/g)].map(([, name = '']) => letters(name))).toEqual(names)
  })
})

const projects: Project[] = []

afterAll(() => {
  for (const project of projects) project.remove()
})

/** Runs the comparison's test in a describe. The test imports the artifact from its project. */
async function runTest(files: Readonly<Record<string, string>>, complete: (project: Project) => Promise<void>): Promise<void> {
  const project = new Project({ 'test/token.test.ts': read('bench/comparison/token.test.ts'), ...files })
  projects.push(project)
  symlinkSync(join(repository, 'node_modules', 'vitest'), join(project.root, 'node_modules', 'vitest'), 'dir')
  await complete(project)
  await import(join(project.root, 'test', 'token.test.ts'))
}

describe('the test in TypeScript passes with the token', () => {
  describe('that is written with the kit', async () => {
    await runTest({ 'contracts/token.ts': read(SOURCES.contracts[0]) }, async (project) => {
      const result = await project.build(['contracts/token.ts'], { outDir: 'artifacts' })
      if (!result.ok) throw new Error(formatDiagnostics(result.error))
    })
  })

  // This token behaves like bench/Token.sol: the bench `contract` compares their results and events.
  describe('that is written by hand', async () => {
    const { name, abi, bytecode } = handWritten
    const constants = Object.entries({ name, abi, bytecode }).map(
      ([key, value]) => `export const ${key} = ${JSON.stringify(value)}\n`,
    )
    await runTest({ 'artifacts/token.js': constants.join('') }, async () => undefined)
  })
})
