import { expect, it } from 'vitest'
import { buildFiles, built } from '../../test/build/project.ts'
import { TOKEN } from '../../test/build/sources.ts'

it('x', async () => {
  const t = performance.now()
  const r = built(await buildFiles(TOKEN))
  console.log(
    performance.now() - t,
    r.source.length,
    r.code.length,
    r.creationGas,
    r.layout,
    r.sourceMap.sources,
    r.source.slice(0, 3000),
  )
  expect(r.name).toBe('token')
})
