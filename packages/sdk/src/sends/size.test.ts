import { gzipSync } from 'node:zlib'
import { build, type Metafile, type Plugin } from 'esbuild'
import { expect, it } from 'vitest'

/** Leaves out what is imported when it is needed. */
const later: Plugin = {
  name: 'later',
  setup: (builder) => {
    builder.onResolve({ filter: /./ }, ({ kind, path }) => (kind === 'dynamic-import' ? { path, external: true } : undefined))
  },
}

/** What an application adds when it imports something, gzipped. viem, which it has, does not count. */
async function gzipped(
  source: string,
  plugins: Plugin[] = [later],
): Promise<{ readonly bytes: number; readonly inputs: readonly string[] }> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: source, resolveDir: new URL('../..', import.meta.url).pathname, loader: 'ts' },
    ...{ bundle: true, minify: true, format: 'esm', platform: 'browser', target: 'es2022', write: false, metafile: true },
    ...{ external: ['viem', 'viem/*'], plugins, conditions: ['@quoin/source'], logLevel: 'error' },
  })
  return { bytes: gzipSync(outputFiles[0]!.contents, { level: 9 }).length, inputs: usedInputs(metafile) }
}

const usedInputs = ({ outputs }: Metafile): readonly string[] =>
  Object.values(outputs).flatMap(({ inputs }) => Object.keys(inputs).filter((name) => inputs[name]!.bytesInOutput > 0))

it('costs little, and needs nothing of Node.js', async () => {
  const sends = await gzipped(`export { trackedSends } from '@quoin/sdk'`)
  const owner = await gzipped(`export { trackedSends } from '@quoin/sdk'`, [])
  const browser = await gzipped(`export { indexedDb } from '@quoin/sdk/store/browser'`)
  const memory = await gzipped(`export { memoryStore } from '@quoin/sdk'`)
  console.log(`gzipped: sends ${sends.bytes} B, for the owner of a key ${owner.bytes} B, indexedDb ${browser.bytes} B`)
  expect(sends.bytes).toBeLessThan(8_000)
  // With what only the owner of a key loads: it signs and sends.
  expect(owner.bytes).toBeLessThan(11_400)
  expect(browser.bytes).toBeLessThan(4_096)
  // Sends bring no store, and a store no sends.
  expect(sends.inputs.filter((input) => input.includes('store/'))).toEqual([])
  expect([...memory.inputs, ...browser.inputs].filter((input) => input.includes('sends/'))).toEqual([])
})
