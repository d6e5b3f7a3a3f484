import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type LockEntry, type LockPackages, projectLock } from './lock.ts'

const root = join(dirname(createRequire(import.meta.url).resolve('@quoin/cli/package.json')), '..', '..')
const json = (file: string) => JSON.parse(readFileSync(join(root, file), 'utf8'))
const repository = json('package-lock.json').packages as LockPackages
const template = json('packages/contracts/template/package.json')
const NAMES = ['protocol', 'consensus', 'execution', 'platform', 'contracts', 'node', 'cli', 'validator']
const tarballs = NAMES.map((name) => ({ name: `@quoin/${name}`, file: `vendor/${name}.tgz`, integrity: `sha512-${name}` }))
const installed = tarballs.filter(({ name }) => name !== '@quoin/validator')
const ours = Object.fromEntries(installed.map(({ name, file }) => [name, `file:${file}`]))
const manifest = { ...template, devDependencies: { ...template.devDependencies, ...ours } }

/** Finds a package as Node.js does. */
function resolve(packages: LockPackages, from: string, name: string): string | undefined {
  const folders =
    from === '' ? [''] : from.split('/node_modules/').map((_, i, all) => all.slice(0, all.length - i).join('/node_modules/'))
  return [...folders.filter((folder) => folder !== ''), '']
    .map((folder) => (folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`))
    .find((path) => packages[path] !== undefined)
}

describe('the lock file of a project', () => {
  const { packages } = projectLock(repository, manifest, tarballs)

  it('contains exactly the packages that are needed', () => {
    const needed = new Set([''])
    for (const [path, entry] of Object.entries(packages)) {
      const { dependencies, devDependencies, optionalDependencies, peerDependencies = {}, peerDependenciesMeta = {} } = entry
      const peers = Object.keys(peerDependencies).filter((name) => peerDependenciesMeta[name]?.optional !== true)
      for (const name of [...peers, ...Object.keys({ ...dependencies, ...optionalDependencies, ...devDependencies })]) {
        const found = resolve(packages, path, name)
        if (found !== undefined) needed.add(found)
        else expect(optionalDependencies?.[name], `${path} needs ${name}`).toBeTruthy()
      }
    }
    expect(Object.keys(packages).filter((path) => !needed.has(path))).toEqual([])
  })

  it("has none of the repository's own tools, which are optional peers of its packages", () => {
    // vitest and vite take these if they are there.
    for (const name of ['@vitest/coverage-v8', 'jiti', 'yaml']) {
      expect(repository[`node_modules/${name}`], name).toBeDefined()
      expect(packages[`node_modules/${name}`], name).toBeUndefined()
    }
  })

  it("has the repository's versions and hashes", () => {
    for (const [path, { version, integrity }] of Object.entries(packages)) {
      if (path === '' || path.startsWith('node_modules/@quoin/')) continue
      expect({ version, integrity }, path).toEqual({ version: repository[path]?.version, integrity: repository[path]?.integrity })
    }
    expect(packages['node_modules/@quoin/cli']).toMatchObject({ resolved: 'file:vendor/cli.tgz', integrity: 'sha512-cli' })
  })

  it('marks only packages for one platform as optional', () => {
    const optional = Object.values(packages).filter((entry) => entry.optional === true)
    expect(optional.length).toBeGreaterThan(10)
    expect(packages['node_modules/esbuild']!.optional).toBeUndefined()
    expect(Object.values(packages).some((entry: LockEntry) => entry.dev === true || entry.devOptional === true)).toBe(false)
  })

  it('has nothing that only validators or applications need', () => {
    for (const name of ['libp2p', 'classic-level', 'pino', 'viem', 'ox', '@quoin/validator'])
      expect(packages[`node_modules/${name}`], name).toBeUndefined()
  })

  it('refuses a template that needs a package which the repository does not have', () => {
    const wanting = { ...manifest, devDependencies: { ...manifest.devDependencies, 'left-pad': '1.0.0' } }
    expect(() => projectLock(repository, wanting, tarballs)).toThrow('my-dapp needs left-pad')
  })
})

it("the template's tools have the repository's versions", () => {
  for (const [name, version] of Object.entries(template.devDependencies))
    expect(repository[`node_modules/${name}`]?.version, name).toBe(version)
})
