import { unwrap } from '@quoin/protocol'
import { expect, it } from 'vitest'
import { loadConfig } from '../config/index.ts'
import { DEFAULT_RPC_LIMITS } from '../rpc/limits.ts'
import { rpcSettingsOf } from './rpc-settings.ts'

const NO_FILES = { secret: undefined, keys: [], tls: undefined }
const configOf = (env: Readonly<Record<string, string>>) => unwrap(loadConfig({ file: undefined, env, flags: {} }))

it('a node without settings has the limits of the RPC itself', () => {
  expect(rpcSettingsOf(configOf({}), NO_FILES).limits).toEqual(DEFAULT_RPC_LIMITS)
})

it('a setting changes its limit, and those that follow from it', () => {
  const bodyBytesMax = 100 * 1024 * 1024
  expect(
    rpcSettingsOf(configOf({ QUOIN_RPC_BODY_BYTES: `${bodyBytesMax}`, QUOIN_RPC_CONNECTIONS: '10' }), NO_FILES).limits,
  ).toEqual({
    ...DEFAULT_RPC_LIMITS,
    bodyBytesMax,
    heldBytesMax: 2 * (bodyBytesMax + DEFAULT_RPC_LIMITS.responseBytesMax),
    connectionsMax: 10,
    connectionsPerRemoteMax: 10,
  })
})
