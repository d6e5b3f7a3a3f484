import { expect, it } from 'vitest'
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
