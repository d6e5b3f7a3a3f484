import { existsSync } from 'node:fs'
import { basename, relative, resolve } from 'node:path'
import {
  bytesToHex,
  type ContractContainer,
  DEFAULT_PARAMETERS,
  err,
  nobleCrypto,
  ok,
  type Result,
  utf8ToBytes,
} from '@quoin/protocol'
import { foreignFiles, readArtifact, writeArtifact } from './artifact.ts'
import type { BuiltContract } from './built-contract.ts'
import { type Bundle, Bundler } from './bundle.ts'
import { type Declaration, type DeclarationError, readDeclaration } from './declaration.ts'
import { type Diagnostic, diagnosticAt, sortDiagnostics } from './diagnostic.ts'
import { checkLayout } from './layout.ts'
import { BUILD_LIMITS } from './limits.ts'
import { DeclarationPlaces } from './places.ts'
import { ProjectFiles, slashes } from './project-files.ts'
import { sizeProblem, weighed } from './size.ts'
import { PositionFinder, type SourceMap } from './source-map.ts'
import { authorsPlace, framesOf } from './trace.ts'
import { loadTrial, type Refusal, type Trial } from './trial.ts'
import { typeCheck } from './type-check.ts'
import { COMPILER } from './version.ts'

/** Options of a build. */
export interface BuildOptions {
  /** Directory of the author's project, with its package.json, node_modules and tsconfig.json. */
  readonly project: string
  /** Modules that each default-export a contract, relative to the project. */
  readonly entries: readonly string[]
  /** Directory for the artifacts, relative to the project; undefined: nothing is written. */
  readonly outDir?: string | undefined
  /** Whether to check types with the project's own tsc. Default: true. */
  readonly typeCheck?: boolean | undefined
  /** Whether to deploy the source map with the code; costs about 21,500 gas per KiB. Default: false. */
  readonly embedSourceMap?: boolean | undefined
  /** Additional conditions to resolve packages' `exports` with. */
  readonly conditions?: readonly string[] | undefined
  /**
   * Artifacts of deployed contracts, relative to the project: the state layout of a contract with the same name must be able to replace theirs.
   * `artifacts/old.js=new` compares with the contract `new` instead.
   */
  readonly against?: readonly string[] | undefined
  /** The chain's gas limit for a transaction: contracts that cannot be deployed or upgraded within it are errors. Default: that of a new chain. */
  readonly transactionGasMax?: number | undefined
  /** Whether to compare the gas of a deployment and an upgrade with that limit. If not, no upgrade is tried. Default: true. */
  readonly gasCheck?: boolean | undefined
}

/** All contracts, or all errors of all contracts. */
export type BuildResult = Result<readonly BuiltContract[], readonly Diagnostic[]>

/**
 * Builds contracts: bundles them, checks types with the project's tsc and evaluates them as a deployment does. Writes the artifacts only if no
 * contract has an error.
 *
 * @returns the contracts, or diagnostics for errors of the author
 * @throws only for faults of this machine, such as a full disk
 * @example
 *     const result = await build({ project: '.', entries: ['contracts/token.ts'], outDir: 'artifacts' })
 *     if (!result.ok) throw new Error(formatDiagnostics(result.error))
 */
export async function build(options: BuildOptions): Promise<BuildResult> {
  const builder = new Builder(options)
  try {
    return await builder.build()
  } finally {
    await builder.close()
  }
}

/** Builds the same contracts repeatedly. It reuses the bundler and the interpreter. */
export class Builder {
  readonly #options: BuildOptions
  #bundler: Bundler | undefined
  #trial: Promise<Trial> | undefined
  #inputs: readonly string[] = []
  /** Files of contracts whose ABI cannot be parsed: their type errors are consequences of that. */
  readonly #untyped = new Set<string>()

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
    const paths = entries.map((entry) => files.entry(entry))
    this.#inputs = paths
    this.#bundler ??= new Bundler({ root: files.root, entries: paths, conditions })
    this.#trial ??= loadTrial()
    const types = wantsTypes ? typeCheck(files, paths, signal) : Promise.resolve([])
    const [{ bundles, inputs }, trial] = await Promise.all([this.#bundler.bundle(files), this.#trial])
    this.#inputs = [...new Set([...paths, ...inputs])]
    this.#untyped.clear()
    const made = bundles.ok ? this.#makeAll(files, trial, bundles.value) : bundles
    const against = made.ok ? await this.#compare(files, made.value) : []
    const typeErrors = (await types).filter(({ file }) => !this.#untyped.has(file))
    const foreign = made.ok ? await this.#foreign(files, made.value) : []
    const diagnostics = [...(made.ok ? [] : made.error), ...against, ...foreign, ...typeErrors]
    // Another build follows, and this one's type check was stopped.
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
    const { entry, source, sourceMap, description, descriptionMap, weights } = bundle
    const described = trial.describe(description)
    const places = new DeclarationPlaces(files, entry, sourceMap)
    if (!described.ok) return err(refused(places, described.error, new PositionFinder(descriptionMap, description)))
    const declared = readDeclaration(nobleCrypto, described.value)
    if (!declared.ok) {
      if (declared.error.hidesTypes === true)
        for (const file of [files.name(entry).name, ...sourceMap.sources]) this.#untyped.add(file)
      return err(misdeclared(places, declared.error))
    }
    const { embedSourceMap = false, gasCheck = true, transactionGasMax = DEFAULT_PARAMETERS.transactionGasMax } = this.#options
    const container = containerOf(declared.value, source, embedSourceMap ? sourceMap : undefined)
    const size = { container, weights }
    const deployed = trial.deploy(container, gasCheck)
    if (!deployed.ok) {
      const { message, isOfSize } = deployed.error
      const refusal = { ...deployed.error, message: isOfSize ? `${message}\n${weighed(size)}` : message }
      return err(refused(places, refusal, new PositionFinder(sourceMap, source)))
    }
    const problem = gasCheck ? sizeProblem(deployed.value, transactionGasMax, size) : undefined
    if (problem !== undefined) return err(diagnosticAt(places.contract, problem))
    const { abi, layout, upgradeAuthority, reentrantSelectors } = declared.value
    const { code, gasUsed, upgradeGas } = deployed.value
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
      upgradeGas,
      weights,
    })
  }

