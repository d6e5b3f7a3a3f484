import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { complaints, Project } from '../packages/contracts/test/build/project.ts'

/** Complete contracts on pages that no other test covers. */
const contracts = ['README.md', 'docs/kit.md'].flatMap((page) => {
  const text = readFileSync(new URL(`../${page}`, import.meta.url), 'utf8')
  const blocks = [...text.matchAll(/^```ts\n(.*?)^```/gms)].map((match) => match[1]!)
  return blocks
    .filter((block) => block.includes('export default contract('))
    .map((source, i) => [`contracts/${page.toLowerCase().replace(/\W+/g, '-')}-${i}.ts`, source] as const)
})

let project: Project
beforeAll(() => {
  project = new Project(Object.fromEntries(contracts))
})
afterAll(() => project.remove())

it('contracts in the README and in the guide build unchanged, including types', async () => {
  expect(contracts.length).toBeGreaterThanOrEqual(3)
  const result = await project.build(
    contracts.map(([file]) => file),
    { typeCheck: true },
  )
  expect(result.ok ? [] : complaints(result)).toEqual([])
})
