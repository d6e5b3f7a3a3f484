import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createProject } from '../../packages/cli/src/create/create.ts'
import { type LockPackages, projectLock, type Tarball } from '../../packages/cli/src/create/lock.ts'
import { packTarballs } from '../../packages/cli/src/create/tarballs.ts'
import { EXIT_CODE } from '../../packages/node/src/validator/exit-code.ts'
import { attempt, environment } from './npm.ts'
import { Program, ROOT, run } from './program.ts'

/**
 * Entry points that need an optional peer, so that a package alone does not have them. The tutorial's test uses the first with its peer, a created
 * DApp the last, and @quoin/validator the others.
 */
const NEED_A_PEER = new Set([
  ...['@quoin/contracts/testing/matchers', '@quoin/node/validator', '@quoin/node/directory', '@quoin/sdk/react'],
])

/** Entry points that are imported for their effect and export nothing. */
const ONLY_EFFECTS = new Set(['@quoin/platform/v8-flags'])

interface Manifest {
  readonly name: string
  readonly version: string
  readonly exports: Readonly<Record<string, { readonly default: string }>>
}

const json = async <T>(...path: readonly string[]): Promise<T> => JSON.parse(await readFile(join(...path), 'utf8')) as T

/** What a created project may take with all that it installs: the files, each rounded up to blocks of 4 KiB. */
const PROJECT_BYTES_MAX = 150_000_000
const BLOCK_BYTES = 4096

/** Most packages that a validator may install: ours, those of libp2p (90), and binaries of its platform included. */
const VALIDATOR_PACKAGES_MAX = 135

let parent: string
let tarballs: readonly Tarball[]
let repository: LockPackages
let names: readonly string[]
/** As a created project has them: see docs/dependencies.md. */
let overrides: Readonly<Record<string, string>>

beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'quoin-packages-'))
  names = await readdir(join(ROOT, 'packages'))
  repository = (await json<{ readonly packages: LockPackages }>(ROOT, 'package-lock.json')).packages
  overrides = (await json<{ readonly overrides: typeof overrides }>(ROOT, 'package.json')).overrides
  await mkdir(join(parent, 'vendor'))
  tarballs = (await packTarballs(parent, 'vendor', ['@quoin/sdk'])).map((tarball) => ({ ...tarball, file: `../${tarball.file}` }))
})
afterAll(() => rm(parent, { recursive: true, force: true }))

/** Installs one package into an empty project: its own and all other @quoin packages come from the tarballs. */
async function install(name: string): Promise<{ readonly project: string; readonly manifest: Manifest }> {
  const manifest = await json<Manifest>(ROOT, 'packages', name, 'package.json')
  const project = join(parent, name)
  await mkdir(project)
  const { file } = tarballs.find((tarball) => tarball.name === manifest.name)!
  const user = {
    name: `user-of-${name}`,
    version: '1.0.0',
    type: 'module',
    dependencies: { [manifest.name]: `file:${file}` },
    // The declarations of what runs on Node.js name its types.
    devDependencies: { '@types/node': repository['node_modules/@types/node']!.version! },
    overrides,
  }
  await writeFile(join(project, 'package.json'), JSON.stringify(user))
  await writeFile(join(project, 'package-lock.json'), JSON.stringify(projectLock(repository, user, tarballs)))
  const { code, output } = await attempt('npm', ['ci', '--ignore-scripts'], project)
  expect(code, output).toBe(0)
  return { project, manifest }
}

/** Entry points by use: programs import some, and contracts, which do not run on Node.js, import the others. */
function entriesOf({ name, exports }: Manifest): { readonly programs: readonly string[]; readonly contracts: readonly string[] } {
  const paths = Object.keys(exports).filter((path) => path !== './package.json' && !NEED_A_PEER.has(join(name, path)))
  const isOfContracts = (path: string): boolean => /^\.\/dist\/(kit|standards)\//.test(exports[path]!.default)
  return {
    programs: paths.filter((path) => !isOfContracts(path)).map((path) => join(name, path)),
    contracts: paths.filter(isOfContracts).map((path) => join(name, path)),
  }
}

const importsOf = (entries: readonly string[]): string =>
  entries.map((entry, i) => `import * as entry${i} from '${entry}'\n`).join('')

async function expectTypes(project: string, module: string, moduleResolution: string): Promise<void> {
  const compilerOptions = {
    ...{ target: 'es2023', lib: ['es2023'], types: ['node'], module, moduleResolution },
    ...{ strict: true, noEmit: true, skipLibCheck: true },
  }
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['index.ts'] }))
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
  const { code, output } = await run(new Program(process.execPath, [tsc, '--project', project], { env: environment }))
  expect({ moduleResolution, code, output }).toEqual({ moduleResolution, code: 0, output: '' })
}

/** Runs a script in a project, and resolves to the JSON that it prints. */
async function evaluate(project: string, script: string): Promise<unknown> {
  const args = ['--no-warnings', '--input-type=module', '--eval', script]
  const { code, output } = await run(new Program(process.execPath, args, { cwd: project, env: environment }))
  expect(code, output).toBe(0)
  return JSON.parse(output)
}

