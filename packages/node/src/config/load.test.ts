import { expect, it } from 'vitest'
import { namedKeys } from './keys.ts'
import { configTemplate, loadConfig, loadWithShadows } from './load.ts'

const load = (text: string) => loadConfig({ file: { name: 'config.toml', text }, env: {}, flags: {} })

it('names the new path of a renamed key', () => {
  expect(load('[p2p]\nip-filter = true\n')).toMatchObject({
    ok: false,
    error: { message: 'config.toml: p2p.ip-filter was renamed to p2p.filter-by-address: rename it in the file' },
  })
})

it('loads its own template as the defaults', () => {
  expect(load(configTemplate())).toEqual(load(''))
})

it('reports keys of the file that the environment or a flag overrides with another value', () => {
  const file = { name: 'config.toml', text: '[rpc]\nbatch-items = 7\nport = 1\ncors-origins = ["a"]\nbody-bytes = 2000000\n' }
  const env = { QUOIN_RPC_BATCH_ITEMS: '9', QUOIN_RPC_BODY_BYTES: '2000000', QUOIN_LOG_LEVEL: 'debug' }
  const flags = { '--rpc-port': '2', '--rpc-cors-origins': 'a' }
  expect(loadWithShadows({ file, env, flags })).toMatchObject({
    ok: true,
    value: { shadowed: ['rpc.port by --rpc-port', 'rpc.batch-items by QUOIN_RPC_BATCH_ITEMS'] },
  })
})

it.each([
  ['one item', '/ip4/0.0.0.0/tcp/1', ['/ip4/0.0.0.0/tcp/1']],
  ['items separated by commas', 'a,b , c', ['a', 'b', 'c']],
  ['a JSON list, as the help shows a default', ' ["a", "b, c"]', ['a', 'b, c']],
  ['an empty JSON list', '[]', []],
  ['an empty text', ' ', []],
])('reads a list from a flag or the environment: %s', (_, text, list) => {
  const sources = { file: undefined, env: {}, flags: {} }
  for (const named of [{ flags: { '--p2p-listen': text } }, { env: { QUOIN_P2P_LISTEN: text } }])
    expect(loadConfig({ ...sources, ...named })).toMatchObject({ ok: true, value: { p2p: { listen: list } } })
})

it.each(['["a"', '[1]', '[["a"]]', '["a"],b'])('refuses the list %s', (text) => {
  expect(loadConfig({ file: undefined, env: {}, flags: { '--p2p-listen': text } })).toMatchObject({
    ok: false,
    error: { message: `--p2p-listen ${text}: must be a list of at most 32 strings` },
  })
})

it('reads every default as the help shows it', () => {
  const flags = Object.fromEntries(
    namedKeys.filter(({ key }) => key.kind === 'list').map(({ flag, key }) => [flag, JSON.stringify(key.default)]),
  )
  expect(Object.keys(flags).length).toBeGreaterThan(3)
  expect(loadConfig({ file: undefined, env: {}, flags })).toEqual(load(''))
})
