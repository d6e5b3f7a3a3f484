import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type LockEntry, type LockPackages, projectLock } from './lock.ts'

const root = join(dirname(createRequire(import.meta.url).resolve('@quoin/cli/package.json')), '..', '..')
const json = (file: string) => JSON.parse(readFileSync(join(root, file), 'utf8'))
const repository = json('package-lock.json').packages as LockPackages
const NAMES = ['protocol', 'consensus', 'execution', 'platform', 'contracts', 'node', 'cli', 'validator', 'sdk']
const tarballs = NAMES.map((name) => ({ name: `@quoin/${name}`, file: `vendor/${name}.tgz`, integrity: `sha512-${name}` }))

/** The manifest of a project, from the template in a package, without the packages that it does not install. */
function manifestOf(folder: string, without: readonly string[]) {
  const template = json(`packages/${folder}/template/package.json`)
  const installed = tarballs.filter(({ name }) => !without.includes(name))
  const ours = Object.fromEntries(installed.map(({ name, file }) => [name, `file:${file}`]))
  return { ...template, devDependencies: { ...template.devDependencies, ...ours } }
}
const manifest = manifestOf('contracts', ['@quoin/validator', '@quoin/sdk'])
const TEMPLATES = { contract: manifest, dapp: manifestOf('sdk', ['@quoin/validator']) }

/** Finds a package as Node.js does. */
function resolve(packages: LockPackages, from: string, name: string): string | undefined {
  const folders =
    from === '' ? [''] : from.split('/node_modules/').map((_, i, all) => all.slice(0, all.length - i).join('/node_modules/'))
  return [...folders.filter((folder) => folder !== ''), '']
    .map((folder) => (folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`))
    .find((path) => packages[path] !== undefined)
}

describe.each(Object.entries(TEMPLATES))('the lock file of a project: %s', (_name, manifest) => {
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

  it('has nothing that only validators need', () => {
    for (const name of ['libp2p', 'classic-level', 'pino', '@quoin/validator'])
      expect(packages[`node_modules/${name}`], name).toBeUndefined()
  })

  it('refuses a template that needs a package which the repository does not have', () => {
    const wanting = { ...manifest, devDependencies: { ...manifest.devDependencies, 'left-pad': '1.0.0' } }
    expect(() => projectLock(repository, wanting, tarballs)).toThrow('my-dapp needs left-pad')
  })
})

it('only a page needs what applications need', () => {
  const pathsOf = (project: typeof manifest) => Object.keys(projectLock(repository, project, tarballs).packages)
  for (const name of ['viem', 'react', 'wagmi', '@quoin/sdk', '@vitejs/plugin-react']) {
    expect(pathsOf(TEMPLATES.contract), name).not.toContain(`node_modules/${name}`)
    expect(pathsOf(TEMPLATES.dapp), name).toContain(`node_modules/${name}`)
  }
})

it.each(['contracts', 'sdk'])("the packages of the template in %s have the repository's versions", (folder) => {
  const { dependencies, devDependencies } = json(`packages/${folder}/template/package.json`)
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies }))
    expect(repository[`node_modules/${name}`]?.version, name).toBe(version)
})