/** Builds a contract that imports these entry points, with the package's own build. */
async function expectBuild(project: string, entries: readonly string[]): Promise<void> {
  const source = `${importsOf(entries)}
    import { contract } from '@quoin/contracts'
    const abi = ['function imported() pure returns (uint256)'] as const
    export default contract({ abi, functions: { imported: () => BigInt([${entries.map((_, i) => `entry${i}`)}].length) } })`
  await mkdir(join(project, 'contracts'))
  await writeFile(join(project, 'contracts', 'all.ts'), source)
  const script = `
    const { build, formatDiagnostics } = await import('@quoin/contracts/build')
    const built = await build({ project: '.', entries: ['contracts/all.ts'], typeCheck: false })
    console.log(JSON.stringify(built.ok ? built.value.map(({ name }) => name) : formatDiagnostics(built.error)))`
  expect(await evaluate(project, script)).toEqual(['all'])
}

/** Size of a folder on a disk with blocks of 4 KiB, and the npm packages in it. */
async function sizeOf(folder: string): Promise<{ readonly bytes: number; readonly packages: number }> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true })
  const files = entries.filter((entry) => entry.isFile())
  const sizes = await Promise.all(files.map(async ({ parentPath, name }) => (await stat(join(parentPath, name))).size))
  return {
    bytes: sizes.reduce((sum, size) => sum + Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES, 0),
    packages: files.filter(({ parentPath, name }) => name === 'package.json' && PACKAGE_FOLDER.test(parentPath)).length,
  }
}

const PACKAGE_FOLDER = /\/node_modules\/(@[^/]+\/)?[^/]+$/

describe('a created project', () => {
  it('is at most 150 MB with all that it installs', async () => {
    const project = await createProject(join(parent, 'created'))
    const { code, output } = await attempt('npm', ['ci', '--ignore-scripts'], project)
    expect(code, output).toBe(0)
    const size = await sizeOf(project)
    expect(size.bytes).toBeLessThanOrEqual(PROJECT_BYTES_MAX)
    expect(size.packages).toBeLessThanOrEqual(100)
  })
})

describe('a package, installed alone from its tarball', () => {
  it.each(['protocol', 'consensus', 'execution', 'platform', 'contracts', 'node', 'validator', 'cli', 'sdk'])(
    '%s',
    async (name) => {
      const { project, manifest } = await install(name)
      const { programs, contracts } = entriesOf(manifest)
      const entries = [...programs, ...contracts]
      expect(entries.length).toBeGreaterThan(0)
      // A module that is not found or that has no types is an error.
      const uses = `export const all: readonly object[] = [${entries.map((_, i) => `entry${i}`).join(', ')}]\n`
      await writeFile(join(project, 'index.ts'), `${importsOf(entries)}${uses}`)
      await expectTypes(project, 'nodenext', 'nodenext')
      await expectTypes(project, 'esnext', 'bundler')
      const script = `
      const empty = []
      for (const entry of ${JSON.stringify(programs)}) if (Object.keys(await import(entry)).length === 0) empty.push(entry)
      const { version } = (await import('${manifest.name}/package.json', { with: { type: 'json' } })).default
      console.log(JSON.stringify({ empty, version }))`
      const empty = programs.filter((entry) => ONLY_EFFECTS.has(entry))
      expect(await evaluate(project, script)).toEqual({ empty, version: manifest.version })
      if (contracts.length > 0) await expectBuild(project, contracts)
      if (name === 'cli') await expectProgram(project, manifest.version)
      if (name === 'validator') expect((await sizeOf(project)).packages).toBeLessThanOrEqual(VALIDATOR_PACKAGES_MAX)
    },
  )

  it('is every package of the repository', () => {
    expect([...names].sort()).toEqual(tarballs.map((tarball) => tarball.name.slice('@quoin/'.length)).sort())
  })
})

/** The program that npm links, as a user calls it. */
async function expectProgram(project: string, version: string): Promise<void> {
  const quoin = (...args: readonly string[]) =>
    run(new Program(join(project, 'node_modules', '.bin', 'quoin'), args, { cwd: project, env: environment }))
  expect(await quoin('--version')).toMatchObject({ code: 0, output: `${version}\n` })
  expect(await quoin('--help')).toMatchObject({ code: 0, output: expect.stringContaining('Usage: quoin') })
  expect(await quoin('version')).toMatchObject({
    code: 0,
    output: expect.stringMatching(/^quoin [\d.]+\nexecution 0x\w{64}\ncrypto .*ox-wasm/),
  })
  // Authors of contracts do not install what only pages need.
  expect(await quoin('create', '--template', 'dapp', 'page')).toMatchObject({
    code: EXIT_CODE.usage,
    output: expect.stringContaining('the template "dapp" needs @quoin/sdk, which is not installed'),
  })
  // Nor what only validators need.
  const missing = `Type: npm install --save-dev @quoin/validator@${version}`
  for (const command of ['init', 'start', 'reload', 'doctor', 'keys', 'genesis'])
    expect(await quoin(command)).toMatchObject({ code: EXIT_CODE.usage, output: expect.stringContaining(missing) })
}
