import { existsSync } from 'node:fs'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { run } from './child.mjs'
import { belowFloor, coverageSummary, floors, readSummary } from './floors.mjs'
import { cacheFolder, root, tool } from './paths.mjs'
import { formatDuration } from './steps.mjs'

/** Budget for installing and building together: wall time in minutes. */
export const bootstrapMinutesMax = 3

/**
 * The suites of `npm test`, in order; each runs in its own vitest process. `projects` are names in vitest.config.ts. A suite without any of its
 * `folders` has no tests yet. `minutesMax` is wall time. `hasFloors`: the suite runs with coverage, and each figure below its floor is a failure.
 */
export const suites = [
  { name: 'unit', projects: ['unit', 'types'], folders: ['packages'], minutesMax: 14, hasFloors: true },
  {
    name: 'conformance',
    projects: ['conformance', 'standards'],
    folders: ['test/conformance', 'test/byzantine', 'test/standards'],
    minutesMax: 5,
  },
  { name: 'sim', projects: ['sim'], folders: ['test/sim'], minutesMax: 9 },
  { name: 'e2e', projects: ['e2e'], folders: ['test/e2e'], minutesMax: 35 },
  { name: 'clients', projects: ['clients'], folders: ['test/clients'], minutesMax: 3 },
  { name: 'sdk', projects: ['sdk'], folders: ['test/sdk'], minutesMax: 14 },
  { name: 'examples', projects: ['examples'], folders: ['examples'], minutesMax: 5 },
  { name: 'pressure', projects: ['pressure'], folders: ['test/pressure'], minutesMax: 6 },
  { name: 'fuzz', projects: ['fuzz'], folders: ['test/fuzz'], minutesMax: 3 },
]

/** A suite that takes this many times its budget hangs and is stopped. With --long there is no budget, only a limit. */
const hangingFactor = 2
const longMinutesMax = 120

/**
 * Test counts, and what failed: the last lines of a long log must name it. A crash, a file that does not load, and an exceeded budget each count
 * as one failure.
 *
 * @type {{ passed: number, failed: number, skipped: number, failures: readonly string[] }}
 */
export const none = { passed: 0, failed: 0, skipped: 0, failures: [] }

/** @param {typeof none} a @param {typeof none} b */
export const add = (a, b) => ({
  passed: a.passed + b.passed,
  failed: a.failed + b.failed,
  skipped: a.skipped + b.skipped,
  failures: [...a.failures, ...b.failures],
})

/** @param {string} what @returns {typeof none} one failure that is no failed test, printed at once */
export function failure(what) {
  console.log(`✗ ${what}`)
  return { ...none, failed: 1, failures: [what] }
}

/**
 * Runs one suite and prints its result line.
 *
 * @param {(typeof suites)[number]} suite
 * @param {{ long: boolean }} options
 * @returns {Promise<typeof none>}
 */
export async function runSuite({ name, projects, folders, minutesMax, hasFloors = false }, { long }) {
  if (!folders.some((folder) => existsSync(join(root, folder)))) return noTests(name)
  console.log(`\n▸ ${name} …`)
  const report = join(cacheFolder, `tests-${name}-${process.pid}.json`)
  await mkdir(cacheFolder, { recursive: true })
  const args = [
    tool('vitest/vitest.mjs'),
    'run',
    ...projects.flatMap((project) => ['--project', project]),
    '--passWithNoTests',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...(hasFloors ? ['--coverage.enabled'] : []),
  ]
  const started = performance.now()
  try {
    const result = await run(process.execPath, args, {
      cwd: root,
      env: long ? { QUOIN_TEST_LONG: '1' } : {},
      msMax: (long ? longMinutesMax : minutesMax * hangingFactor) * 60_000,
    })
    const ms = performance.now() - started
    const counts = addCrash(readReport(await readFile(report, 'utf8').catch(missing)), result)
    const concluded = conclude(name, counts, ms, long ? undefined : minutesMax, result)
    return hasFloors && concluded.failed === 0 ? add(concluded, await holdFloors()) : concluded
  } finally {
    await rm(report, { force: true })
  }
}

/** Counts one failure and prints a line for each figure of coverage below its floor. vitest writes the figures after a run without failures. */
async function holdFloors() {
  const findings = belowFloor(readSummary(await readFile(coverageSummary, 'utf8'), root), floors)
  return findings.map(failure).reduce(add, none)
}

/** A missing report is expected only if the suite crashed; its exit code tells that. */
function missing(error) {
  if (error.code === 'ENOENT') return undefined
  throw error
}

/** @returns {typeof none} counts of vitest's JSON report; a file that failed without a failed test did not load and counts as a failure */
export function readReport(text) {
  if (text === undefined) return none
  const report = JSON.parse(text)
  const broken = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  )
  const tests = report.testResults.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status === 'failed')
      .map(({ fullName, failureMessages = [] }) => `${shortPath(name)} > ${fullName}${reason(failureMessages[0])}`),
  )
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + broken.length,
    skipped: report.numPendingTests + report.numTodoTests,
    failures: [...tests, ...broken.map(({ name, message }) => `${shortPath(name)} did not load${reason(message)}`)],
  }
}

const shortPath = (path) => (path.startsWith(root) ? relative(root, path) : path)

/** Enough of a failure's message to know it again. */
const reason = (message = '') => (message === '' ? '' : `: ${message.slice(0, 600)}`)

/** A process that failed without a failed test (a crash, an unhandled error, or stopped) counts as one failure. */
export function addCrash(counts, result) {
  const crash = crashOf(result)
  return crash === undefined || counts.failed > 0 ? counts : add(counts, { ...none, failed: 1, failures: [crash] })
}

function crashOf({ code, signal, overdue }) {
  if (overdue) return 'vitest did not end in time and was stopped'
  if (code === null) return `vitest was killed by ${signal}`
  return code === 0 ? undefined : `vitest failed with exit code ${code}`
}

function conclude(name, counts, ms, minutesMax, result) {
  const ran = counts.passed + counts.failed + counts.skipped
  if (ran === 0) return noTests(name)
  const budget = minutesMax === undefined ? 'no budget with --long' : `budget ${minutesMax} min`
  const mark = counts.failed === 0 ? '✓' : '✗'
  console.log(`${mark} ${name}: ${formatCounts(counts)} in ${formatDuration(ms)} (${budget})`)
  const crash = crashOf(result)
  if (crash !== undefined) console.log(`✗ ${name}: ${crash}`)
  return add(counts, overBudget(name, ms, minutesMax))
}

function noTests(name) {
  console.log(`– ${name}: no test files yet`)
  return none
}

/** Counts one failure and prints a line if `ms` exceeds the budget. */
export function overBudget(name, ms, minutesMax) {
  if (minutesMax === undefined || ms <= minutesMax * 60_000) return none
  return failure(`${name}: over budget: took ${formatDuration(ms)}, the budget is ${minutesMax} min`)
}

export const formatCounts = ({ passed, failed, skipped }) => `${passed} passed, ${failed} failed, ${skipped} skipped`
