import fc from 'fast-check'
import type { Hash, Hex } from 'viem'
import { describe, expect, it } from 'vitest'
import { runs } from '../../../../test/long.ts'
import { parseRecord, recordText, type SendRecord, type SignedRecord } from './record.ts'
import { certainFailure, fillCause, type Live, live, outgoing, RESIGNED_MAX, transition } from './transition.ts'

/** A transaction is known by its text here: what it does, at which nonce. */
const signed = (name: string, nonce: number) => ({ raw: `0x${name}@${nonce}` as Hex, hash: `0x#${name}@${nonce}` as Hash })

/** A chain with a pool that loses what it likes, other software with the same key, and a client that can be killed at any moment. */
class World {
  /** Durable: what the client has in its store. */
  readonly store = new Map<string, SendRecord>()
  next = 0
  /** Nonce by nonce: the transaction in a block. */
  readonly chain: string[] = []
  /** What some node may still include. */
  readonly pool = new Map<string, number>()
  /** Everything that was ever signed, by nonce. */
  readonly signatures = new Map<number, Set<string>>()
  blockMs = 0
  /** Volatile: what the client knows beyond its store. */
  readonly lives = new Map<string, Live>()
  /** Failures that callers were told before the nonce was used. */
  readonly told = new Map<string, string>()

  queue(id: string): void {
    const call = { to: null, data: '0x', value: 0n } as const
    const rest = { createdMs: 0, deadlineMs: 5, resigned: 0, fingerprint: '0x' as const, call }
    this.store.set(id, { status: 'queued', id, order: this.store.size, ...rest })
  }

  sign(): void {
    const queued = [...this.store.values()].find(({ status }) => status === 'queued')
    if (queued?.status !== 'queued') return
    this.next = Math.max(this.next, this.chain.length)
    const nonce = this.next++
    const transaction = signed(queued.id, nonce)
    this.#remember(nonce, queued.id)
    const fees = { maxFeePerGas: 0n, maxPriorityFeePerGas: 0n }
    const record: SignedRecord = {
      ...queued,
      ...transaction,
      ...fees,
      status: 'signed',
      nonce,
      deadline: this.blockMs + queued.deadlineMs,
    }
    this.#write(record)
    this.lives.set(record.id, live(record, false))
  }

  /** The first live send from `index` on. */
  pick(index: number): Live | undefined {
    const all = [...this.lives.values()]
    return all[index % Math.max(1, all.length)]
  }

  send(current: Live, answer: 'accepted' | 'unknown' | 'unknown-kept' | 'postponed' | 'refused'): void {
    const transaction = outgoing(current)
    if (transaction === undefined) return
    const { nonce, id } = current.record
    const isUsed = nonce < this.chain.length
    const left = transition(current, { kind: 'leave' }) as Live
    const isTaken = (answer === 'accepted' || answer === 'unknown-kept') && !isUsed
    if (isTaken) this.pool.set(transaction.raw, nonce)
    // A node never takes what is used. It may refuse for good what another one has.
    const kind = answer === 'unknown-kept' ? 'unknown' : isUsed && answer === 'accepted' ? 'postponed' : answer
    const refused = { kind: 'refused', refusal: 'invalid', message: 'never' } as const
    const event = kind === 'refused' ? (isUsed ? ({ kind: 'postponed' } as const) : refused) : { kind }
    this.lives.set(id, transition(left, event) as Live)
  }

  fill(current: Live): void {
    const cause = fillCause(current, this.blockMs)
    if (cause === undefined) return
    const { nonce, id } = current.record
    const filler = signed('noop', nonce)
    this.#remember(nonce, 'noop')
    const next = transition(current, { kind: 'filled', filler, cause }) as Live
    this.#write(next.record)
    this.lives.set(id, next)
    const failure = certainFailure(next)
    if (failure !== undefined) this.told.set(id, failure.reason)
  }

  /** A block with whatever the pool has for the next nonce, or what other software sent. */
  block(choice: number, content: 'ours' | 'other' | 'nothing'): void {
    this.blockMs += 3
    if (content === 'nothing') return
    const nonce = this.chain.length
    const candidates = [...this.pool].filter(([, at]) => at === nonce).map(([raw]) => raw)
    if (content === 'other') candidates.push(`other@${nonce}`)
    if (candidates.length > 0) this.chain.push(candidates[choice % candidates.length]!)
  }

  look(): void {
    for (const current of [...this.lives.values()]) {
      const { record } = current
      const by = this.chain[record.nonce]
      if (by === undefined) continue
      const kind = by === record.raw ? 'send' : by === record.filler?.raw ? 'filler' : 'other'
      const consumer = kind === 'send' ? ({ kind, blockNumber: 1n, success: true } as const) : ({ kind } as const)
      const next = transition(current, { kind: 'consumed', by: consumer })
      this.#write(next.record)
      this.lives.delete(record.id)
    }
  }

  crash(): void {
    this.lives.clear()
    for (const record of this.store.values()) if (record.status === 'signed') this.lives.set(record.id, live(record, true))
  }

