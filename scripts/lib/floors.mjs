import { join, relative, sep } from 'node:path'
import { root } from './paths.mjs'

/** Folder into which vitest writes its figures, as vitest.config.ts says. */
export const coverageFolder = join(root, 'coverage')
export const coverageSummary = join(coverageFolder, 'coverage-summary.json')

/** @typedef {{ lines: number, branches: number }} Coverage percent */

/**
 * The lowest coverage of each package by the suite `unit`, in percent: `npm test` fails below it. Raise a floor when the figure is more than three
 * points above it. Random tests take other branches at each run, so a floor is a little below the figure.
 *
 * @type {Readonly<Record<string, Coverage>>}
 */
export const floors = {
  protocol: { lines: 97, branches: 95 },
  consensus: { lines: 97, branches: 95 },
  execution: { lines: 96, branches: 91 },
  platform: { lines: 94, branches: 78 },
  // The standards run in the interpreter, which does not count here.
  contracts: { lines: 50, branches: 48 },
  node: { lines: 83, branches: 77 },
  validator: { lines: 100, branches: 100 },
  // The commands of permissions are run by the suite `e2e`.
  cli: { lines: 48, branches: 48 },
  // Sends and streams are run by the suite `sdk`, against real nodes, which does not count here.
  sdk: { lines: 53, branches: 50 },
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
      return [`packages/${name} has a floor, but no code was found. Remove it from scripts/lib/floors.mjs.`]
    if (floor === undefined) return [`packages/${name} has no floor. Add one to scripts/lib/floors.mjs.`]
    return ['lines', 'branches']
      .filter((kind) => found[kind] < floor[kind])
      .map(
        (kind) =>
          `packages/${name}: ${formatPercent(found[kind])} of the ${kind} are covered, the floor is ${floor[kind]} %. Add tests.`,
      )
  })
}

export const formatPercent = (/** @type {number} */ value) => `${value.toFixed(1)} %`
