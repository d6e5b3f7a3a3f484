import { isBuiltin } from 'node:module'
import { dirname, join } from 'node:path'
import { err, ok, type Result } from '@quoin/protocol'
import type { BuildContext, BuildOptions, Message, Metafile, Plugin } from 'esbuild'
import { type Diagnostic, diagnosticAt, type Place } from './diagnostic.ts'
import { importsLeft, inPackage, outsideImports, refusalOf } from './imports.ts'
import type { ProjectFiles } from './project-files.ts'
import { markers, type Use, usesIn } from './refusals.ts'
import { neutralSourceMap, PositionFinder, type SourceMap, VIRTUAL } from './source-map.ts'
import { type Weight, weightsOf } from './weight.ts'

/** The bundle of one contract: its module with all imports. */
export interface Bundle {
  /** Path of the author's module. */
  readonly entry: string
  /** The module that is deployed. */
  readonly source: string
  readonly sourceMap: SourceMap
  /** A module from the same sources. Its function `describe` returns the author's declaration. */
  readonly description: string
  readonly descriptionMap: SourceMap
  /** What the parts of the sources add to `source`. */
  readonly weights: readonly Weight[]
}

export interface BundleRequest {
  /** The project's directory, with symbolic links resolved. */
  readonly root: string
  /** Absolute paths of the authors' modules. */
  readonly entries: readonly string[]
  /** Additional conditions to resolve packages' `exports` with. */
  readonly conditions: readonly string[]
}

export interface BundleOutcome {
  readonly bundles: Result<readonly Bundle[], readonly Diagnostic[]>
  /** Absolute paths of the files that were read until the bundler ended. */
  readonly inputs: readonly string[]
}

/**
 * Bundles modules with esbuild. It keeps parsed files for the next build. Each entry is linked separately, so that its output does not depend on the
 * other entries.
 */
export class Bundler {
  readonly #request: BundleRequest
  #context: BuildContext<BuildOptions & { write: false; metafile: true }> | undefined

  constructor(request: BundleRequest) {
    this.#request = request
  }

