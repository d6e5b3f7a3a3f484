import { originalPositionFor, TraceMap } from '@jridgewell/trace-mapping'
import type { ProjectFiles } from './project-files.ts'

/** A source map, version 3 (ECMA-426). Sources are named as `ProjectFiles` does. */
export interface SourceMap {
  readonly version: 3
  readonly sources: readonly string[]
  readonly sourcesContent: readonly (string | null)[]
  readonly names: readonly string[]
  readonly mappings: string
}

/** Line and column from 1, as the interpreter and people count. */
export interface OriginalPosition {
  readonly file: string
  readonly line: number
  /** In UTF-16 units. */
  readonly column: number
  readonly lineText: string
  /** What the author calls what the bundler gave another name; undefined where it kept the name. */
  readonly name: string | undefined
}

/**
 * The bundler's map with names in place of paths, and with line ends that do not depend on how a checkout made them. Virtual modules of
 * the build have no name and keep the one that the bundler gave them.
 */
export function neutralSourceMap(json: string, files: ProjectFiles): SourceMap {
  const { sources, sourcesContent, names, mappings } = JSON.parse(json) as SourceMap
  return {
    version: 3,
    sources: sources.map((source) => (source.startsWith(VIRTUAL) ? source : files.name(source).name)),
    sourcesContent: sourcesContent.map((text) => text?.replaceAll('\r\n', '\n') ?? null),
    names,
    mappings,
  }
}

/** Prefix of modules that only the build has. */
export const VIRTUAL = 'quoin-build:'

/** From positions in a bundle to those in the author's files. */
export class PositionFinder {
  readonly #map: SourceMap
  readonly #trace: TraceMap
  readonly #lines: readonly string[] | undefined
  readonly #contents = new Map<string, readonly string[]>()

  /** `bundle`, the text that the map is of, makes columns exact behind characters beyond U+FFFF: the interpreter counts each as one. */
  constructor(map: SourceMap, bundle?: string) {
    this.#map = map
    this.#trace = new TraceMap(map as unknown as ConstructorParameters<typeof TraceMap>[0])
    this.#lines = bundle !== undefined && /[\ud800-\udbff]/.test(bundle) ? bundle.split('\n') : undefined
  }

  /** Of a position that the interpreter names: line from 1, column from 1 in code points. */
  ofInterpreter(line: number, column: number): OriginalPosition | undefined {
    const text = this.#lines?.[line - 1]
    const units =
      text === undefined
        ? column
        : Array.from(text)
            .slice(0, column - 1)
            .join('').length + 1
    return this.at(line, units)
  }

  /** Line and column from 1, in UTF-16 units. */
  at(line: number, column: number): OriginalPosition | undefined {
    if (line < 1 || column < 1) return undefined
    const found = originalPositionFor(this.#trace, { line, column: column - 1 })
    if (found.source === null) return undefined
    const lineText = this.#content(found.source)[found.line - 1] ?? ''
    return { file: found.source, line: found.line, column: found.column + 1, lineText, name: found.name ?? undefined }
  }

  #content(source: string): readonly string[] {
    const known = this.#contents.get(source)
    if (known !== undefined) return known
    const lines = this.#map.sourcesContent[this.#map.sources.indexOf(source)]?.split('\n') ?? []
    this.#contents.set(source, lines)
    return lines
  }
}
