import { expect, it } from 'vitest'
import { diagnosticAt, formatDiagnostic, sortDiagnostics } from './diagnostic.ts'
import { BUILD_LIMITS } from './limits.ts'

it('prints file, line and column, and the line with a caret below its character', () => {
  const place = { file: 'contracts/token.ts', line: 12, column: 7, lineText: '\tlet x = Date.now()' }
  expect(formatDiagnostic(diagnosticAt(place, 'Date is not available in contracts.'))).toBe(
    'contracts/token.ts:12:7: Date is not available in contracts.\n  12 | \tlet x = Date.now()\n       \t     ^',
  )
  expect(formatDiagnostic(diagnosticAt('tsconfig.json', 'there is none'))).toBe('tsconfig.json: there is none')
})

it('removes duplicates, sorts by file and line, and limits the number', () => {
  const at = (file: string, line: number) => diagnosticAt({ file, line, column: 1, lineText: '' }, 'no')
  const sorted = sortDiagnostics([at('b.ts', 2), at('a.ts', 10), at('b.ts', 2), at('a.ts', 9)])
  expect(sorted.map(({ file, line }) => `${file}:${line}`)).toEqual(['a.ts:9', 'a.ts:10', 'b.ts:2'])
  const many = Array.from({ length: BUILD_LIMITS.diagnosticsMax + 1 }, (_, i) => at('a.ts', i))
  expect(sortDiagnostics(many)).toHaveLength(BUILD_LIMITS.diagnosticsMax)
})
