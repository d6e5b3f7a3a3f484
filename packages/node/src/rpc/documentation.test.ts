import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { REFUSAL_REASONS, type Reason } from './refusal-reasons.ts'

const documentation = readFileSync(new URL('../../../../docs/json-rpc.md', import.meta.url), 'utf8')

function codesOf({ code, inCalls, inSimulations }: Reason): string {
  const others = [
    inCalls === undefined ? [] : [`${inCalls} in calls`],
    inSimulations === undefined ? [] : [`${inSimulations} simulated`],
  ]
  return [String(code), ...others.flat()].join(', ')
}

it('docs/json-rpc.md has a row for each reason of a refusal, and no other', () => {
  const table = documentation.slice(documentation.indexOf('\n### Reasons'), documentation.indexOf('\n### Which node'))
  const rows = table.split('\n').filter((line) => line.startsWith('| `'))
  expect(rows).toEqual(
    Object.entries(REFUSAL_REASONS).map(
      ([reason, listed]) => `| \`${reason}\` | ${codesOf(listed)} | ${listed.scope} | ${listed.meaning} |`,
    ),
  )
})
