import { parseAbi, toHex } from 'viem'
import { expect, it } from 'vitest'
import { containerOf } from '../../../../test/contracts/contract.mjs'
import { openTestNode } from '../../test/chain.ts'
import { crypto, oneValidator } from '../../test/fixture.ts'
import { testBackend, testCall } from '../../test/rpc.ts'
import { type JsonText, PIECE_CHARS } from './json-text.ts'
import { rpcMethods } from './methods/index.ts'

const SOMEWHERE = `0x${'5a'.repeat(20)}`
const BYTES = 1_000_000
const SOURCE = `export default { fallback: () => new Uint8Array(${BYTES}), functions: {} }`

it('the data that a call returns is sent in pieces, and counted as memory', async () => {
  const node = await openTestNode({ crypto, validators: oneValidator })
  const backend = testBackend(node, crypto)
  const overrides = { [SOMEWHERE]: { code: toHex(containerOf(SOURCE, parseAbi(['fallback() external']))) } }
  const given = { to: SOMEWHERE, data: '0x01' }
  for (const [name, params] of [
    ['eth_call', [given, 'latest', overrides]],
    ['eth_simulateV1', [{ blockStateCalls: [{ stateOverrides: overrides, calls: [given] }] }, 'latest']],
    ['debug_traceCall', [given, 'latest', { tracer: 'callTracer', stateOverrides: overrides }]],
  ] as const) {
    const { call } = testCall(backend)
    const held: number[] = []
    call.hold = (bytes) => void held.push(bytes)
    const text = (await rpcMethods[name]!.run(backend, params, call)) as JsonText
    const json = text.pieces.join('')
    expect([name, json.includes(`"0x${'00'.repeat(BYTES)}"`)]).toEqual([name, true])
    JSON.parse(json)
    expect(held).toEqual([json.length])
    expect(text.pieces.every(({ length }) => length <= PIECE_CHARS)).toBe(true)
    call.end()
  }
})
