import { RpcRequestError } from 'viem'
import { describe, expect, it } from 'vitest'
import { ConnectionError } from '../errors.ts'
import { REFUSAL_REASONS } from '../refusals.ts'
import { heightAskedFor, kindOf, verdictOf } from './failover.ts'

const refused = (code: number, message: string, data?: unknown) =>
  new RpcRequestError({ body: { method: 'eth_x' }, url: 'http://a', error: { code, message, data } })

describe('kindOf', () => {
  it.each([
    ['eth_call', 'read'],
    ['quoin_getProof', 'read'],
    ['debug_traceCall', 'read'],
    ['eth_sendRawTransaction', 'send'],
    ['eth_sendRawTransactionSync', 'send'],
    ['eth_newFilter', 'make-filter'],
    ['eth_getFilterLogs', 'use-filter'],
    ['eth_sendTransaction', 'once'],
    ['eth_signTypedData_v4', 'once'],
    ['anvil_mine', 'once'],
    ['wallet_addEthereumChain', 'once'],
  ])('%s: %s', (method, kind) => {
    expect(kindOf(method)).toBe(kind)
  })
})

describe('verdictOf', () => {
  const never = () => false
  it.each(Object.entries(REFUSAL_REASONS).filter(([reason]) => reason !== 'already-known'))(
    'a refusal says itself whose it is: %s, %s',
    (reason, scope) => {
      expect(verdictOf(refused(-32000, 'x', { reason, scope }), 'eth_call', never)).toBe(scope === 'node' ? 'next' : 'throw')
    },
  )

  it.each([
    [refused(-32005, 'limit exceeded'), 'next'],
    [refused(-32603, 'internal error'), 'next'],
    [refused(-32601, 'method not found'), 'next'],
    [refused(-32000, 'nonce too low'), 'throw'],
    [refused(-32602, 'invalid address'), 'throw'],
    [refused(3, 'execution reverted', '0x'), 'throw'],
    [new ConnectionError('lost', 'http://a', 'lost'), 'next'],
    [new Error('fetch failed'), 'next'],
  ] as const)('%s: %s', (error, verdict) => {
    expect(verdictOf(error, 'eth_call', never)).toBe(verdict)
  })

  it.each([refused(-32001, 'block not found'), refused(-32602, 'block 9 is beyond the head')])(
    'a missing block means the next node only if another one has shown it: %s',
    (error) => {
      expect(verdictOf(error, 'eth_call', never)).toBe('throw')
      expect(verdictOf(error, 'eth_call', () => true)).toBe('next')
    },
  )

  it('a transaction that is there already was sent', () => {
    for (const error of [refused(-32000, 'already known'), refused(-32003, 'x', { reason: 'already-known', scope: 'chain' })]) {
      expect(verdictOf(error, 'eth_sendRawTransaction', never)).toBe('known')
      expect(verdictOf(error, 'eth_sendRawTransactionSync', never)).toBe('next')
    }
  })
})

it('heightAskedFor reads numbers, ranges and objects', () => {
  expect(heightAskedFor(['0x10', false])).toBe(16)
  expect(heightAskedFor([{ fromBlock: '0x1', toBlock: '0x20' }])).toBe(32)
  expect(heightAskedFor([{ to: `0x${'1'.repeat(40)}` }, { blockNumber: '0x7' }])).toBe(7)
  expect(heightAskedFor(['latest'])).toBeUndefined()
  expect(heightAskedFor(undefined)).toBeUndefined()
})