  #write(record: SendRecord): void {
    this.store.set(record.id, parseRecord(recordText(record)))
  }

  #remember(nonce: number, name: string): void {
    const names = this.signatures.get(nonce) ?? new Set()
    this.signatures.set(nonce, names.add(name))
  }

  check(): void {
    // No nonce is signed for two sends.
    for (const names of this.signatures.values())
      expect([...names].filter((name) => name !== 'noop').length).toBeLessThanOrEqual(1)
    for (const [id, record] of this.store) {
      const places = this.chain.filter((raw) => raw.startsWith(`0x${id}@`))
      // Included at most once, and reported so exactly then.
      expect(places.length).toBeLessThanOrEqual(1)
      if (record.status === 'included') expect(places).toHaveLength(1)
      if (record.status === 'failed') expect(places).toHaveLength(0)
      if (this.told.has(id)) expect(places).toHaveLength(0)
    }
  }

  /** From here on everything works: what is left must end. */
  settle(): void {
    for (
      let round = 0;
      round < 200 && [...this.store.values()].some(({ status }) => status === 'queued' || status === 'signed');
      round++
    ) {
      this.sign()
      for (const current of [...this.lives.values()]) {
        this.fill(current)
        this.send(this.lives.get(current.record.id)!, 'accepted')
      }
      this.block(0, this.#hasGap() ? 'other' : 'ours')
      this.look()
      this.check()
    }
    for (const record of this.store.values()) expect(['included', 'failed']).toContain(record.status)
  }

  /** A nonce before all that nobody uses: other software is slow. */
  #hasGap(): boolean {
    return ![...this.pool.values()].includes(this.chain.length)
  }
}

describe('a send', () => {
  it('is included at most once and ends, whatever nodes, other software and crashes do', () => {
    const answer = fc.constantFrom('accepted', 'unknown', 'unknown-kept', 'postponed', 'refused')
    const step = fc.oneof(
      fc.record({ do: fc.constant('queue' as const) }),
      fc.record({ do: fc.constant('sign' as const) }),
      { weight: 3, arbitrary: fc.record({ do: fc.constant('send' as const), at: fc.nat(5), answer }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('fill' as const), at: fc.nat(5) }) },
      {
        weight: 2,
        arbitrary: fc.record({
          do: fc.constant('block' as const),
          at: fc.nat(3),
          content: fc.constantFrom('ours', 'other', 'nothing', 'nothing'),
        }),
      },
      fc.record({ do: fc.constant('look' as const) }),
      fc.record({ do: fc.constant('crash' as const) }),
      fc.record({ do: fc.constant('forget' as const), at: fc.nat(5) }),
    )
    const property = fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
      const world = new World()
      let count = 0
      for (; count < 2; count++) world.queue(`s${count}`)
      for (const next of steps) {
        const current = 'at' in next ? world.pick(next.at) : undefined
        if (next.do === 'queue') world.queue(`s${count++}`)
        else if (next.do === 'sign') world.sign()
        else if (next.do === 'send' && current !== undefined) world.send(current, next.answer)
        else if (next.do === 'fill' && current !== undefined) world.fill(current)
        else if (next.do === 'block') world.block(next.at, next.content)
        else if (next.do === 'look') world.look()
        else if (next.do === 'crash') world.crash()
        else if (next.do === 'forget') world.pool.delete([...world.pool.keys()][next.at] ?? '')
        world.check()
      }
      world.settle()
    })
    fc.assert(property, { numRuns: runs(200) })
  })

  const record = (more: Partial<SignedRecord> = {}): SignedRecord => ({
    ...{
      status: 'signed',
      id: 'x',
      order: 0,
      fingerprint: '0x',
      call: { to: null, data: '0x', value: 1n },
      createdMs: 0,
      deadlineMs: 10,
    },
    ...{ resigned: 0, nonce: 0, deadline: 100, maxFeePerGas: 0n, maxPriorityFeePerGas: 0n, ...signed('x', 0) },
    ...more,
  })
  const other = { kind: 'consumed', by: { kind: 'other', hash: '0x1' } } as const

  it('is signed again only if no node can have it, and not for ever', () => {
    expect(transition(live(record(), false), other).record).toMatchObject({ status: 'queued', resigned: 1 })
    const taken = { status: 'failed', failure: { reason: 'nonce-taken', nonce: 0, by: '0x1' } }
    expect(transition(live(record(), true), other).record).toMatchObject(taken)
    expect(transition(live(record({ resigned: RESIGNED_MAX }), false), other).record).toMatchObject(taken)
    const leave = transition(live(record(), false), { kind: 'leave' }) as Live
    expect(transition(leave, other).record).toMatchObject(taken)
    expect(transition(transition(leave, { kind: 'postponed' }) as Live, other).record).toMatchObject({ status: 'queued' })
    expect(transition(transition(leave, { kind: 'unknown' }) as Live, other).record).toMatchObject(taken)
  })

  it('expires by the time of a block, later than its deadline', () => {
    expect(fillCause(live(record(), true), 100)).toBeUndefined()
    expect(fillCause(live(record(), true), 101)).toEqual({ reason: 'expired', hash: '0x#x@0' })
  })

  it('survives its text', () => {
    const whole = record({
      gas: 5n,
      filler: { ...signed('noop', 0), cause: { reason: 'refused', refusal: '1n', message: '12n' } },
    })
    expect(parseRecord(recordText(whole))).toEqual(whole)
  })
})
