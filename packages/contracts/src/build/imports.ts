import { isBuiltin } from 'node:module'
import type { Metafile, Plugin } from 'esbuild'
import { type Diagnostic, diagnosticAt } from './diagnostic.ts'
import type { ProjectFiles } from './project-files.ts'

/*
 * What a module imports of the platform is refused if anything of it is left in the bundle: packages import much that a contract does not use.
 * So such imports stay outside, marked, and can be dropped like any unused one.
 */

/** Begins the path of an import that stays outside of the bundle. */
const OUTSIDE = 'quoin-outside:'

/** Keeps modules of Node and all that is imported dynamically out of the bundle. */
export function outsideImports(): Plugin {
  return {
    name: 'quoin-imports',
    setup({ onResolve, resolve }) {
      onResolve({ filter: /.*/ }, async ({ path, kind, importer, namespace, resolveDir, pluginData }) => {
        if (pluginData === SECOND) return undefined
        if (kind === 'dynamic-import') return { path: `${OUTSIDE}${path}`, external: true }
        if (kind !== 'import-statement' || !isBuiltin(path)) return undefined
        // A package may have the name of a module of Node, `events` for one.
        const found = path.startsWith('node:')
          ? undefined
          : await resolve(path, { kind, importer, namespace, resolveDir, pluginData: SECOND })
        if (found !== undefined && found.errors.length === 0) return { path: found.path, sideEffects: found.sideEffects }
        return { path: `${OUTSIDE}${path}`, external: true, sideEffects: false }
      })
    },
  }
}

const SECOND = 'second'

/** Static imports that are left in an output, at the places where the files in it have them. */
export function importsLeft(metafile: Metafile, output: string, files: ProjectFiles): readonly Diagnostic[] {
  const { imports = [], inputs = {} } = metafile.outputs[output] ?? {}
  const left = new Set(imports.filter(({ kind, external }) => kind === 'import-statement' && external).map(({ path }) => path))
  return [...left].flatMap((path) => {
    const importers = Object.keys(inputs).filter((file) => metafile.inputs[file]?.imports.some((one) => one.path === path))
    const specifier = path.slice(OUTSIDE.length)
    return importers.map((file) => {
      const owner = files.name(file)
      const at = files.find(file, new RegExp(`(?<=["'])${specifier.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?=["'])`))
      return diagnosticAt(
        at === undefined ? owner.name : { ...at, column: at.column - 1 },
        inPackage(refusalOf(specifier), owner.package),
      )
    })
  })
}

/** Why a module of Node cannot be imported. */
export const refusalOf = (specifier: string): string =>
  `${specifier} is a module of Node, which contracts do not run in: they see storage, the block and the call, and no files, network or randomness. Hashes, encodings and signatures are in the library`

export const inPackage = (message: string, name: string | undefined): string =>
  name === undefined ? message : `${message} (in the package ${name})`
