import type { Address, Hash, Height, Round } from '@quoin/protocol'
import { describe, expect, it } from 'vitest'
import { EarlyMessages } from './early-messages.ts'
import { ENGINE_LIMITS } from './limits.ts'
import type { MessageHead } from './messages.ts'

const vote = (validator: string, height: number, valueId: string, round = 0): { head: MessageHead } => ({
  head: {
    kind: 'vote',
    vote: {
      kind: 'prevote',
      height: height as Height,
      round: round as Round,
      valueId: valueId as Hash,
      validator: validator as Address,
      signature: new Uint8Array(64),
    },
  },
})

describe('messages of a height that has not begun', () => {
  it('come back in order when it begins; what is older is forgotten', () => {
    const early = new EarlyMessages<{ head: MessageHead }>()
    const [a, b, c] = [vote('a', 6, 'x'), vote('b', 5, 'x'), vote('c', 6, 'x')]
    for (const each of [a, b, c]) early.add(each)
    expect(early.take(6 as Height)).toEqual([a, c])
    expect(early.count).toBe(0)
  })

  it('are limited to two per slot of a validator, which takes no other validator its place', () => {
    const early = new EarlyMessages<{ head: MessageHead }>()
    for (let i = 0; i < 1_000; i++) early.add(vote('flooding', 5, `${i}`))
    early.add(vote('honest', 5, 'x'))
    expect(early.count).toBe(ENGINE_LIMITS.variantsCountMax + 1)
    early.take(4 as Height)
    expect(early.count).toBe(ENGINE_LIMITS.variantsCountMax + 1)
    early.add(vote('flooding', 5, 'more'))
    expect(early.take(5 as Height)).toHaveLength(ENGINE_LIMITS.variantsCountMax + 1)
    early.add(vote('flooding', 5, 'again'))
    expect(early.count).toBe(1)
  })
})
