import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './child.mjs'
import { ensureInstalled } from './install.mjs'
import { root, tool } from './paths.mjs'
import { formatDuration, Refusal } from './steps.mjs'
import { ensureTools, separateTool, typedoc } from './tools.mjs'

/** Programs that run at the same time; each is partly parallel itself. */
const concurrencyMax = 2

const entry = {
  attw: '@arethetypeswrong/cli/dist/index.js',
  biome: '@biomejs/biome/bin/biome',
  knip: 'knip/bin/knip.js',
  oxlint: 'oxlint/bin/oxlint',
  publint: 'publint/src/cli.js',
  tsc: 'typescript/bin/tsc',
}

/** The types check, which builds, and the checks that run at the same time. */
const needNoBuild = ['types', 'format', 'walls', 'docs', 'dead code']

/** A program with its arguments. */
const command = (name, ...args) => [tool(entry[name]), ...args]

const dependencyCruiser = separateTool('dependency-cruiser/bin/dependency-cruise.mjs')

/** Checks by name, each with its programs in order. The first program that fails ends the check. */
function checks() {
  const packages = readdirSync(join(root, 'packages')).map((name) => `packages/${name}`)
  const examples = readdirSync(join(root, 'examples')).map((name) => `examples/${name}`)
  return {
    types: [
      command('tsc', '-b'),
      command('tsc', '-p', 'tsconfig.test.json'),
      ...examples.map((path) => command('tsc', '-p', path)),
    ],
    lint: [command('oxlint', '--type-aware', '--deny-warnings')],
    format: [command('biome', 'check', '--error-on-warnings', '.')],
    walls: [[dependencyCruiser, '--output-type', 'err-long', 'packages']],
    docs: [typedoc],
    // The second run leaves tests out: what only they use belongs to them. A pattern that matches nothing is an error in the first.
    'dead code': [
      command('knip', '--no-progress', '--treat-config-hints-as-errors'),
      command('knip', '--no-progress', '--production', '--no-config-hints'),
    ],
    ...Object.fromEntries(
      packages.map((path) => [
        `package ${path}`,
        [command('publint', 'run', path, '--strict'), command('attw', '--pack', path, '--profile', 'esm-only', '--quiet')],
      ]),
    ),
  }
}

/** Runs a check and prints its result; prints the program's output if it failed. @returns {Promise<boolean>} whether the check passed */
async function runCheck(name, programs) {
  const started = performance.now()
  for (const args of programs) {
    const { code, output } = await run(process.execPath, args, { cwd: root, output: 'capture', env: colour() })
    if (code === 0) continue
    console.log(`✗ ${name}: ${formatDuration(performance.now() - started)}\n${output.trimEnd()}\n`)
    return false
  }
  console.log(`✓ ${name}: ${formatDuration(performance.now() - started)}`)
  return true
}

/** @returns {Promise<string[]>} names of the failed checks */
async function runChecks(list) {
  const waiting = [...list]
  const failed = []
  const lane = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [name, programs] = next
      if (!(await runCheck(name, programs))) failed.push(name)
    }
  }
  await Promise.all(Array.from({ length: concurrencyMax }, lane))
  return failed
}

/** The programs write to a pipe. This makes them use colours if this process writes to a terminal. */
const colour = () => (process.stdout.isTTY && process.env.NO_COLOR === undefined ? { FORCE_COLOR: '1' } : {})

/**
 * The body of `npm run check`: all checks except tests.
 *
 * @param {readonly string[]} args names of checks; empty: all checks (`package` selects all packages)
 * @returns {Promise<number>} exit code
 */
export async function check(args) {
  await ensureInstalled()
  const all = Object.entries(checks())
  const unknown = args.find((arg) => !all.some(([name]) => matches(name, arg)))
  if (unknown !== undefined) {
    throw new Refusal(`Unknown check "${unknown}". Available:\n  ${all.map(([name]) => name).join('\n  ')}`)
  }
  const chosen = args.length === 0 ? all : all.filter(([name]) => args.some((arg) => matches(name, arg)))
  if (chosen.some(([name]) => name === 'walls' || name === 'docs')) await ensureTools()
  const started = performance.now()
  // The others read the output of the types check: lint needs the declarations, the package checks everything that is published.
  const failed = [
    ...(await runChecks(chosen.filter(([name]) => needNoBuild.includes(name)))),
    ...(await runChecks(chosen.filter(([name]) => !needNoBuild.includes(name)))),
  ]
  const verdict = failed.length === 0 ? 'all passed' : `${failed.length} failed: ${failed.join(', ')}`
  console.log(`\n${chosen.length} checks in ${formatDuration(performance.now() - started)}, ${verdict}`)
  return failed.length === 0 ? 0 : 1
}

const matches = (name, arg) => name === arg || name.startsWith(`${arg} `) || name.endsWith(`/${arg}`)
