import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { type BuildOptions, build, type Plugin } from 'esbuild'
import { expect, it } from 'vitest'

/** Modules that are imported later, if at all, are no part of what is loaded first. */
const later: Plugin = {
  name: 'later',
  setup: (builder) => {
    builder.onResolve({ filter: /./ }, ({ kind, path }) => (kind === 'dynamic-import' ? { path, external: true } : undefined))
  },
}

const FOR_BROWSERS = {
  ...{ bundle: true, minify: true, write: false, format: 'esm', platform: 'browser', target: 'es2023' },
  conditions: ['@quoin/source'],
  logLevel: 'silent',
} as const satisfies BuildOptions

const stdin = (contents: string): BuildOptions => ({
  stdin: { contents, resolveDir: fileURLToPath(new URL('../packages/sdk', import.meta.url)), loader: 'ts' },
})

/** What a browser loads with a module, in bytes after gzip, without what `external` names. Fails if the module needs anything of Node.js. */
async function gzippedBytes(contents: string, external: readonly string[] = []): Promise<number> {
  const { outputFiles } = await build({ ...stdin(contents), ...FOR_BROWSERS, plugins: [later], external: [...external] })
  return gzipSync(outputFiles[0]!.contents, { level: 9 }).length
}

/** Client, cluster and streams together may add 15 kB to viem's client. This is the part of client and cluster. */
const CLUSTER_BYTES_MAX = 9_700

it('a client over a cluster adds at most 9.7 kB to a client of viem over HTTP', async () => {
  const viem = await gzippedBytes(`export { createClient, http } from 'viem'`)
  const ours = await gzippedBytes(`export { createClient } from 'viem'; export { cluster, fetchChain } from '@quoin/sdk'`)
  expect(ours - viem).toBeLessThanOrEqual(CLUSTER_BYTES_MAX)
})

/** With streams of events and watched reads. */
const STREAMS_BYTES_MAX = 14_700

it('with streams of events and merges it adds at most 14.7 kB', async () => {
  const viem = await gzippedBytes(`export { createClient, http, decodeEventLog, encodeEventTopics } from 'viem'`)
  const names = 'cluster, fetchChain, streamContractEvents, merge'
  const ours = await gzippedBytes(
    `export { createClient, decodeEventLog, encodeEventTopics } from 'viem'; export { ${names} } from '@quoin/sdk'`,
  )
  expect(ours - viem).toBeLessThanOrEqual(STREAMS_BYTES_MAX)
})

/** What an application that has the four has anyway. */
const REACT_PEERS = ['react', 'wagmi', '@tanstack/react-query', 'viem', 'viem/*']
/** All hooks, with what they need of streams and watched reads. */
const HOOKS_BYTES_MAX = 6_500
/** The hooks themselves. */
const HOOKS_ALONE_BYTES_MAX = 2_300

it('the hooks for React add at most 6.5 kB to their peers, 2.3 kB of them to an application that streams, watches and sends', async () => {
  const hooks = `export * from '@quoin/sdk/react'`
  const core = `export { cluster, streamContractEvents, trackedSends, watchReadContract } from '@quoin/sdk'`
  expect(await gzippedBytes(hooks, REACT_PEERS)).toBeLessThanOrEqual(HOOKS_BYTES_MAX)
  const added = (await gzippedBytes(`${core}; ${hooks}`, REACT_PEERS)) - (await gzippedBytes(core, REACT_PEERS))
  expect(added).toBeLessThanOrEqual(HOOKS_ALONE_BYTES_MAX)
})

it('an application without React loads nothing of it', async () => {
  const { metafile } = await build({ ...stdin(`export * from '@quoin/sdk'`), ...FOR_BROWSERS, metafile: true })
  expect(
    Object.keys(metafile.inputs).filter((path) => /node_modules\/(react|wagmi|@tanstack)|sdk\/src\/react/.test(path)),
  ).toEqual([])
})

it('importing a name that is not used costs nothing: no module has an effect', async () => {
  expect(await gzippedBytes(`import { cluster } from '@quoin/sdk'; export const a = 1`)).toBeLessThan(100)
})

it('one import of a verifier brings nothing else of the protocol', async () => {
  const all = await gzippedBytes(`export * from '@quoin/protocol'`)
  expect(all).toBeGreaterThan(20_000)
  expect(await gzippedBytes(`export { verifyStateProof } from '@quoin/protocol'`)).toBeLessThan(2_000)
})
