import { existsSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { bytesToHex, type ContractContainer, err, nobleCrypto, ok, type Result, utf8ToBytes } from '@quoin/protocol'
import { readArtifact, writeArtifact } from './artifact.ts'
import type { BuiltContract } from './built-contract.ts'
import { type Bundle, Bundler } from './bundle.ts'
import { type Declaration, type DeclarationError, readDeclaration } from './declaration.ts'
import { type Diagnostic, diagnosticAt, sortDiagnostics } from './diagnostic.ts'
import { checkLayout } from './layout.ts'
import { BUILD_LIMITS } from './limits.ts'
import { DeclarationPlaces } from './places.ts'
import { ProjectFiles } from './project-files.ts'
import { PositionFinder, type SourceMap } from './source-map.ts'
import { authorsPlace, framesOf } from './trace.ts'
import { loadTrial, type Refusal, type Trial } from './trial.ts'
import { typeCheck } from './type-check.ts'
import { COMPILER } from './version.ts'

/** What is built, and how. */
export interface BuildOptions {
  /** Directory of the author's project: of its package.json, its node_modules and its tsconfig.json. */
  readonly project: string
  /** Modules that default-export a contract each, relative to the project. */
  readonly entries: readonly string[]
  /** Directory of the artifacts, relative to the project; nothing is written without one. */
  readonly outDir?: string | undefined
  /** Whether the project's own tsc checks the types. Default: true. */
  readonly typeCheck?: boolean | undefined
  /** Whether the source map goes on the chain with the code: some 21,500 gas a KiB of the deployment. Default: false. */
  readonly embedSourceMap?: boolean | undefined
  /** Conditions to resolve packages' `exports` by, besides the usual ones. */
  readonly conditions?: readonly string[] | undefined
  /** Artifacts of what is deployed, relative to the project: contracts of the same name must be able to take its place. */
  readonly against?: readonly string[] | undefined
}

/** All contracts, or everything that is wrong with any of them. */
export type BuildResult = Result<readonly BuiltContract[], readonly Diagnostic[]>

/**
 * Builds contracts: bundles them, has the project's tsc check the types, evaluates them as a deployment would, and writes the artifacts if all
 * of that went well. Throws for faults of this machine only.
 */
export async function build(options: BuildOptions): Promise<BuildResult> {
  const builder = new Builder(options)
  try {
    return await builder.build()
  } finally {
    await builder.close()
  }
}

/** Builds the same contracts again and again; keeps the bundler and the interpreter for it. */
export class Builder {
  readonly #options: BuildOptions
  #bundler: Bundler | undefined
  #trial: Promise<Trial> | undefined
  #inputs: readonly string[] = []

  constructor(options: BuildOptions) {
    this.#options = options
  }

  /** Absolute paths of the files that the last build depended on. */
  get inputs(): readonly string[] {
    return this.#inputs
  }

  async build(signal?: AbortSignal): Promise<BuildResult> {
    const { project, entries, typeCheck: wantsTypes = true, conditions = [] } = this.#options
    if (!existsSync(project)) return err([diagnosticAt(project, 'there is no such directory')])
    const files = new ProjectFiles(project)
    const problems = entryProblems(files, entries)
    if (problems.length > 0) return err(problems)
    const paths = entries.map((entry) => resolve(files.root, entry))
    this.#inputs = paths
    this.#bundler ??= new Bundler({ root: files.root, entries: paths, conditions })
    this.#trial ??= loadTrial()
    const types = wantsTypes ? typeCheck(files, paths, signal) : Promise.resolve([])
    const [{ bundles, inputs }, trial] = await Promise.all([this.#bundler.bundle(files), this.#trial])
    this.#inputs = [...new Set([...paths, ...inputs])]
    const made = bundles.ok ? this.#makeAll(files, trial, bundles.value) : bundles
    const against = made.ok ? await this.#compare(files, made.value) : []
    const diagnostics = [...(made.ok ? [] : made.error), ...against, ...(await types)]
    // Another build follows; this one's types were not checked to the end.
    if (signal?.aborted) return err([])
    if (!made.ok || diagnostics.length > 0) return err(sortDiagnostics(diagnostics))
    const { outDir } = this.#options
    if (outDir !== undefined) {
      for (const contract of made.value) await writeArtifact(resolve(files.root, outDir), contract)
    }
    return made
  }

  async close(): Promise<void> {
    await this.#bundler?.close()
  }

  #makeAll(files: ProjectFiles, trial: Trial, bundles: readonly Bundle[]): BuildResult {
    const made = bundles.map((bundle) => this.#make(files, trial, bundle))
    const diagnostics = made.flatMap((one) => (one.ok ? [] : [one.error]))
    return diagnostics.length > 0 ? err(diagnostics) : ok(made.flatMap((one) => (one.ok ? [one.value] : [])))
  }

  #make(files: ProjectFiles, trial: Trial, bundle: Bundle): Result<BuiltContract, Diagnostic> {
    const { entry, source, sourceMap, description, descriptionMap } = bundle
    const described = trial.describe(description)
    const places = new DeclarationPlaces(files, entry, sourceMap)
    if (!described.ok) return err(refused(places, described.error, new PositionFinder(descriptionMap, description)))
    const declared = readDeclaration(nobleCrypto, described.value)
    if (!declared.ok) return err(misdeclared(places, declared.error))
    const { embedSourceMap = false } = this.#options
    const container = containerOf(declared.value, source, embedSourceMap ? sourceMap : undefined)
    const deployed = trial.deploy(container)
    if (!deployed.ok) return err(refused(places, deployed.error, new PositionFinder(sourceMap, source)))
    const { abi, layout, upgradeAuthority, reentrantSelectors } = declared.value
    const { code, gasUsed } = deployed.value
    return ok({
      name: nameOf(entry),
      file: files.name(entry).name,
      abi,
      bytecode: bytesToHex(code),
      code,
      source,
      sourceMap,
      layout,
      upgradeAuthority,
      reentrantSelectors,
      deploymentGas: gasUsed,
    })
  }

  /** What keeps new contracts from taking the place of deployed ones. */
  async #compare(files: ProjectFiles, contracts: readonly BuiltContract[]): Promise<readonly Diagnostic[]> {
    const diagnostics: Diagnostic[] = []
    for (const path of this.#options.against ?? []) {
      const former = await readArtifact(resolve(files.root, path))
      if (!former.ok) {
        diagnostics.push(diagnosticAt(path, former.error))
        continue
      }
      const next = contracts.find(({ name }) => name === former.value.name)
      if (next === undefined) {
        diagnostics.push(
          diagnosticAt(path, `it is of the contract ${former.value.name}, which is not among those that are built`),
        )
        continue
      }
      const places = new DeclarationPlaces(files, next.file, next.sourceMap)
      for (const { name, message } of checkLayout(former.value.layout, next.layout))
        diagnostics.push(diagnosticAt(places.field(name), message))
    }
    return diagnostics
  }
}

const nameOf = (entry: string): string => basename(entry).replace(/\.[cm]?[jt]sx?$/, '')

function entryProblems(files: ProjectFiles, entries: readonly string[]): readonly Diagnostic[] {
  if (entries.length === 0) return [diagnosticAt('contracts', 'there is no contract to build')]
  if (entries.length > BUILD_LIMITS.entriesMax)
    return [diagnosticAt('contracts', `${entries.length} contracts at once, at most ${BUILD_LIMITS.entriesMax} are allowed`)]
  const first = new Map<string, string>()
  const problems: Diagnostic[] = []
  for (const entry of entries) {
    const path = resolve(files.root, entry)
    const { name: file } = files.name(path)
    const other = first.get(nameOf(entry))
    if (!existsSync(path)) problems.push(diagnosticAt(file, 'there is no such file'))
    else if (other !== undefined)
      problems.push(diagnosticAt(file, `its artifact would be that of ${other}, which has the same name`))
    else first.set(nameOf(entry), file)
  }
  return problems
}

const containerOf = (
  { abi, upgradeAuthority, reentrantSelectors }: Declaration,
  source: string,
  sourceMap: SourceMap | undefined,
): ContractContainer => ({
  upgradeAuthority,
  reentrantSelectors,
  compiler: COMPILER,
  source,
  abi,
  sourceMap: sourceMap === undefined ? new Uint8Array(0) : utf8ToBytes(JSON.stringify(sourceMap)),
})

/** What the interpreter refused, where the author's own code led to it, or where the author names what it is about. */
function refused(places: DeclarationPlaces, { message, stack }: Refusal, finder: PositionFinder): Diagnostic {
  const thrown = authorsPlace(framesOf(stack, finder))
  const [, name] = /^the (?:abi|module) has (?:the function )?([\w$]+)/.exec(message) ?? []
  return diagnosticAt(thrown ?? (name === undefined ? undefined : places.word(name)) ?? places.contract, message)
}

/** What a declaration says wrongly, where the author's files say it. */
const misdeclared = (places: DeclarationPlaces, { message, text }: DeclarationError): Diagnostic =>
  diagnosticAt((text === undefined ? undefined : places.text(text)) ?? places.contract, message)
