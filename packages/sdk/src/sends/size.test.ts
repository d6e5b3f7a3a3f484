import { gzipSync } from 'node:zlib'
import { build, type Metafile } from 'esbuild'
import { expect, it } from 'vitest'

/** Bytes of what an application adds when it imports this, gzipped. viem, which it has, does not count. */
async function gzipped(source: string): Promise<{ readonly bytes: number; readonly inputs: readonly string[] }> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: source, resolveDir: new URL('../..', import.meta.url).pathname, loader: 'ts' },
    ...{ bundle: true, minify: true, format: 'esm', platform: 'browser', target: 'es2022', write: false, metafile: true },
    external: ['viem', 'viem/*'],
    conditions: ['@quoin/source'],
    logLevel: 'error',
  })
  return { bytes: gzipSync(outputFiles[0]!.contents, { level: 9 }).length, inputs: usedInputs(metafile) }
}

const usedInputs = ({ outputs }: Metafile): readonly string[] =>
  Object.values(outputs).flatMap(({ inputs }) => Object.keys(inputs).filter((name) => inputs[name]!.bytesInOutput > 0))

it('costs little, and needs nothing of Node.js', async () => {
  const sends = await gzipped(`export { trackedSends } from '@quoin/sdk'`)
  const browser = await gzipped(`export { indexedDb } from '@quoin/sdk/store/browser'`)
  const memory = await gzipped(`export { memoryStore } from '@quoin/sdk'`)
  console.log(`gzipped: sends ${sends.bytes} B, indexedDb ${browser.bytes} B, memoryStore ${memory.bytes} B`)
  expect(sends.bytes).toBeLessThan(10_752)
  expect(browser.bytes).toBeLessThan(4_096)
  // Sends bring no store, and a store no sends.
  expect(sends.inputs.filter((input) => input.includes('store/'))).toEqual([])
  expect([...memory.inputs, ...browser.inputs].filter((input) => input.includes('sends/'))).toEqual([])
})
