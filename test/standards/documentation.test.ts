import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { complaints, Project } from '../../packages/contracts/test/build/project.ts'

const TEXT = readFileSync(new URL('../../docs/standards.md', import.meta.url), 'utf8')

/** The page's contracts, by their heading. */
const examples = TEXT.split(/^## /m).flatMap((section) => {
  const title = section.slice(0, section.indexOf('\n')).replace(/^# /, '')
  return [...section.matchAll(/^```ts\n(.*?)^```/gms)].map((match, i) => ({
    name: `${title}-${i}`.toLowerCase().replace(/\W+/g, '-'),
    source: match[1]!,
  }))
})

describe('docs/standards.md', () => {
  let project: Project
  beforeAll(() => {
    project = new Project(Object.fromEntries(examples.map(({ name, source }) => [`contracts/${name}.ts`, source])))
  })
  afterAll(() => project.remove())

  it('has an example for each of the standards, all of which build as they stand there, types included', async () => {
    expect(examples.length).toBeGreaterThanOrEqual(9)
    const entries = examples.map(({ name }) => `contracts/${name}.ts`)
    const result = await project.build(entries, { typeCheck: true })
    expect(result.ok ? [] : complaints(result)).toEqual([])
  })

  it('tells of each module that the package has', () => {
    const { exports } = JSON.parse(readFileSync(new URL('../../packages/contracts/package.json', import.meta.url), 'utf8')) as {
      readonly exports: Readonly<Record<string, { readonly default?: string }>>
    }
    const modules = Object.entries(exports).flatMap(([name, { default: file }]) =>
      file?.includes('/standards/') ? [name.slice(2)] : [],
    )
    expect(modules.length).toBeGreaterThanOrEqual(15)
    for (const name of modules)
      expect(TEXT).toContain(name.startsWith('presets/') ? `\`${name}\`` : `\`@quoin/contracts/${name}\``)
  })

  it('keeps a token with permit within 12 kB', async () => {
    const source = examples.find(({ name }) => name.startsWith('permit'))!
    const result = await project.build([`contracts/${source.name}.ts`])
    if (!result.ok) throw new Error(complaints(result).join('\n'))
    expect(Buffer.byteLength(result.value[0]!.source)).toBeLessThan(12_000)
  })
})