  /** Errors for files in the output directory that a build would replace, but that no build has written. */
  async #foreign(files: ProjectFiles, contracts: readonly BuiltContract[]): Promise<readonly Diagnostic[]> {
    const { outDir } = this.#options
    if (outDir === undefined) return []
    const paths = await Promise.all(contracts.map(({ name }) => foreignFiles(resolve(files.root, outDir), name)))
    return paths.flat().map((path) => diagnosticAt(slashes(relative(files.root, path)), NOT_REPLACED))
  }

  /** Errors of contracts whose state layout cannot replace the deployed one's. */
  async #compare(files: ProjectFiles, contracts: readonly BuiltContract[]): Promise<readonly Diagnostic[]> {
    const diagnostics: Diagnostic[] = []
    for (const against of this.#options.against ?? []) {
      const [path, renamed] = comparison(files, against)
      const former = await readArtifact(resolve(files.root, path))
      if (!former.ok) {
        diagnostics.push(diagnosticAt(path, former.error))
        continue
      }
      const wanted = renamed ?? former.value.name
      const next = contracts.find(({ name }) => name === wanted)
      if (next === undefined) {
        const problem =
          renamed === undefined
            ? `this is the artifact of contract ${wanted}, which is not part of this build. If it has another name now, write ${path}=<name>`
            : `there is no contract ${wanted} in this build to compare the artifact with`
        diagnostics.push(diagnosticAt(path, problem))
        continue
      }
      const places = new DeclarationPlaces(files, next.file, next.sourceMap)
      for (const { name, message } of checkLayout(former.value.layout, next.layout))
        diagnostics.push(diagnosticAt(places.field(name), message))
    }
    return diagnostics
  }
}

const NOT_REPLACED =
  'this file was not written by quoin build, so it is not replaced: choose another directory with --out, or move the file away'

/** Splits `artifacts/old.js=new` into the artifact's path and the contract's new name. A file may have `=` in its name. */
function comparison(files: ProjectFiles, against: string): readonly [path: string, renamed: string | undefined] {
  const at = against.lastIndexOf('=')
  const path = against.slice(0, at)
  // If neither exists, the error names the whole argument.
  if (at < 0 || existsSync(resolve(files.root, against)) || !existsSync(resolve(files.root, path))) return [against, undefined]
  return [path, against.slice(at + 1)]
}

const nameOf = (entry: string): string => basename(entry).replace(/\.[cm]?[jt]sx?$/, '')

function entryProblems(files: ProjectFiles, entries: readonly string[]): readonly Diagnostic[] {
  if (entries.length === 0) return [diagnosticAt('contracts', 'there is no contract to build')]
  if (entries.length > BUILD_LIMITS.entriesMax)
    return [diagnosticAt('contracts', `${entries.length} contracts in one build, at most ${BUILD_LIMITS.entriesMax} are allowed`)]
  const first = new Map<string, string>()
  const problems: Diagnostic[] = []
  for (const entry of entries) {
    const path = resolve(files.root, entry)
    const { name: file } = files.name(path)
    const other = first.get(nameOf(entry))
    if (!existsSync(path)) problems.push(diagnosticAt(file, 'there is no such file'))
    else if (other !== undefined)
      problems.push(diagnosticAt(file, `${other} has the same name, so its artifact would be overwritten`))
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

/**
 * An error of the interpreter. Its place is the author's innermost frame; without a frame, the place where the author writes the function's name;
 * else the default export.
 */
function refused(places: DeclarationPlaces, { message, stack }: Refusal, finder: PositionFinder): Diagnostic {
  const thrown = authorsPlace(framesOf(stack, finder))
  const [, name] = /^the (?:abi|module) has (?:the function )?([\w$]+)/.exec(message) ?? []
  return diagnosticAt(thrown ?? (name === undefined ? undefined : places.word(name)) ?? places.contract, message)
}

/** An error of the declaration, at the place where the author wrote the wrong text, else at the default export. */
const misdeclared = (places: DeclarationPlaces, { message, text }: DeclarationError): Diagnostic =>
  diagnosticAt((text === undefined ? undefined : places.text(text)) ?? places.contract, message)
