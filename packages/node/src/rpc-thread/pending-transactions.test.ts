import type { Hash, SignedTransaction } from '@quoin/protocol'
import { expect, it, vi } from 'vitest'
import type { Admitted, Answers, Question } from './messages.ts'
import { LINK_LIMITS } from './node-link.ts'
import { PENDING_LIMITS, PendingTransactions } from './pending-transactions.ts'

type Asked = Extract<Question, { kind: 'transaction' }>

/** A node whose answers the test controls. */
function open() {
  const asked: (Asked & { readonly answer: (value: Answers['transaction']) => void; readonly fail: () => void })[] = []
  const decode = vi.fn(({ raw, sender }: Admitted) => ({ raw, sender }) as SignedTransaction)
  const ask = (question: Asked) =>
    new Promise<Answers['transaction']>((answer, reject) => {
      asked.push({ ...question, answer, fail: () => reject(new Error('the node is gone')) })
    })
  const pending = new PendingTransactions({ ask: ask as never }, decode)
  return { pending, asked, decode }
}

const hashOf = (i: number): Hash => `0x${i}` as Hash
const admitted = (bytes = 8): Admitted => ({ raw: new Uint8Array(bytes), sender: '0x' as never })

it('shares one question among concurrent calls, and decodes once', async () => {
  const { pending, asked, decode } = open()
  const all = Array.from({ length: 64 }, () => pending.get(hashOf(1)))
  expect(asked).toMatchObject([{ hash: hashOf(1), isKnown: false }])
  asked[0]!.answer(admitted())
  expect(new Set(await Promise.all(all)).size).toBe(1)
  expect(decode).toHaveBeenCalledTimes(1)
})

it('asks again for calls after an answer, without the bytes if they are cached', async () => {
  const { pending, asked, decode } = open()
  const before = pending.get(hashOf(1))
  asked[0]!.answer(undefined)
  expect(await before).toBeUndefined()
  const first = pending.get(hashOf(1))
  asked[1]!.answer(admitted())
  const known = await first
  const second = pending.get(hashOf(1))
  expect(asked[2]).toMatchObject({ isKnown: true })
  asked[2]!.answer('known')
  expect(await second).toBe(known)
  const gone = pending.get(hashOf(1))
  asked[3]!.answer(undefined)
  expect(await gone).toBeUndefined()
  expect(decode).toHaveBeenCalledTimes(1)
  pending.clear()
  void pending.get(hashOf(1))
  expect(asked[4]).toMatchObject({ isKnown: false })
})

it('asks for a limited number concurrently, successful or not; others wait, up to a limit', async () => {
  const { pending, asked } = open()
  const { asksMax } = PENDING_LIMITS
  const all = Array.from({ length: asksMax + LINK_LIMITS.questionsMax }, (_, i) => pending.get(hashOf(i)).catch(() => undefined))
  expect(asked).toHaveLength(asksMax)
  await expect(pending.get(hashOf(1e6))).rejects.toMatchObject({ code: -32005, message: expect.stringContaining('busy') })
  asked[0]!.answer(undefined)
  asked[1]!.fail()
  await Promise.all(all.slice(0, 2))
  await vi.waitUntil(() => asked.length === asksMax + 2)
  expect(asked.at(-1)).toMatchObject({ hash: hashOf(asksMax + 1) })
})
