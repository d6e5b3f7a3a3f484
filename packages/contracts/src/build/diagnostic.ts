import { BUILD_LIMITS } from './limits.ts'

/** One thing that is wrong with a project, for its author. */
export interface Diagnostic {
  /** Relative to the project, with forward slashes; a file of a package begins with the package's name. */
  readonly file: string
  /** From 1, as `column`; undefined when the whole file is meant. */
  readonly line: number | undefined
  /** In UTF-16 units. */
  readonly column: number | undefined
  readonly message: string
  /** The line's text, empty where there is none. */
  readonly lineText: string
}

/** A place in an author's file. */
export interface Place {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly lineText: string
}

/** A diagnostic at a place, or about a whole file. */
export function diagnosticAt(place: Place | string, message: string): Diagnostic {
  if (typeof place === 'string') return { file: place, line: undefined, column: undefined, message, lineText: '' }
  return { ...place, message, lineText: place.lineText.slice(0, BUILD_LIMITS.lineTextCharsMax) }
}

/** `contracts/token.ts:12:7: message`, and below it the line with a caret. */
export function formatDiagnostic({ file, line, column, message, lineText }: Diagnostic): string {
  if (line === undefined || column === undefined) return `${file}: ${message}`
  const head = `${file}:${line}:${column}: ${message}`
  if (lineText.trim() === '') return head
  const gutter = `${line} | `
  // Tabs stay tabs before the caret, so that it stands below its character whatever their width.
  const indent = lineText.slice(0, column - 1).replace(/[^\t]/gu, ' ')
  return `${head}\n  ${gutter}${lineText}\n  ${' '.repeat(gutter.length)}${indent}^`
}

/** All of them, with an empty line between two. */
export const formatDiagnostics = (diagnostics: readonly Diagnostic[]): string => diagnostics.map(formatDiagnostic).join('\n\n')

/** Each diagnostic once, by file and position, at most `diagnosticsMax`. */
export function sortDiagnostics(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const unique = new Map(diagnostics.map((one) => [formatDiagnostic(one), one]))
  const sorted = [...unique.values()].sort(
    (a, b) => compare(a.file, b.file) || compare(a.line ?? 0, b.line ?? 0) || compare(a.column ?? 0, b.column ?? 0),
  )
  return sorted.slice(0, BUILD_LIMITS.diagnosticsMax)
}

const compare = <T extends string | number>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0)
