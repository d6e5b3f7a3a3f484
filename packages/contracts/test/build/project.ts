import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BuildOptions, type BuildResult, type BuiltContract, build, formatDiagnostics } from '../../src/build/index.ts'

const repository = fileURLToPath(new URL('../../../../', import.meta.url))

/** Export conditions that give tests the kit's sources. */
export const CONDITIONS = ['@quoin/source']

export const TSCONFIG = JSON.stringify({
  compilerOptions: {
    target: 'es2023',
    lib: ['es2023'],
    types: [],
    module: 'nodenext',
    customConditions: CONDITIONS,
    strict: true,
    allowImportingTsExtensions: true,
    noEmit: true,
    skipLibCheck: true,
  },
  include: ['contracts'],
})

/** An author's project in a temporary directory, with the kit, TypeScript and viem installed. */
export class Project {
  readonly root: string

  constructor(files: Readonly<Record<string, string>>) {
    this.root = mkdtempSync(join(tmpdir(), 'quoin-build-'))
    this.write({ 'package.json': '{ "name": "my-dapp", "type": "module" }', 'tsconfig.json': TSCONFIG, ...files })
    this.#install('@quoin/contracts', join(repository, 'packages', 'contracts'))
    for (const name of ['typescript', 'viem', 'abitype']) this.#install(name, join(repository, 'node_modules', name))
  }

  write(files: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(files)) {
      const path = join(this.root, name)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, text)
    }
  }

  #install(name: string, from: string): void {
    const path = join(this.root, 'node_modules', name)
    mkdirSync(dirname(path), { recursive: true })
    symlinkSync(from, path, 'dir')
  }

  build(entries: readonly string[] = ['contracts/token.ts'], options: Partial<BuildOptions> = {}): Promise<BuildResult> {
    return build({ project: this.root, entries, typeCheck: false, conditions: CONDITIONS, ...options })
  }

  remove(): void {
    rmSync(this.root, { recursive: true })
  }
}

/** Builds `contracts/token.ts` and other files in a temporary project. */
export async function buildFiles(token: string, files: Readonly<Record<string, string>> = {}): Promise<BuildResult> {
  const project = new Project({ 'contracts/token.ts': token, ...files })
  try {
    return await project.build()
  } finally {
    project.remove()
  }
}

/** The contract of a build. Throws if the build failed. */
export function built(result: BuildResult): BuiltContract {
  if (!result.ok) throw new Error(formatDiagnostics(result.error))
  const [contract] = result.value
  if (contract === undefined) throw new Error('nothing was built')
  return contract
}

/** Diagnostics of a failed build as `file:line:column: message`. Throws if the build succeeded. */
export function complaints(result: BuildResult): readonly string[] {
  if (result.ok) throw new Error('the build succeeded')
  return result.error.map(({ file, line, column, message }) =>
    line === undefined ? `${file}: ${message}` : `${file}:${line}:${column}: ${message}`,
  )
}
