import { err, ok, type Result, type SignedTransaction } from '@quoin/protocol'
import { describe, expect, it } from 'vitest'
import type { Origin, PoolRefusal } from '../mempool/types.ts'
import { encodeTransactionsPayload, GOSSIP_LIMITS, TransactionGossip } from './transaction-gossip.ts'

/** A pool that answers by the first byte of a transaction, and a clock with one timer. */
function setUp() {
  let listener: (transaction: SignedTransaction, origin: Origin) => void = () => {}
  let timer: (() => void) | undefined
  const published: Uint8Array[] = []
  const answers: Readonly<Record<number, Result<SignedTransaction, PoolRefusal>>> = {
    1: ok({} as SignedTransaction),
    2: err({ code: 'already-known', message: '' }),
    3: err({ code: 'nonce-too-low', message: '' }),
    4: err({ code: 'bad-signature', message: '' }),
  }
  const gossip = new TransactionGossip(
    {
      add: async (raw) => answers[raw[0]!]!,
      onAdmitted(given) {
        listener = given
        return () => {
          listener = () => {}
        }
      },
    },
    { publish: (payload) => published.push(payload) },
    {
      after(ms, action) {
        expect(ms).toBe(GOSSIP_LIMITS.coalesceMs)
        timer = action
        return () => {
          timer = undefined
        }
      },
    },
  )
  return {
    gossip,
    published,
    admit: (raw: Uint8Array, origin: Origin = 'rpc') => listener({ raw } as SignedTransaction, origin),
    elapse() {
      const action = timer
      timer = undefined
      action?.()
    },
    hasTimer: () => timer !== undefined,
  }
}

const raw = (first: number, length = 100) => new Uint8Array(length).fill(first)

describe('spreading transactions', () => {
  it('sends the first at once, and what follows within the window together', () => {
    const { published, admit, elapse, hasTimer } = setUp()
    admit(raw(1))
    expect(published).toEqual([encodeTransactionsPayload([raw(1)])])
    admit(raw(2))
    admit(raw(3))
    expect(published).toHaveLength(1)
    elapse()
    expect(published[1]).toEqual(encodeTransactionsPayload([raw(2), raw(3)]))
    // The window of that payload ends without company: the next transaction leaves at once again.
    elapse()
    expect(hasTimer()).toBe(false)
    admit(raw(4))
    expect(published).toHaveLength(3)
  })

  it('sends a full batch before its window ends', () => {
    const { published, admit, gossip } = setUp()
    admit(raw(1))
    const count = Math.ceil(GOSSIP_LIMITS.payloadBytesMin / 1_000)
    for (let i = 0; i < count; i++) admit(raw(2, 1_000))
    expect(published).toHaveLength(2)
    expect(gossip.counters).toEqual({ payloads: 2, transactions: 1 + count })
  })

  it('leaves to the mesh what came by gossip', () => {
    const { published, admit } = setUp()
    admit(raw(1), 'gossip')
    expect(published).toEqual([])
    admit(raw(1), 'restored')
    expect(published).toHaveLength(1)
  })

  it('sends nothing after close', () => {
    const { published, admit, gossip, hasTimer } = setUp()
    admit(raw(1))
    admit(raw(2))
    gossip.close()
    expect(hasTimer()).toBe(false)
    admit(raw(3))
    expect(published).toHaveLength(1)
  })
})

describe('a payload from a peer', () => {
  const verdict = (...kinds: readonly number[]) =>
    setUp().gossip.onPayload('peer', encodeTransactionsPayload(kinds.map((kind) => raw(kind))))

  it('is spread on when it holds something admitted or known, and dropped when all of it is merely refused', async () => {
    expect(await verdict(3, 1)).toBe('accept')
    expect(await verdict(2)).toBe('accept')
    expect(await verdict(3, 3)).toBe('ignore')
  })

  it('costs the peer its score when it holds what no honest pool admits, nothing, or garbage', async () => {
    expect(await verdict(1, 4)).toBe('reject')
    expect(await verdict()).toBe('reject')
    expect(await setUp().gossip.onPayload('peer', Uint8Array.of(1, 2, 3))).toBe('reject')
  })
})
