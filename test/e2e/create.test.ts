import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createProject } from '../../packages/cli/src/create/create.ts'
import type { LockEntry, LockPackages } from '../../packages/cli/src/create/lock.ts'
import { environment } from './npm.ts'
import { Program, ROOT, run } from './program.ts'

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
  readonly overrides: Readonly<Record<string, string>>
  readonly resolutions: Readonly<Record<string, string>>
}

const json = async <T>(...path: readonly string[]): Promise<T> => JSON.parse(await readFile(join(...path), 'utf8')) as T

/** By template: the packages of ours that its projects install. */
const TEMPLATES = { contract: 7, dapp: 8 } as const

let parent: string
let registry: Server
/** Paths that a client has asked the registry for. */
const asked: string[] = []

beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'quoin-create-'))
  registry = await startRegistry((await json<{ readonly packages: LockPackages }>(ROOT, 'package-lock.json')).packages)
})
afterAll(async () => {
  registry.close()
  registry.closeAllConnections()
  await rm(parent, { recursive: true })
})

/** A registry with exactly the versions of a lock file. It has no tarballs. */
async function startRegistry(packages: LockPackages): Promise<Server> {
  const versions = new Map<string, Record<string, LockEntry>>()
  for (const [path, entry] of Object.entries(packages)) {
    if (!path.includes('node_modules/') || entry.link === true) continue
    const name = entry.name ?? path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
    versions.set(name, { ...versions.get(name), [entry.version!]: entry })
  }
  const server = createServer((request, response) => {
    const name = decodeURIComponent(request.url!.slice(1))
    asked.push(name)
    const found = versions.get(name)
    response.setHeader('content-type', 'application/json')
    if (found === undefined) return response.writeHead(404).end('{}')
    const manifests = Object.entries(found).map(([version, { integrity, ...entry }]) => {
      const dist = { tarball: `http://127.0.0.1/${name}-${version}.tgz`, integrity }
      return [version, { ...entry, name, version, dist }]
    })
    const latest = Object.keys(found).at(-1)
    return response.end(JSON.stringify({ name, 'dist-tags': { latest }, versions: Object.fromEntries(manifests) }))
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return server
}

describe.each(Object.entries(TEMPLATES) as [keyof typeof TEMPLATES, number][])('a created project: %s', (template, count) => {
  let project: string
  let manifest: Manifest

  beforeAll(async () => {
    project = await createProject(join(parent, `my ${template}`), template)
    manifest = await json<Manifest>(project, 'package.json')
  })

  it('takes every package of ours from its folder, with npm, pnpm and Yarn', async () => {
    const ours = Object.entries(manifest.devDependencies).filter(([name]) => name.startsWith('@quoin/'))
    expect(ours.length).toBe(count)
    const pnpm = await readFile(join(project, 'pnpm-workspace.yaml'), 'utf8')
    expect(pnpm).toContain('\npackages:\n  - .\n')
    for (const [name, spec] of [...ours, ['p-retry', manifest.overrides['p-retry']!] as const]) {
      expect(manifest.resolutions[name]).toBe(spec)
      expect(pnpm).toContain(`\n  "${name}": "${spec}"\n`)
      expect(manifest.overrides[name]).toBe(name.startsWith('@quoin/') ? `$${name}` : spec)
    }
    // A package that a later version adds is not in these lists: no registry may be asked for it either.
    expect(await readFile(join(project, '.npmrc'), 'utf8')).toMatch(/^@quoin:registry=https:\/\/\S+\.invalid\/$/m)
    expect(await readFile(join(project, '.yarnrc.yml'), 'utf8')).toMatch(
      /^ {2}quoin:\n {4}npmRegistryServer: "https:\/\/\S+\.invalid"$/m,
    )
  })

  it('makes npm ask no registry for them, also without a lock file', async () => {
    await rm(join(project, 'package-lock.json'))
    await rm(join(project, '.npmrc'))
    const url = `http://127.0.0.1:${(registry.address() as AddressInfo).port}/`
    const env = { ...environment, npm_config_offline: 'false', npm_config_registry: url, npm_config_cache: join(parent, 'cache') }
    asked.length = 0
    const { code, output } = await run(
      new Program('npm', ['install', '--package-lock-only', '--ignore-scripts'], { cwd: project, env }),
    )
    expect(code, output).toBe(0)
    expect(output).not.toContain('EBADENGINE')
    expect(asked).toContain('esbuild')
    expect(asked.filter((name) => name.startsWith('@quoin'))).toEqual([])
    const { packages } = await json<{ readonly packages: LockPackages }>(project, 'package-lock.json')
    // npm asks about optional peers and installs none.
    expect(packages['node_modules/libp2p']).toBeUndefined()
    const ours = Object.keys(packages).filter((path) => path.includes('node_modules/@quoin/'))
    expect(ours.map((path) => packages[path]!.resolved?.startsWith('file:vendor/'))).toEqual(Array(count).fill(true))
  })
})
