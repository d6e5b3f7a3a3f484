import { isBuiltin } from 'node:module'
import type { Metafile, Plugin } from 'esbuild'
import { type Diagnostic, diagnosticAt } from './diagnostic.ts'
import type { ProjectFiles } from './project-files.ts'

/*
 * Imports of Node.js modules are errors only if something of them remains in the bundle, because packages import much that a contract does not
 * use. So such imports are marked as external, and tree shaking can drop them like any unused import.
 */

/** Prefix of the path of an import that stays outside the bundle. */
const OUTSIDE = 'quoin-outside:'

/** Keeps Node.js modules and all dynamic imports out of the bundle. */
export function outsideImports(): Plugin {
  return {
    name: 'quoin-imports',
    setup({ onResolve, resolve }) {
      onResolve({ filter: /.*/ }, async ({ path, kind, importer, namespace, resolveDir, pluginData }) => {
        if (pluginData === SECOND) return undefined
        if (kind === 'dynamic-import') return { path: `${OUTSIDE}${path}`, external: true }
        if (kind !== 'import-statement' || !isBuiltin(path)) return undefined
        // A package may have the name of a Node.js module, such as `events`.
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

/** Errors for the static imports that remain in an output, at their places in the source files. */
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

/** Why a Node.js module cannot be imported. */
export const refusalOf = (specifier: string): string =>
  `${specifier} is a Node.js module, which contracts cannot import: they can access storage, the block and the call, but no files, network or randomness. For hashes, encodings and signatures use the library`

export const inPackage = (message: string, name: string | undefined): string =>
  name === undefined ? message : `${message} (in the package ${name})`
