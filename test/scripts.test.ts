import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { belowFloor, floors, readSummary } from '../scripts/lib/floors.mjs'
import { completeLock, missingEntries, platformOf } from '../scripts/lib/lock.mjs'
import { addCrash, formatCounts, none, readReport } from '../scripts/lib/suites.mjs'

const lockFile = readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8')

/** The lock file without the entries that `left` selects. */
function without(left: (path: string) => boolean): string {
  const lock = JSON.parse(lockFile)
  for (const path of Object.keys(lock.packages)) if (left(path)) delete lock.packages[path]
  return `${JSON.stringify(lock, undefined, 2)}\n`
}

describe('the lock file', () => {
  it('does not change if nothing is missing', () => {
    expect(completeLock(lockFile)).toEqual({ text: lockFile, added: [], unknown: [] })
  })

  it('gets back the platform packages that npm left out, in the versions that are asked for, where npm puts them', () => {
    const turbo = (path: string) => path.startsWith('node_modules/@turbo/') && !path.endsWith('linux-64')
    const { text, added, unknown } = completeLock(without(turbo))
    expect(unknown).toEqual([])
    expect(added.length).toBeGreaterThanOrEqual(5)
    const before = JSON.parse(lockFile).packages
    const after = JSON.parse(text).packages
    expect(Object.keys(after)).toEqual(Object.keys(before))
    for (const path of Object.keys(after)) {
      expect({ path, version: after[path].version }).toEqual({ path, version: before[path].version })
    }
    expect(missingEntries(after)).toEqual([])
  })

  it("reads a package's platform from its name, as npm records it", () => {
    const packages = JSON.parse(lockFile).packages as Record<
      string,
      { integrity?: string; cpu?: string[]; os?: string[]; libc?: string[] }
    >
    const recorded = Object.entries(packages).filter(
      // Only entries from a registry, which have a hash, contain the package's own platform data.
      ([path, { integrity, cpu }]) =>
        cpu !== undefined && integrity !== undefined && !/universal|node_modules\/@(turbo|biomejs)\//.test(path),
    )
    expect(recorded.length).toBeGreaterThan(40)
    for (const [path, { cpu, os, libc }] of recorded) {
      const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
      expect({ name, ...platformOf(name) }).toEqual({ name, cpu, ...(os && { os }), ...(libc && { libc }) })
    }
  })

  it('reports names without a platform', () => {
    const text = JSON.stringify({ packages: { 'node_modules/a': { optionalDependencies: { fsevents: '2.3.3' } } } })
    expect(completeLock(text)).toMatchObject({ added: [], unknown: ['fsevents'] })
  })
})

describe('the counts of a suite', () => {
  const report = (files: object[], counts: object = {}) =>
    JSON.stringify({ numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, testResults: files, ...counts })

  it('are those of the report', () => {
    const failed = { status: 'failed', fullName: 'a block is final', failureMessages: ['expected 3 to be 4'] }
    const files = [{ name: 'a.test.ts', status: 'failed', assertionResults: [{ status: 'passed' }, failed] }]
    expect(readReport(report(files, { numPassedTests: 4, numFailedTests: 1, numPendingTests: 2, numTodoTests: 1 }))).toEqual({
      passed: 4,
      failed: 1,
      skipped: 3,
      failures: ['a.test.ts > a block is final: expected 3 to be 4'],
    })
  })
  it('have a failure for a file that did not load', () => {
    const file = { name: 'a.test.ts', status: 'failed', assertionResults: [], message: 'no such module' }
    expect(readReport(report([file], { numPassedTests: 4 }))).toMatchObject({
      passed: 4,
      failed: 1,
      failures: ['a.test.ts did not load: no such module'],
    })
  })
  it('have a failure for a process that ended badly without a failed test', () => {
    const crash = (failure: string, counts: object) => ({ ...none, failed: 1, failures: [failure], ...counts })
    const clean = { code: 0, signal: null, overdue: false }
    expect(addCrash(readReport(undefined), { ...clean, code: 1 })).toEqual(crash('vitest failed with exit code 1', {}))
    expect(addCrash(none, { ...clean, code: null, signal: 'SIGKILL' })).toEqual(crash('vitest was killed by SIGKILL', {}))
    expect(addCrash({ ...none, passed: 3 }, { ...clean, overdue: true })).toEqual(
      crash('vitest did not end in time and was stopped', { passed: 3 }),
    )
    const failed = { ...none, passed: 3, failed: 2, failures: ['a', 'b'] }
    expect(addCrash(failed, { ...clean, code: 1 })).toEqual(failed)
    expect(addCrash({ ...none, passed: 3, skipped: 1 }, clean)).toEqual({ ...none, passed: 3, skipped: 1 })
  })
  it('are formatted for the last line', () => {
    expect(formatCounts({ ...none, passed: 12, skipped: 3 })).toBe('12 passed, 0 failed, 3 skipped')
  })
})

describe('coverage', () => {
  const counts = (covered: number, total: number) => ({ lines: { covered, total }, branches: { covered: 0, total: 0 } })

  it('is added up by package', () => {
    const summary = {
      total: counts(0, 9),
      '/q/packages/node/src/a.ts': counts(1, 2),
      '/q/packages/node/src/b/c.ts': counts(2, 2),
      '/q/packages/protocol/src/a.ts': counts(1, 1),
      '/q/scripts/a.ts': counts(0, 5),
    }
    expect([...readSummary(JSON.stringify(summary), '/q')]).toEqual([
      ['protocol', { lines: 100, branches: 100 }],
      ['node', { lines: 75, branches: 100 }],
    ])
  })

  it('has a floor for each package', () => {
    expect(Object.keys(floors).sort()).toEqual(readdirSync(new URL('../packages', import.meta.url)).sort())
  })

  it('fails below a floor, and without a figure or a floor', () => {
    const floor = { lines: 90, branches: 80 }
    expect(belowFloor(new Map([['node', floor]]), { node: floor })).toEqual([])
    const measured = new Map([
      ['node', { lines: 89.9, branches: 80 }],
      ['new', floor],
    ])
    expect(belowFloor(measured, { node: floor, gone: floor })).toEqual([
      'packages/node: 89.9 % of the lines are covered, the floor is 90 %. Add tests.',
      'packages/gone has a floor, but no code was found. Remove it from scripts/lib/floors.mjs.',
      'packages/new has no floor. Add one to scripts/lib/floors.mjs.',
    ])
  })
})
