import { existsSync } from 'node:fs'
import { cp, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { FORGE, SOLC } from '../../../bench/foundry.mjs'
import { codeLines } from './code-lines.mjs'
import { timed } from './timed-process.mjs'

/** One token and its test in two projects, each in its own directory, as an author would have them. */

const repository = fileURLToPath(new URL('../../../', import.meta.url))
const OURS = ['protocol', 'consensus', 'execution', 'platform', 'contracts', 'node', 'cli']

/** Copies files into a project: path in the project to path in this repository. */
async function lay(directory, files) {
  for (const [to, from] of Object.entries(files)) {
    const path = join(directory, to)
    await mkdir(dirname(path), { recursive: true })
    await cp(join(repository, from), path)
  }
}

/**
 * Edits a contract, so that compilers must process it again.
 *
 * @param {string} path
 */
function editor(path) {
  let edits = 0
  return async () => {
    const text = await readFile(path, 'utf8')
    await writeFile(path, `${text.replace(/\n\/\/ Edit \d+\.\n$/, '\n')}// Edit ${edits++}.\n`)
  }
}

/** Makes `node_modules` as npm does. Copies the @quoin packages, because linked files count as the author's own sources; links all others. */
async function install(directory) {
  const modules = join(directory, 'node_modules')
  await mkdir(join(modules, '@quoin'), { recursive: true })
  for (const name of await readdir(join(repository, 'node_modules'))) {
    if (name.startsWith('.') || name === '@quoin') continue
    await symlink(join(repository, 'node_modules', name), join(modules, name), 'dir')
  }
  for (const name of OURS) {
    const from = join(repository, 'packages', name)
    const to = join(modules, '@quoin', name)
    await mkdir(to)
    for (const part of name === 'cli' ? ['package.json', 'dist', 'bin'] : ['package.json', 'dist'])
      await cp(join(from, part), join(to, part), { recursive: true })
    // Dependencies that npm could not hoist.
    const own = join(from, 'node_modules')
    if (existsSync(own)) await symlink(own, join(to, 'node_modules'), 'dir')
  }
}

/** Project of the kit's token: `quoin build`, and vitest with the testing kit. */
export async function quoinProject(directory) {
  const contract = 'packages/contracts/test/fixtures/token.ts'
  const test = 'bench/comparison/token.test.ts'
  await lay(directory, {
    'contracts/token.ts': contract,
    'test/token.test.ts': test,
    'tsconfig.json': 'packages/contracts/template/tsconfig.json',
  })
  await writeFile(join(directory, 'package.json'), '{ "name": "token", "private": true, "type": "module" }\n')
  await install(directory)
  const run = (module, ...args) => timed([process.execPath, join('node_modules', module), ...args], { cwd: directory })
  const artifact = join(directory, 'artifacts')
  return {
    name: 'Quoin',
    sources: { contract, test },
    lines: await linesOf(contract, test),
    clean: async () => {
      await rm(artifact, { recursive: true, force: true })
      await rm(join(directory, 'node_modules', '.vite'), { recursive: true, force: true })
    },
    edit: editor(join(directory, 'contracts', 'token.ts')),
    build: () => run('@quoin/cli/bin/quoin.mjs', 'build'),
    test: () => run('vitest/vitest.mjs', 'run'),
    /** Milliseconds of the tests themselves, including the setup of each, and the number of passed tests. */
    ownTime: async () => {
      const { output } = await run('vitest/vitest.mjs', 'run', '--reporter=json', '--silent')
      const [{ assertionResults }] = JSON.parse(output.slice(output.indexOf('{'))).testResults
      return { ms: assertionResults.reduce((sum, { duration }) => sum + duration, 0), tests: assertionResults.length }
    },
    gasReport: async () => (await run('vitest/vitest.mjs', 'run')).output,
    artifact: () => import(join(artifact, 'token.js')),
  }
}

/** Project of the Solidity token: forge, with the compiler settings for a deployment. */
export async function forgeProject(directory, { evmVersion }) {
  const contract = 'bench/Token.sol'
  const test = 'bench/comparison/Token.t.sol'
  await lay(directory, { 'src/Token.sol': contract, 'test/Token.t.sol': test, 'test/Test.sol': 'bench/comparison/Test.sol' })
  await writeFile(
    join(directory, 'foundry.toml'),
    `[profile.default]
libs = []
solc = ${JSON.stringify(SOLC)}
evm_version = ${JSON.stringify(evmVersion)}
optimizer = true
optimizer_runs = 1000000
via_ir = true
offline = true

[lint]
lint_on_build = false
`,
  )
  const run = (args, env = {}) => timed([FORGE, ...args], { cwd: directory, env })
  const clean = async () => {
    for (const name of ['cache', 'out']) await rm(join(directory, name), { recursive: true, force: true })
  }
  return {
    name: 'Solidity',
    sources: { contract, test },
    lines: await linesOf(contract, test),
    clean,
    edit: editor(join(directory, 'src', 'Token.sol')),
    build: () => run(['build']),
    /** Build without optimizer and IR, which is forge's default. */
    buildPlain: () => run(['build'], { FOUNDRY_OPTIMIZER: 'false', FOUNDRY_VIA_IR: 'false' }),
    test: () => run(['test']),
    ownTime: async () => {
      const { output } = await run(['test'])
      const [, value, unit] = /finished in ([\d.]+)(µs|ms|s)/.exec(output)
      const [, passed] = /(\d+) passed/.exec(output)
      return { ms: Number(value) * { µs: 0.001, ms: 1, s: 1000 }[unit], tests: Number(passed) }
    },
    gasReport: async () => (await run(['test', '--gas-report'])).output,
  }
}

async function linesOf(contract, test) {
  const [ofContract, ofTest] = await Promise.all([contract, test].map((path) => readFile(join(repository, path), 'utf8')))
  return { contract: codeLines(ofContract), test: codeLines(ofTest) }
}
