import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

/** The tables of docs/dependencies.md: package, then dependency, then the other cells. */
const documented = new Map(
  read('docs/dependencies.md')
    .split(/^## /m)
    .slice(1)
    .map((section) => {
      const rows = [...section.matchAll(/^\| `([^`]+)` \|(.*)\|$/gm)]
      return [
        /^`(\w+)`/.exec(section)![1]!,
        rows.map(([, name, cells]) => [name!, ...cells!.split('|').map((cell) => cell.trim())]),
      ]
    }),
)

const packages = readdirSync(new URL('../packages', import.meta.url))

/** What npm installs with a package beside our own packages, in the order of the manifest. */
function installed(name: string): readonly (readonly [string, string])[] {
  const { dependencies, peerDependencies } = JSON.parse(read(`packages/${name}/package.json`)) as Manifest
  return Object.entries({ ...dependencies, ...peerDependencies }).filter(([dependency]) => !dependency.startsWith('@quoin/'))
}

describe('docs/dependencies.md', () => {
  it('has a section for each package that has dependencies, and for no other', () => {
    const wanted = packages.filter((name) => installed(name).length > 0)
    expect([...documented.keys()].sort()).toEqual(wanted.sort())
  })

  it.each(packages)('has the dependencies of %s with their versions, each once', (name) => {
    expect((documented.get(name) ?? []).map(([dependency, version]) => [dependency, version])).toEqual(installed(name))
  })

  it.each([...documented])('says of %s where each is imported, and fills every cell', (name, rows) => {
    for (const [dependency, ...cells] of rows) {
      expect(cells, dependency).toHaveLength(6)
      for (const cell of cells) expect(cell, dependency).not.toBe('')
      const files = [...cells[1]!.matchAll(/`([^`]+)`/g)].map(([, file]) => file!)
      expect(files.length, dependency).toBeGreaterThan(0)
      for (const file of files) expect(read(`packages/${name}/${file}`), `${dependency} in ${file}`).toMatch(`'${dependency}`)
    }
  })
})
