import { readFile, rm, writeFile } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { bootstrap } from './bootstrap.mjs'
import { run } from './child.mjs'
import { root, tool } from './paths.mjs'
import { Refusal } from './steps.mjs'
import { suites } from './suites.mjs'

/**
 * The lowest coverage of each package over all counted suites, in percent. Raise a floor when the figure in docs/coverage.md is more than three
 * points above it. Random tests take other branches at each run, so a floor is a little below the figure.
 *
 * @type {Readonly<Record<string, Coverage>>}
 */
export const floors = {
  protocol: { lines: 97, branches: 95 },
  consensus: { lines: 97, branches: 95 },
  execution: { lines: 50, branches: 50 },
  platform: { lines: 85, branches: 75 },
  contracts: { lines: 50, branches: 48 },
  node: { lines: 50, branches: 50 },
  cli: { lines: 60, branches: 55 },
}

/** The other suites run child processes and measure them from outside: vitest does not see which of their code runs. */
const uncounted = ['e2e', 'pressure']
const counted = suites.filter(({ name }) => !uncounted.includes(name))

/** Minutes after which vitest counts as hanging. The suites are slower here than in `npm test`. */
const vitestMinutesMax = 120

const folder = join(root, 'coverage')
const document = join(root, 'docs', 'coverage.md')
const [begin, end] = ['<!-- figures: begin -->', '<!-- figures: end -->']

const usage = `npm run coverage [-- suite ...]

Runs suites and counts which lines and branches of each package they execute.
Suites: ${counted.map(({ name }) => name).join(', ')}. All of them (default): writes docs/coverage.md and fails if a package is below its floor.`

/** @typedef {{ lines: number, branches: number }} Coverage percent */

/**
 * The body of `npm run coverage`.
 *
 * @param {readonly string[]} args
 * @returns {Promise<number>} exit code
 */
export async function coverage(args) {
  if (args.includes('--help') || args.includes('-h')) {
    console.log(usage)
    return 0
  }
  const unknown = args.find((arg) => !counted.some(({ name }) => name === arg))
  if (unknown !== undefined) throw new Refusal(`Unknown suite "${unknown}".\n\n${usage}`)
  const chosen = args.length === 0 ? counted : counted.filter(({ name }) => args.includes(name))
  await bootstrap()
  const haveTestsPassed = await runWithCoverage(chosen)
  const measured = readSummary(await readFile(join(folder, 'coverage-summary.json'), 'utf8').catch(explainMissing), root)
  const text = table(measured)
  console.log(`\n${text}`)
  if (!haveTestsPassed) {
    console.log('✗ Tests failed, so these figures are not those of the suites. docs/coverage.md is unchanged.')
    return 1
  }
  if (chosen.length < counted.length) {
    console.log('Not all suites ran: floors were not checked, docs/coverage.md is unchanged.')
    return 0
  }
  await record(`${new Date().toISOString().slice(0, 10)}, suites: ${chosen.map(({ name }) => name).join(', ')}.\n\n${text}`)
  const findings = belowFloor(measured, floors)
  for (const finding of findings) console.log(`✗ ${finding}`)
  if (findings.length === 0) console.log('✓ every package is at or above its floor')
  return findings.length === 0 ? 0 : 1
}

/** One vitest process for all suites, so that vitest adds up what they cover. @returns {Promise<boolean>} whether all tests passed */
async function runWithCoverage(chosen) {
  await rm(folder, { recursive: true, force: true })
  // Type tests execute nothing.
  const projects = chosen.flatMap((suite) => suite.projects).filter((project) => project !== 'types')
  const args = [
    tool('vitest/vitest.mjs'),
    'run',
    ...projects.flatMap((project) => ['--project', project]),
    '--coverage.enabled',
    '--coverage.reportOnFailure',
  ]
  const { code, signal, overdue } = await run(process.execPath, args, { cwd: root, msMax: vitestMinutesMax * 60_000 })
  if (overdue) throw new Refusal(`vitest did not end within ${vitestMinutesMax} minutes and was stopped.`)
  if (signal !== null) throw new Refusal(`vitest was killed by ${signal}.`)
  return code === 0
}

/** vitest writes the summary also when tests fail, but not when it fails itself. */
function explainMissing(error) {
  if (error.code === 'ENOENT') throw new Refusal('vitest wrote no figures. See its messages above.')
  throw error
}

/**
 * Adds up vitest's summary by package.
 *
 * @param {string} text coverage-summary.json: totals by absolute path
 * @param {string} base the repository's folder
 * @returns {Map<string, Coverage>} in the order of the floors
 */
export function readSummary(text, base) {
  const sums = new Map()
  for (const [path, counts] of Object.entries(JSON.parse(text))) {
    const [packages, name] = relative(base, path).split(sep)
    if (packages !== 'packages') continue
    const sum = sums.get(name) ?? { lines: { covered: 0, total: 0 }, branches: { covered: 0, total: 0 } }
    for (const kind of ['lines', 'branches']) {
      sum[kind].covered += counts[kind].covered
      sum[kind].total += counts[kind].total
    }
    sums.set(name, sum)
  }
  const order = Object.keys(floors)
  return new Map(
    [...sums]
      .sort(([a], [b]) => order.indexOf(a) - order.indexOf(b))
      .map(([name, { lines, branches }]) => [name, { lines: percent(lines), branches: percent(branches) }]),
  )
}

const percent = ({ covered, total }) => (total === 0 ? 100 : (100 * covered) / total)

/**
 * @param {ReadonlyMap<string, Coverage>} measured
 * @param {Readonly<Record<string, Coverage>>} wanted
 * @returns {string[]} a message for each figure below its floor, and for each package without figure or floor
 */
export function belowFloor(measured, wanted) {
  const names = new Set([...Object.keys(wanted), ...measured.keys()])
  return [...names].flatMap((name) => {
    const [found, floor] = [measured.get(name), wanted[name]]
    if (found === undefined)
      return [`packages/${name} has a floor, but no code was found. Remove it from scripts/lib/coverage.mjs.`]
    if (floor === undefined) return [`packages/${name} has no floor. Add one to scripts/lib/coverage.mjs.`]
    return ['lines', 'branches']
      .filter((kind) => found[kind] < floor[kind])
      .map(
        (kind) =>
          `packages/${name}: ${format(found[kind])} of the ${kind} are covered, the floor is ${floor[kind]} %. Add tests.`,
      )
  })
}

const format = (/** @type {number} */ value) => `${value.toFixed(1)} %`

const table = (/** @type {ReadonlyMap<string, Coverage>} */ measured) =>
  [
    '| package | lines | branches | floor: lines | floor: branches |',
    '| --- | --- | --- | --- | --- |',
    ...[...measured].map(([name, { lines, branches }]) => {
      const floor = floors[name]
      return `| \`${name}\` | ${format(lines)} | ${format(branches)} | ${floor?.lines ?? '–'} % | ${floor?.branches ?? '–'} % |`
    }),
    '',
  ].join('\n')

/** Replaces the figures of docs/coverage.md. */
async function record(/** @type {string} */ figures) {
  const text = await readFile(document, 'utf8')
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from === -1 || to < from)
    throw new Refusal(`docs/coverage.md needs the lines "${begin}" and "${end}", between which the figures belong.`)
  await writeFile(document, `${text.slice(0, from + begin.length)}\n\n${figures}\n${text.slice(to)}`)
}