  /** Bundles all entries. `files` must be a fresh view of the request's root. */
  async bundle(files: ProjectFiles): Promise<BundleOutcome> {
    const esbuild = await import('esbuild')
    const { entries } = this.#request
    this.#context ??= await esbuild.context(this.#options(new Set()))
    const first = await outputsOf(() => this.#context!.rebuild())
    if (!first.ok) return { bundles: err(first.error.map((message) => this.#diagnostic(files, message))), inputs: [] }
    const inputs = Object.keys(first.value.metafile.inputs)
      .filter((path) => !path.startsWith(VIRTUAL))
      .map((path) => files.absolute(path))
    const marked = entries.map((_, i) => this.#bundleOf(files, first.value, i))
    const judged = marked.map((bundle) => judge(bundle, files))
    const left = entries.flatMap((_, i) => importsLeft(first.value.metafile, `${i}.contract.js`, files))
    const refused = [...left, ...judged.flatMap(({ refused }) => refused)]
    if (refused.length > 0) return { bundles: err(refused), inputs }
    const passed = new Set(judged.flatMap(({ harmless }) => harmless))
    if (passed.size === 0) return { bundles: ok(marked), inputs }
    // Harmless uses must keep the global's own name: build once more without markers for these globals.
    const second = await outputsOf(() => esbuild.build(this.#options(passed)))
    if (!second.ok) return { bundles: err(second.error.map((message) => this.#diagnostic(files, message))), inputs }
    return { bundles: ok(entries.map((_, i) => this.#bundleOf(files, second.value, i))), inputs }
  }

  async close(): Promise<void> {
    await this.#context?.dispose()
  }

  #options(passed: ReadonlySet<string>): BuildOptions & { write: false; metafile: true } {
    const { root, entries, conditions } = this.#request
    const entryPoints = entries.flatMap((_, i) => [
      { in: `${VIRTUAL}contract/${i}`, out: `${i}.contract` },
      { in: `${VIRTUAL}description/${i}`, out: `${i}.description` },
    ])
    return {
      absWorkingDir: root,
      entryPoints,
      // Nothing is written there; paths in the source map are relative to it.
      outdir: root,
      bundle: true,
      write: false,
      metafile: true,
      format: 'esm',
      target: 'es2023',
      platform: 'neutral',
      mainFields: ['module', 'main'],
      conditions: ['module', ...conditions],
      minify: true,
      treeShaking: true,
      charset: 'utf8',
      legalComments: 'none',
      sourcemap: 'external',
      logLevel: 'silent',
      define: { ...markers(passed) },
      plugins: [virtualModules(entries), outsideImports()],
    }
  }

  #bundleOf(files: ProjectFiles, { texts, metafile }: Outputs, i: number): Bundle {
    const { root, entries } = this.#request
    const text = (name: string) => texts.get(join(root, name))!
    return {
      entry: entries[i]!,
      source: text(`${i}.contract.js`),
      sourceMap: neutralSourceMap(text(`${i}.contract.js.map`), files),
      description: text(`${i}.description.js`),
      descriptionMap: neutralSourceMap(text(`${i}.description.js.map`), files),
      weights: weightsOf(metafile, `${i}.contract.js`, files),
    }
  }

  #diagnostic(files: ProjectFiles, { text, location, notes }: Message): Diagnostic {
    const { entries } = this.#request
    const virtual = location?.file === undefined ? undefined : VIRTUAL_ENTRY.exec(location.file)
    if (virtual !== null && virtual !== undefined) return ofEntry(files, entries[Number(virtual[1])]!, text)
    if (location === null) return diagnosticAt('package.json', text)
    const owner = files.name(location.file)
    const place: Place = {
      file: owner.name,
      line: location.line,
      column: utf16Column(location.lineText, location.column),
      lineText: location.lineText,
    }
    return diagnosticAt(place, inPackage(messageOf(text, notes), owner.package))
  }
}

/** Reports an error of a virtual entry as an error of the module that it imports. */
function ofEntry(files: ProjectFiles, entry: string, text: string): Diagnostic {
  const { name } = files.name(entry)
  if (text.startsWith('No matching export')) {
    const message = 'there is no default export: write `export default contract({ … })`'
    return diagnosticAt(files.lines(entry).length === 0 ? name : files.place(entry, 1, 1), message)
  }
  if (text.includes(KIT)) return diagnosticAt(name, 'the project has no @quoin/contracts: npm install @quoin/contracts')
  if (text.startsWith('Could not resolve')) return diagnosticAt(name, 'there is no such file')
  return diagnosticAt(name, text)
}

const KIT = '@quoin/contracts/description'
const VIRTUAL_ENTRY = new RegExp(`^${VIRTUAL}(?:contract|description)/(\\d+)$`)

function messageOf(text: string, notes: Message['notes']): string {
  const specifier = /^Could not resolve "(.*)"$/.exec(text)?.[1]
  if (specifier !== undefined && isBuiltin(specifier)) return refusalOf(specifier)
  const hint = notes[0]?.text
  return hint === undefined || specifier === undefined ? text : `${text}: ${hint}`
}

/** esbuild counts columns in bytes of UTF-8, from 0. */
const utf16Column = (lineText: string, column: number): number => Buffer.from(lineText).subarray(0, column).toString().length + 1

interface Judgement {
  readonly refused: readonly Diagnostic[]
  /** Globals that the bundle mentions but does not need. */
  readonly harmless: readonly string[]
}

/** Uses are harmless in a file that tests with `typeof` whether the global exists: it works without. */
function judge({ source, sourceMap, entry }: Bundle, files: ProjectFiles): Judgement {
  const uses = usesIn(source)
  if (uses.length === 0) return { refused: [], harmless: [] }
  const finder = new PositionFinder(sourceMap)
  const found = uses
    .map((use) => ({ use, place: finder.at(use.line, use.column) ?? files.place(entry, 1, 1) }))
    .filter(({ use, place }) => use.word !== 'import' || place.lineText.startsWith('import', place.column - 1))
  const keyOf = ({ use, place }: (typeof found)[number]) => `${use.name} ${place.file}`
  const asking = new Set(found.filter(({ use }) => use.asksForType).map(keyOf))
  const isHarmless = (one: (typeof found)[number]) => one.use.isHarmless || asking.has(keyOf(one))
  return {
    refused: found.filter((one) => !isHarmless(one)).map(({ use, place }) => refusal(use, place, files)),
    harmless: found.filter(isHarmless).map(({ use }) => use.name),
  }
}

function refusal({ word, message }: Use, place: Place, files: ProjectFiles): Diagnostic {
  // The map leads to the beginning of the expression; the name usually follows on the same line.
  const at = place.lineText.indexOf(word, place.column - 1)
  return diagnosticAt({ ...place, column: at === -1 ? place.column : at + 1 }, inPackage(message, files.packageNamed(place.file)))
}

/** The two virtual entries of each contract. Both use the copy of the kit that the author's module imports. */
function virtualModules(entries: readonly string[]): Plugin {
  return {
    name: 'quoin-entries',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: new RegExp(`^${VIRTUAL}`) }, ({ path }) => ({ path: path.slice(VIRTUAL.length), namespace: NAMESPACE }))
      onLoad({ filter: /.*/, namespace: NAMESPACE }, ({ path }) => {
        const [kind, index] = path.split('/')
        const entry = entries[Number(index)]!
        const contents = kind === 'contract' ? contractEntry(entry) : descriptionEntry(entry)
        return { contents, loader: 'js', resolveDir: dirname(entry) }
      })
    },
  }
}

const NAMESPACE = VIRTUAL.slice(0, -1)

/** Leaves out named exports of the author's module, because a deployed module must not have any. */
const contractEntry = (entry: string): string => `export { default } from ${JSON.stringify(entry)}`

/**
 * The kit's description module runs before the author's module. The host reads the result from the interpreter's memory, without running any code of
 * the module.
 */
const descriptionEntry = (entry: string): string => `import { descriptionOf } from ${JSON.stringify(KIT)}
import definition from ${JSON.stringify(entry)}
export default { functions: { describe: () => [definition === null ? 'null' : typeof definition, descriptionOf(definition)] } }`

interface Outputs {
  readonly texts: ReadonlyMap<string, string>
  readonly metafile: Metafile
}

/** The output files of a run of esbuild, or its errors. */
async function outputsOf(
  run: () => Promise<import('esbuild').BuildResult<{ write: false; metafile: true }>>,
): Promise<Result<Outputs, readonly Message[]>> {
  try {
    const { outputFiles, metafile } = await run()
    return ok({ texts: new Map(outputFiles.map(({ path, text }) => [path, text])), metafile })
  } catch (failure) {
    if (isBuildFailure(failure)) return err(failure.errors)
    throw failure
  }
}

const isBuildFailure = (failure: unknown): failure is { readonly errors: readonly Message[] } =>
  failure instanceof Error && 'errors' in failure && Array.isArray(failure.errors)
