import { originalPositionFor, TraceMap } from '@jridgewell/trace-mapping'
import type { ProjectFiles } from './project-files.ts'

/** A source map, version 3 (ECMA-426). Sources have the names of `ProjectFiles`. */
export interface SourceMap {
  readonly version: 3
  readonly sources: readonly string[]
  readonly sourcesContent: readonly (string | null)[]
  readonly names: readonly string[]
  readonly mappings: string
}

/** Position in a source file; line and column from 1. */
export interface OriginalPosition {
  readonly file: string
  readonly line: number
  /** In UTF-16 units. */
  readonly column: number
  readonly lineText: string
  /** The author's name for an identifier that the bundler renamed; undefined if it was not renamed. */
  readonly name: string | undefined
}

/**
 * Makes the bundler's map independent of the machine: it replaces paths with names and CRLF with LF. Virtual modules of the build keep the name from
 * the bundler.
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

/** Prefix of virtual modules, which exist only during a build. */
export const VIRTUAL = 'quoin-build:'

/** Maps positions in a bundle to positions in source files. */
export class PositionFinder {
  readonly #map: SourceMap
  readonly #trace: TraceMap
  readonly #lines: readonly string[] | undefined
  readonly #contents = new Map<string, readonly string[]>()

  /** With `bundle` (the bundle's text), columns are exact after characters above U+FFFF: the interpreter counts each as one column. */
  constructor(map: SourceMap, bundle?: string) {
    this.#map = map
    this.#trace = new TraceMap(map as unknown as ConstructorParameters<typeof TraceMap>[0])
    this.#lines = bundle !== undefined && /[\ud800-\udbff]/.test(bundle) ? bundle.split('\n') : undefined
  }

  /** Maps a position from the interpreter: line from 1, column from 1 in code points. */
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

  /** Maps a position: line and column from 1, columns in UTF-16 units. */
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
