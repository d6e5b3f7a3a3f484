import { BaseError, LimitExceededRpcError, RpcRequestError } from 'viem'
import { describe, expect, it } from 'vitest'
import { BehindError, ConnectionError, NodesFailedError, QuoinError, refusalOf, WrongChainError } from './errors.ts'

const refused = (code: number, message: string, data?: unknown) =>
  new RpcRequestError({ body: { method: 'eth_x' }, url: 'http://a', error: { code, message, data } })

const FULL = refused(-32005, 'the pool is full', { reason: 'pool-full', scope: 'node', size: 9 })

describe('refusalOf', () => {
  it('finds the refusal behind the errors that viem wraps it in', () => {
    const wrapped = new BaseError('The contract function failed.', { cause: new LimitExceededRpcError(FULL) })
    expect(refusalOf(wrapped)).toEqual({
      ...{ reason: 'pool-full', scope: 'node', code: -32005, message: 'the pool is full' },
      data: { reason: 'pool-full', scope: 'node', size: 9 },
    })
  })

  it('finds the first refusal of the nodes of a cluster', () => {
    const lost = new ConnectionError('lost', 'http://a', 'The connection was lost.')
    const failures = [lost, FULL].map((error) => ({ url: 'http://a', error }))
    expect(refusalOf(new NodesFailedError('eth_x', failures))).toMatchObject({ reason: 'pool-full' })
  })

  it('knows the two codes whose data is hex by a standard', () => {
    expect(refusalOf(refused(3, 'execution reverted', '0x08c3'))).toMatchObject({
      reason: 'reverted',
      scope: 'chain',
      data: '0x08c3',
    })
    expect(refusalOf(refused(4, 'not included', '0xab'))).toMatchObject({ reason: 'not-included', scope: 'chain', data: '0xab' })
  })

  it('keeps a word that only newer nodes know', () => {
    expect(refusalOf(refused(-32000, 'x', { reason: 'new-word', scope: 'chain' }))).toMatchObject({ reason: 'new-word' })
  })

  it.each([
    ['no error', undefined],
    ['a text', 'pool-full'],
    ['another error', new Error('x')],
    ['a refusal without data', refused(-32000, 'x')],
    ['an unknown scope', refused(-32000, 'x', { reason: 'pool-full', scope: 'world' })],
  ])('is undefined for %s', (_, error) => {
    expect(refusalOf(error)).toBeUndefined()
  })

  it('ends if an error is its own cause', () => {
    const circle = new Error('x')
    circle.cause = circle
    expect(refusalOf(circle)).toBeUndefined()
  })
})

describe('errors', () => {
  it("are viem's, and say what happened at each node", () => {
    const lost = new ConnectionError('lost', 'http://b', 'The connection to http://b was lost.', new Error('ECONNRESET'))
    const error = new NodesFailedError('eth_x', [
      { url: 'http://a', error: FULL },
      { url: 'http://b', error: lost },
    ])
    expect(error).toBeInstanceOf(QuoinError)
    expect(error).toBeInstanceOf(BaseError)
    expect(error.message).toContain('http://a: RPC Request failed. (the pool is full)')
    expect(error.message).toContain('http://b: The connection to http://b was lost. (ECONNRESET)')
    expect(error.name).toBe('NodesFailedError')
  })

  it('have a reason to tell them apart by', () => {
    expect(new BehindError(7, 9)).toMatchObject({ reason: 'behind', height: 7, minHeight: 9 })
    expect(new BehindError(undefined, 9).message).toContain('block 9')
    expect(new WrongChainError('chain-id', 'http://a', '1', '2').message).toContain('the chain id is 2, not 1')
  })
})
