import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { CONDITIONS, complaints, Project } from '../../test/build/project.ts'
import { ANSWER } from '../../test/build/sources.ts'
import { type BuildResult, watch } from './index.ts'

it('builds again when a file that was read changes, appears or is mended', async () => {
  const project = new Project({
    'contracts/token.ts': ANSWER('one', "import { one } from './lib/one.ts'"),
    'contracts/lib/one.ts': 'export const one = 1n',
  })
  const results: BuildResult[] = []
  let wake = () => {}
  const faults: unknown[] = []
  const options = {
    project: project.root,
    entries: ['contracts/token.ts'],
    typeCheck: false,
    conditions: CONDITIONS,
    outDir: 'out',
  }
  const session = watch(
    options,
    (result) => {
      results.push(result)
      wake()
    },
    { onFault: (fault) => faults.push(fault) },
  )
  /** Waits for a result that fulfils a condition. One save may cause several file system events, and so several results. */
  const resultThat = async (holds: (result: BuildResult) => boolean): Promise<BuildResult> => {
    for (;;) {
      const found = results.find(holds)
      results.length = 0
      if (found !== undefined) return found
      await new Promise<void>((done) => {
        wake = done
      })
    }
  }
  const artifact = () => readFileSync(join(project.root, 'out/token.js'), 'utf8')
  try {
    await resultThat(({ ok }) => ok)
    const first = artifact()
    project.write({ 'contracts/lib/one.ts': 'export const one = 2n' })
    await resultThat((result) => result.ok && artifact() !== first)
    project.write({ 'contracts/lib/one.ts': "export { one } from './two.ts'" })
    const broken = await resultThat(({ ok }) => !ok)
    expect(complaints(broken)).toEqual([expect.stringMatching(/^contracts\/lib\/one\.ts:1:21: Could not resolve/)])
    project.write({ 'contracts/lib/two.ts': 'export const one = 3n' })
    await resultThat(({ ok }) => ok)
    expect(faults).toEqual([])
  } finally {
    await session.close()
    project.remove()
  }
})
