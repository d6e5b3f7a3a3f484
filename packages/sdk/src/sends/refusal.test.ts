import { createClient, custom, HttpRequestError, RpcRequestError, TimeoutError } from 'viem'
import { describe, expect, it } from 'vitest'
import { outcomeOf } from './refusal.ts'

/** The error that viem's client gives for a node's answer. */
async function errorFor(answer: unknown): Promise<unknown> {
  const client = createClient({ transport: custom({ request: () => Promise.reject(answer) }, { retryCount: 0 }) })
  return client.request({ method: 'eth_chainId' }).then(
    () => expect.unreachable(),
    (failure: unknown) => failure,
  )
}
const answered = (code: number, message: string, data?: unknown) =>
  errorFor(new RpcRequestError({ body: {}, url: 'http://node', error: { code, message, data } }))

describe('a failed send is', () => {
  it.each([
    ['nonce too low: next nonce 5, tx nonce 4', 'nonce-too-low', 'used'],
    ['already known', 'already-known', 'known'],
    ['insufficient funds for gas * price + value: have 1 want 2', 'insufficient-funds', 'refused'],
    ['intrinsic gas too low: want 21000', 'intrinsic-gas-too-low', 'refused'],
    ['transaction type not valid', 'transaction-type', 'refused'],
    ['nonce too high: the pool accepts nonces up to 9 for this sender now, tx nonce 10', 'nonce-too-high', 'postponed'],
    ['nonce too high: 256 transactions of this sender are queued behind the missing nonce 3', 'sender-queue-full', 'postponed'],
    ['replacement transaction underpriced', 'underpriced-replacement', 'postponed'],
  ])('%s: chain', async (message, reason, kind) => {
    expect(outcomeOf(await answered(-32003, message))).toMatchObject({ kind })
    const told = outcomeOf(await answered(-32003, message, { reason, scope: 'chain' }))
    expect(told).toMatchObject({ kind, ...(kind === 'refused' ? { refusal: reason } : {}) })
  })

  it.each([
    ['txpool is full: send the transaction again later', 'pool-full'],
    ['the node is overloaded', 'overloaded'],
    ['transaction is quarantined: the contract interpreter of this node failed on it; send it to another node', 'quarantined'],
    ['the node is stopping', 'stopped'],
  ])('%s: node', async (message, reason) => {
    expect(outcomeOf(await answered(-32003, message))).toMatchObject({ kind: 'postponed' })
    expect(outcomeOf(await answered(-32005, message, { reason, scope: 'node' }))).toMatchObject({ kind: 'postponed' })
    // A word that this version does not know.
    expect(outcomeOf(await answered(-32005, message, { reason: 'new-reason', scope: 'node' }))).toMatchObject({
      kind: 'postponed',
    })
  })

  it('unknown without an answer, or with a node that broke', async () => {
    const url = 'http://node'
    for (const failure of [
      new HttpRequestError({ url }),
      new TimeoutError({ body: {}, url }),
      new Error('reset'),
      new DOMException('', 'AbortError'),
    ]) {
      expect(outcomeOf(await errorFor(failure))).toMatchObject({ kind: 'unknown' })
    }
    expect(outcomeOf(await answered(-32603, 'internal error'))).toMatchObject({ kind: 'unknown' })
    expect(outcomeOf(undefined)).toMatchObject({ kind: 'unknown' })
  })

  it('refused by name if it reverts', async () => {
    expect(outcomeOf(await answered(3, 'execution reverted: closed', '0x'))).toMatchObject({
      kind: 'refused',
      refusal: 'reverted',
    })
  })
})
