import { BUILD_LIMITS } from './limits.ts'

/** An error in a project, for its author. */
export interface Diagnostic {
  /** Path relative to the project, with forward slashes. The path of a package's file begins with the package's name. */
  readonly file: string
  /** From 1, like `column`; undefined if the diagnostic is about the whole file. */
  readonly line: number | undefined
  /** In UTF-16 units. */
  readonly column: number | undefined
  readonly message: string
  /** Text of the line; empty if there is none. */
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

/** Formats a diagnostic as `contracts/token.ts:12:7: message`, followed by the source line and a caret. */
export function formatDiagnostic({ file, line, column, message, lineText }: Diagnostic): string {
  if (line === undefined || column === undefined) return `${file}: ${message}`
  const head = `${file}:${line}:${column}: ${message}`
  if (lineText.trim() === '') return head
  const gutter = `${line} | `
  // Tabs stay tabs in front of the caret, so that it is aligned for any tab width.
  const indent = lineText.slice(0, column - 1).replace(/[^\t]/gu, ' ')
  return `${head}\n  ${gutter}${lineText}\n  ${' '.repeat(gutter.length)}${indent}^`
}

/** Formats diagnostics, separated by empty lines. */
export const formatDiagnostics = (diagnostics: readonly Diagnostic[]): string => diagnostics.map(formatDiagnostic).join('\n\n')

/** Removes duplicates, sorts by file and position, and keeps at most `diagnosticsMax`. */
export function sortDiagnostics(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const unique = new Map(diagnostics.map((one) => [formatDiagnostic(one), one]))
  const sorted = [...unique.values()].sort(
    (a, b) => compare(a.file, b.file) || compare(a.line ?? 0, b.line ?? 0) || compare(a.column ?? 0, b.column ?? 0),
  )
  return sorted.slice(0, BUILD_LIMITS.diagnosticsMax)
}

const compare = <T extends string | number>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0)
