import { readFileSync, realpathSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import type { Place } from './diagnostic.ts'

/** A file's name for diagnostics and source maps. */
export interface FileName {
  /** Path relative to the project, or the package's name and the path within it. With forward slashes; the same on every machine. */
  readonly name: string
  /** Package that the file belongs to; undefined for the project's own. */
  readonly package: string | undefined
}

/** Names and texts of the files that a build reads. Names do not depend on the project's location. */
export class ProjectFiles {
  /** The project's directory, with symbolic links resolved. */
  readonly root: string
  readonly #packages = new Map<string, { readonly name: string; readonly root: string } | undefined>()
  readonly #packageByFile = new Map<string, string>()
  readonly #texts = new Map<string, readonly string[]>()

  constructor(root: string) {
    this.root = realpathSync(root)
  }

  /** Makes a path absolute; a relative path starts at the project. */
  absolute(path: string): string {
    return isAbsolute(path) ? path : join(this.root, path)
  }

  /** Absolute path of an existing file. A path that enters the project through a symbolic link becomes the path within the project. */
  entry(path: string): string {
    const absolute = resolve(this.root, path)
    return isInside(relative(this.root, absolute)) ? absolute : join(realpathSync(dirname(absolute)), basename(absolute))
  }

  name(path: string): FileName {
    const absolute = this.absolute(path)
    const inProject = relative(this.root, absolute)
    if (isInside(inProject) && !inProject.split(sep).includes('node_modules'))
      return { name: slashes(inProject), package: undefined }
    const owner = this.#packageOf(dirname(absolute))
    // Probably from a package's own source map. The path would not exist on other machines.
    if (owner === undefined) return { name: `outside/${basename(absolute)}`, package: undefined }
    const name = `${owner.name}/${slashes(relative(owner.root, absolute))}`
    this.#packageByFile.set(name, owner.name)
    return { name, package: owner.name }
  }

  /** Package of a file whose name came from `name`; undefined for the project's own files. */
  packageNamed(name: string): string | undefined {
    return this.#packageByFile.get(name)
  }

  /** The lines of a file without line ends. A file that cannot be read counts as empty. */
  lines(path: string): readonly string[] {
    const absolute = this.absolute(path)
    const known = this.#texts.get(absolute)
    if (known !== undefined) return known
    const lines = textOf(absolute).split(/\r?\n/)
    this.#texts.set(absolute, lines)
    return lines
  }

  /** A place in a file; line and column from 1. */
  place(path: string, line: number, column: number): Place {
    return { file: this.name(path).name, line, column, lineText: this.lines(path)[line - 1] ?? '' }
  }

  /** First line and column where a pattern matches in a file; undefined if there is no match. */
  find(path: string, pattern: RegExp): Place | undefined {
    for (const [i, text] of this.lines(path).entries()) {
      const match = pattern.exec(text)
      if (match !== null) return this.place(path, i + 1, match.index + 1)
    }
    return undefined
  }

  /** The nearest enclosing package with a name. */
  #packageOf(directory: string): { readonly name: string; readonly root: string } | undefined {
    if (this.#packages.has(directory)) return this.#packages.get(directory)
    const parent = dirname(directory)
    const name = packageName(join(directory, 'package.json'))
    const found = name === undefined ? (parent === directory ? undefined : this.#packageOf(parent)) : { name, root: directory }
    this.#packages.set(directory, found)
    return found
  }
}

const isInside = (fromRoot: string): boolean => !fromRoot.startsWith('..') && !isAbsolute(fromRoot)

/** A path with forward slashes, on every machine. */
export const slashes = (path: string): string => (sep === '/' ? path : path.split(sep).join('/'))

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (failure) {
    if (isMissing(failure)) return ''
    throw failure
  }
}

function packageName(manifest: string): string | undefined {
  const text = textOf(manifest)
  if (text === '') return undefined
  try {
    const { name } = JSON.parse(text) as { readonly name?: unknown }
    return typeof name === 'string' && name !== '' ? name : undefined
  } catch (failure) {
    if (failure instanceof SyntaxError) return undefined
    throw failure
  }
}

const isMissing = (failure: unknown): boolean =>
  failure instanceof Error && 'code' in failure && ['ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES'].includes(String(failure.code))
