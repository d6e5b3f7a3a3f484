import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

const DEVELOPMENT = ', for build and tests'

/** The tables of docs/dependencies.md: heading, then dependency, then the other cells. */
const documented = new Map(
  read('docs/dependencies.md')
    .split(/^## /m)
    .slice(1)
    .map((section) => {
      const rows = [...section.matchAll(/^\| `([^`]+)` \|(.*)\|$/gm)]
      return [section.split('\n', 1)[0]!, rows.map(([, name, cells]) => [name!, ...cells!.split('|').map((cell) => cell.trim())])]
    }),
)

const packages = readdirSync(new URL('../packages', import.meta.url))

/** The wanted tables: heading, then dependencies and versions in the order of the manifest, without our own packages. */
const wanted = new Map(
  packages.flatMap((name) => {
    const { dependencies, peerDependencies, devDependencies } = JSON.parse(read(`packages/${name}/package.json`)) as Manifest
    const others = (list: Manifest['dependencies']) =>
      Object.entries({ ...list }).filter(([dependency]) => !dependency.startsWith('@quoin/'))
    return [
      [`\`${name}\``, others({ ...dependencies, ...peerDependencies })] as const,
      [`\`${name}\`${DEVELOPMENT}`, others(devDependencies)] as const,
    ].filter(([, list]) => list.length > 0)
  }),
)

describe('docs/dependencies.md', () => {
  it('has a section for each package that has dependencies, and for no other', () => {
    expect([...documented.keys()].sort()).toEqual([...wanted.keys()].sort())
  })

  it.each([...wanted])('has under %s the dependencies with their versions, each once', (heading, list) => {
    expect((documented.get(heading) ?? []).map(([dependency, version]) => [dependency, version])).toEqual(list)
  })

  it.each([...documented])('says under %s where each is imported, and fills every cell', (heading, rows) => {
    const name = /^`(\w+)`/.exec(heading)![1]!
    for (const [dependency, ...cells] of rows) {
      expect(cells, dependency).toHaveLength(6)
      for (const cell of cells) expect(cell, dependency).not.toBe('')
      const files = [...cells[1]!.matchAll(/`([^`]+)`/g)].map(([, file]) => file!)
      expect(files.length, dependency).toBeGreaterThan(0)
      for (const file of files) expect(read(`packages/${name}/${file}`), `${dependency} in ${file}`).toMatch(`'${dependency}`)
    }
  })
})
