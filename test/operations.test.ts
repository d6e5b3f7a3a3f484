import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { LIVE_KEYS } from '../packages/node/src/config/index.ts'
import { CONDITIONS } from '../packages/node/src/health/conditions.ts'
import { EXIT_CODE } from '../packages/node/src/validator/exit-code.ts'

const guide = readFileSync(new URL('../docs/operations.md', import.meta.url), 'utf8')

/** Table rows whose first two cells match. */
const rows = (pattern: RegExp): Readonly<Record<string, string>> =>
  Object.fromEntries([...guide.matchAll(pattern)].map(([, first, second]) => [first!, second!]))

it('the guide for operators has every exit code', () => {
  const documented = rows(/^\| (\d+) \| `([a-z-]+)` \|/gm)
  expect(documented).toEqual(Object.fromEntries(Object.entries(EXIT_CODE).map(([name, code]) => [String(code), name])))
})

it('and every condition with its severity', () => {
  expect(rows(/^\| `([a-z-]+)` \| (fatal|unready|warning) \|/gm)).toEqual(CONDITIONS)
})

it('and every setting that a running node takes over', () => {
  for (const path of LIVE_KEYS) expect(guide).toContain(`\`${path}\``)
})
