import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { bootstrap } from './bootstrap.mjs'
import { run } from './child.mjs'
import { coverageFolder, coverageSummary, floors, formatPercent, readSummary } from './floors.mjs'
import { root, tool } from './paths.mjs'
import { Refusal } from './steps.mjs'
import { suites } from './suites.mjs'

/** The other suites run child processes and measure them from outside: vitest does not see which of their code runs. */
const uncounted = ['e2e', 'pressure']
const counted = suites.filter(({ name }) => !uncounted.includes(name))

/** Minutes after which vitest counts as hanging. The suites are slower here than in `npm test`. */
const vitestMinutesMax = 120

const document = join(root, 'docs', 'coverage.md')
const [begin, end] = ['<!-- figures: begin -->', '<!-- figures: end -->']

const usage = `npm run coverage [-- suite ...]

Runs suites and counts which lines and branches of each package they execute.
Suites: ${counted.map(({ name }) => name).join(', ')}. All of them (default): writes docs/coverage.md.
npm test holds the floors of the suite unit.`

/** @typedef {import('./floors.mjs').Coverage} Coverage */

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
  const text = table(readSummary(await readFile(coverageSummary, 'utf8').catch(explainMissing), root))
  console.log(`\n${text}`)
  if (!haveTestsPassed) {
    console.log('✗ Tests failed, so these figures are not those of the suites. docs/coverage.md is unchanged.')
    return 1
  }
  if (chosen.length < counted.length) console.log('Not all suites ran: docs/coverage.md is unchanged.')
  else await record(`${new Date().toISOString().slice(0, 10)}, suites: ${chosen.map(({ name }) => name).join(', ')}.\n\n${text}`)
  return 0
}

/** One vitest process for all suites, so that vitest adds up what they cover. @returns {Promise<boolean>} whether all tests passed */
async function runWithCoverage(chosen) {
  await rm(coverageFolder, { recursive: true, force: true })
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

const table = (/** @type {ReadonlyMap<string, Coverage>} */ measured) =>
  [
    '| package | lines | branches | floor of `unit`: lines | branches |',
    '| --- | --- | --- | --- | --- |',
    ...[...measured].map(([name, { lines, branches }]) => {
      const floor = floors[name]
      return `| \`${name}\` | ${formatPercent(lines)} | ${formatPercent(branches)} | ${floor?.lines ?? '–'} % | ${floor?.branches ?? '–'} % |`
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
