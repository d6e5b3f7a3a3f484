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
const TEMPLATES = ['packages/contracts/template', 'packages/sdk/template']

const manifestOf = (name: string) => JSON.parse(read(`packages/${name}/package.json`)) as Manifest

/** The wanted tables: heading, then dependencies and versions in the order of the manifest, without our own packages. */
const wanted = new Map(
  packages.flatMap((name) => {
    const { dependencies, peerDependencies, devDependencies } = manifestOf(name)
    const others = (list: Manifest['dependencies']) =>
      Object.entries({ ...list }).filter(([dependency]) => !dependency.startsWith('@quoin/'))
    const peers = name === 'node' ? {} : peerDependencies
    return [
      [`\`${name}\``, others({ ...dependencies, ...peers })] as const,
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

it('@quoin/validator installs exactly the optional peers of @quoin/node, in the same versions', () => {
  const { '@quoin/node': _, ...installed } = manifestOf('validator').dependencies!
  expect(installed).toEqual(manifestOf('node').peerDependencies)
})

describe('Node.js', () => {
  const oldest = JSON.parse(read('package.json')).engines.node as string
  const [, major, minor] = /^>=(\d+)\.(\d+)$/.exec(oldest)!.map(Number) as [number, number, number]
  /** Whether a range of `engines` allows the oldest Node.js. npm warns about each package whose range does not. */
  const allows = (range: string): boolean =>
    range.split('||').some((alternative) => {
      const match = /^(>=|\^)?(?:\*|(\d+)(?:\.(\d+|\*|x))?(?:\.(?:\d+|\*|x))?)$/.exec(alternative.replaceAll(' ', ''))
      if (match === null) throw new Error(`this test cannot read the range ${range}`)
      const [, operator, from, fromMinor] = match
      if (from === undefined) return true
      const isLater = Number(from) > major || (Number(from) === major && Number.parseInt(fromMinor ?? '', 10) > minor)
      return !isLater && (operator === '>=' || Number(from) === major)
    })

  it('has one oldest version in every manifest', () => {
    const manifests = ['tools', 'bench', ...TEMPLATES, ...packages.map((name) => `packages/${name}`)]
    for (const path of manifests) expect(JSON.parse(read(`${path}/package.json`)).engines.node, path).toBe(oldest)
  })

  it.each(['.', 'tools', 'bench'])('of that version can run every package that is installed in %s', (folder) => {
    const lock = JSON.parse(read(`${folder}/package-lock.json`)) as {
      readonly packages: Readonly<Record<string, { readonly engines?: { readonly node?: string } }>>
    }
    const ranges = Object.entries(lock.packages).flatMap(([path, { engines }]) =>
      engines?.node === undefined ? [] : [[path, engines.node] as const],
    )
    expect(ranges.length).toBeGreaterThan(5)
    expect(ranges.filter(([, range]) => !allows(range))).toEqual([])
  })

  it.each(TEMPLATES)(
    'is not what a project made of %s is warned about: it replaces the same packages as the repository',
    (path) => {
      expect(JSON.parse(read(`${path}/package.json`)).overrides).toEqual(JSON.parse(read('package.json')).overrides)
    },
  )
})
