import { describe, expect, it } from 'vitest'
import { RpcError } from './errors.ts'
import { Quota } from './quota.ts'

describe('a quota', () => {
  it('limits each client, and all clients together', () => {
    const quota = new Quota('things', 5, 3)
    quota.take('a', 3)
    expect(() => quota.take('a', 1)).toThrow(
      new RpcError(
        'quota-exceeded',
        'too many things: a has 3, the limit per address is 3; remove some first, or use another node',
      ),
    )
    const release = quota.take('b', 2)
    expect(() => quota.take('c', 1)).toThrow(/all clients together have 5, the limit is 5/)
    release()
    quota.take('c', 2)
  })

  it('takes nothing when it refuses, and releases only once', () => {
    const quota = new Quota('things', 4, 4)
    const release = quota.take('a', 2)
    expect(() => quota.take('a', 3)).toThrow(RpcError)
    quota.take('a', 2)
    release()
    release()
    expect(() => quota.take('a', 3)).toThrow(RpcError)
    quota.take('a', 2)
  })
})
