import type { SignedTransaction } from '@quoin/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { senderOf, waitingEntry, waitingTransaction } from '../../test/waiting.ts'
import { Waiting } from './waiting.ts'

const BOUNDS = { transactionsMax: 12, bytesMax: 1_200 }
const { transactionsMax, bytesMax } = BOUNDS
const SENDERS = 6

interface ModelSender {
  isKnown: boolean
  nonce: number
  use: number
  /** Undefined while it has nothing in the pool. */
  arrival: number | undefined
  readonly transactions: Map<number, SignedTransaction>
}

/** Decides who holds how much and who loses, by examining everything each time. */
class Model {
  readonly senders = Array.from({ length: SENDERS }, (_, i): ModelSender => {
    return { isKnown: i < SENDERS / 2, nonce: i < SENDERS / 2 ? 1 : 0, use: 0, arrival: undefined, transactions: new Map() }
  })
  newcomersUse = 0
  #arrivals = 0

  weightOf = (transaction: SignedTransaction) => Math.max(transaction.raw.length, bytesMax / transactionsMax)
  all = () => this.senders.flatMap(({ transactions }) => [...transactions.values()])
  bytes = () => this.all().reduce((sum, { raw }) => sum + raw.length, 0)
  nextNonce = ({ nonce, transactions }: ModelSender) => {
    let next = nonce
    while (transactions.has(next)) next++
    return next
  }
  queued = (sender: ModelSender) => [...sender.transactions.keys()].filter((nonce) => nonce > this.nextNonce(sender)).length
  weight = (senders: readonly ModelSender[]) =>
    senders.flatMap(({ transactions }) => [...transactions.values()]).reduce((sum, item) => sum + this.weightOf(item), 0)
  /** Each sender that the state knows, and all others as one. */
  holders() {
    const waiting = this.senders.filter(({ transactions }) => transactions.size > 0)
    const known = waiting.filter(({ isKnown }) => isKnown)
    const one = (members: readonly ModelSender[], use: number, arrival: number) => ({
      ...{ members, use, arrival },
      weight: this.weight(members),
    })
    return [
      one(
        waiting.filter(({ isKnown }) => !isKnown),
        this.newcomersUse,
        -1,
      ),
      ...known.map((sender) => one([sender], sender.use, sender.arrival!)),
    ]
  }
  mostButOf(sender: ModelSender) {
    return this.holders()
      .filter(({ members }) => (sender.isKnown ? members[0] !== sender : members.every(({ isKnown }) => isKnown)))
      .toSorted((a, b) => b.weight - a.weight || b.use - a.use || b.arrival - a.arrival)[0]
  }
  memberBut(sender: ModelSender | undefined, members: readonly ModelSender[]) {
    return members
      .filter((member) => member !== sender && member.transactions.size > 0)
      .toSorted((a, b) => this.queued(b) - this.queued(a) || this.weight([b]) - this.weight([a]) || b.arrival! - a.arrival!)[0]
  }
  dropLast(sender: ModelSender | undefined): boolean {
    if (sender === undefined) return false
    this.remove(sender, Math.max(...sender.transactions.keys()))
    return true
  }
  remove(sender: ModelSender, nonce: number): void {
    sender.transactions.delete(nonce)
    if (sender.transactions.size === 0) sender.arrival = undefined
  }

  /** Whether the transaction is accepted. */
  add(sender: ModelSender, transaction: SignedTransaction): boolean {
    if (!this.#makeRoom(sender, transaction)) return false
    sender.transactions.set(transaction.nonce, transaction)
    sender.arrival ??= this.#arrivals++
    return true
  }

  #makeRoom(sender: ModelSender, transaction: SignedTransaction): boolean {
    const replaced = sender.transactions.get(transaction.nonce)
    const isFull = () =>
      this.all().length + (replaced === undefined ? 1 : 0) > transactionsMax ||
      this.bytes() + transaction.raw.length - (replaced?.raw.length ?? 0) > bytesMax
    if (!isFull()) return true
    const weight = this.weightOf(transaction) - (replaced === undefined ? 0 : this.weightOf(replaced))
    const newcomers = this.senders.filter(({ isKnown }) => !isKnown)
    const own = this.weight(sender.isKnown ? [sender] : newcomers) + weight
    const most = this.mostButOf(sender)
    const isQueued = replaced !== undefined || transaction.nonce > this.nextNonce(sender)
    const member = sender.isKnown ? undefined : this.memberBut(sender, newcomers)
    let drop = () => false
    if (most !== undefined && own <= most.weight) {
      drop = () => {
        const { members } = this.mostButOf(sender)!
        return this.dropLast(members.length > 0 && !members[0]!.isKnown ? this.memberBut(undefined, members) : members[0])
      }
    } else if (member !== undefined && this.#isLess(sender, weight, isQueued, member)) {
      drop = () => this.dropLast(this.memberBut(sender, newcomers))
    } else if (!isQueued) {
      drop = () => this.queued(sender) > 0 && this.dropLast(sender)
    }
    while (isFull()) if (!drop()) return false
    return true
  }

  /** Whether a newcomer would hold less than another one. */
  #isLess(sender: ModelSender, weight: number, isQueued: boolean, member: ModelSender): boolean {
    const queued = this.queued(sender) + Number(isQueued)
    const other = this.queued(member)
    return queued < other || (queued === other && this.weight([sender]) + weight < this.weight([member]))
  }
}

const sender = fc.nat(SENDERS - 1)
const command = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('add' as const),
      sender,
      ahead: fc.oneof({ weight: 3, arbitrary: fc.constant('next' as const) }, fc.nat(7)),
      bytes: fc.oneof(fc.constantFrom(20, 100), fc.integer({ min: 1, max: 500 })),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), which: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('block' as const), sender, by: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('use' as const), sender, use: fc.nat(3) }) },
)
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never

class World {
  readonly model = new Model()
  readonly waiting: Waiting = new Waiting((address) => {
    const { use } = this.model.senders.find((_, i) => senderOf(i) === address)!
    return { gas: use, served: 0, isYoung: false }
  }, BOUNDS)
  #sequence = 0

  do(step: Command): void {
    const { model, waiting } = this
    switch (step.kind) {
      case 'add': {
        const owner = model.senders[step.sender]!
        const nonce = step.ahead === 'next' ? model.nextNonce(owner) : owner.nonce + step.ahead
        const transaction = waitingTransaction({ sender: step.sender, nonce, bytes: step.bytes })
        const account = { nonce: owner.nonce, balance: 0n }
        const isTaken = waiting.makeRoom(transaction, account)
        if (isTaken) waiting.insert(waitingEntry(transaction, this.#sequence++), account, 0n)
        expect(isTaken).toBe(model.add(owner, transaction))
        return
      }
      case 'remove': {
        const transaction = model.all()[step.which]
        if (transaction === undefined) return
        waiting.remove(transaction)
        model.remove(
          model.senders.find(({ transactions }) => transactions.get(transaction.nonce) === transaction)!,
          transaction.nonce,
        )
        return
      }
      case 'block': {
        const owner = model.senders[step.sender]!
        owner.nonce += step.by
        owner.isKnown = true
        waiting.know([senderOf(step.sender)])
        const queue = waiting.queue(senderOf(step.sender))
        if (queue !== undefined) waiting.advance(queue, owner.nonce)
        for (const nonce of owner.transactions.keys()) if (nonce < owner.nonce) model.remove(owner, nonce)
        return
      }
      case 'use':
        model.senders[step.sender]!.use = step.use
        model.newcomersUse = step.use
        waiting.useChanged([senderOf(step.sender)], { gas: step.use, served: 0 })
    }
  }

  check(): void {
    const { model, waiting } = this
    const held = [...waiting.entries()].map(({ transaction }) => transaction.hash)
    expect(held.toSorted()).toEqual(
      model
        .all()
        .map(({ hash }) => hash)
        .toSorted(),
    )
    expect(
      [...waiting.queues().values()].flatMap((queue) => queue.all().map(({ transaction }) => transaction.hash)).toSorted(),
    ).toEqual(held.toSorted())
    expect(waiting.bytes).toBe(model.bytes())
    expect(waiting.executableCount).toBe(model.senders.reduce((sum, one) => sum + model.nextNonce(one) - one.nonce, 0))
    const newcomers = model.senders.filter(({ isKnown, transactions }) => !isKnown && transactions.size > 0)
    expect([...waiting.newcomers].map(({ arrival }) => arrival)).toHaveLength(newcomers.length)
    expect(waiting.newcomers.weight).toBe(model.weight(newcomers))
  }
}

describe('a full pool', () => {
  it('drops what a plain model drops, over random additions, replacements, blocks and removals', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 80, size: 'max' }), (commands) => {
        const world = new World()
        for (const step of commands) {
          world.do(step)
          world.check()
        }
      }),
      { numRuns: 200 },
    )
  })

  /** Senders with these numbers of transactions of 100 bytes each, from their next nonce on. */
  function filled(counts: readonly number[]): World {
    const world = new World()
    for (const [from, count] of counts.entries())
      for (let i = 0; i < count; i++) world.do({ kind: 'add', sender: from, ahead: 'next', bytes: 100 })
    return world
  }
  function countOf(world: World): readonly number[] {
    world.check()
    return Array.from({ length: SENDERS }, (_, i) => world.waiting.queue(senderOf(i))?.size ?? 0)
  }
  const next = (from: number): Command => ({ kind: 'add', sender: from, ahead: 'next', bytes: 100 })

  it('takes room from the sender that holds most, and refuses that one', () => {
    const world = filled([2, 10])
    world.do(next(1))
    expect(countOf(world)).toEqual([2, 10, 0, 0, 0, 0])
    world.do(next(2))
    world.do(next(0))
    expect(countOf(world)).toEqual([3, 8, 1, 0, 0, 0])
  })

  it('takes room from the sender with more recent use, if several hold the same', () => {
    for (const more of [0, 1, 2]) {
      const world = filled([4, 4, 4])
      world.do({ kind: 'use', sender: more, use: 1 })
      world.do(next(3))
      expect(countOf(world)).toEqual([0, 1, 2, 3, 4, 5].map((n) => (n === 3 ? 1 : n > 3 ? 0 : n === more ? 3 : 4)))
    }
  })

  it('counts newcomers as one, and takes from the one of them that holds most', () => {
    const world = filled([4, 0, 0, 3, 3, 2])
    world.do(next(0))
    world.do(next(1))
    expect(countOf(world)).toEqual([5, 1, 0, 2, 2, 2])
    world.do(next(5))
    expect(countOf(world)).toEqual([5, 1, 0, 2, 2, 2])
  })

  it('keeps newcomers that are in, and refuses those that come later', () => {
    const world = filled([0, 0, 0, 5, 4, 3])
    world.do(next(4))
    expect(countOf(world)).toEqual([0, 0, 0, 5, 4, 3])
    world.do(next(5))
    expect(countOf(world)).toEqual([0, 0, 0, 4, 4, 4])
    // A sender that the state knows is entitled to room.
    world.do(next(0))
    expect(countOf(world)).toEqual([1, 0, 0, 4, 4, 3])
  })

  it('drops transactions that cannot run first: of the sender that holds most, and of any newcomer', () => {
    const world = filled([1, 0, 0, 6])
    for (const ahead of [2, 3]) world.do({ kind: 'add', sender: 4, ahead, bytes: 100 })
    for (const ahead of [2, 3, 4]) world.do({ kind: 'add', sender: 5, ahead, bytes: 100 })
    for (const from of [0, 1, 5]) world.do(next(from))
    // The fifth one loses one of its own transactions for its new one, which can run.
    expect(countOf(world)).toEqual([2, 1, 0, 6, 1, 2])
  })

  it('counts bytes: a sender with a few large transactions loses to one with many small ones', () => {
    const world = new World()
    for (let i = 0; i < 2; i++) world.do({ kind: 'add', sender: 0, ahead: 'next', bytes: 500 })
    for (let i = 0; i < 6; i++) world.do({ kind: 'add', sender: 1, ahead: 'next', bytes: 50 })
    expect(countOf(world)).toEqual([1, 6, 0, 0, 0, 0])
  })
})

describe('room that a transaction always gets', () => {
  const account = (sender: number) => ({ nonce: 0, balance: sender < 3 ? 1n : 0n })
  const fill = (bounds: typeof BOUNDS, holders: readonly number[]) => {
    const waiting = new Waiting(() => ({ gas: 0, served: 0, isYoung: false }), bounds)
    const sent = new Map<number, number>()
    for (let i = 0; i < bounds.transactionsMax; i++) {
      const sender = holders[i % holders.length]!
      const nonce = sent.get(sender) ?? 0
      sent.set(sender, nonce + 1)
      waiting.insert(waitingEntry(waitingTransaction({ sender, nonce, bytes: 10 }), i), account(sender), 0n)
    }
    return waiting
  }

  it.each([
    ['a known sender', 0, [1, 2]],
    ['a newcomer', 3, [1, 2]],
    ['a newcomer among newcomers', 3, [4, 5]],
    ['a known sender that holds the most', 0, [0, 0, 0, 1]],
    ['a newcomer, where newcomers hold the most', 3, [4, 4, 4, 1]],
  ])('is taken from whoever holds most: %s', (_who, sender, holders) => {
    const waiting = fill(BOUNDS, holders)
    const nonce = holders.filter((holder) => holder === sender).length > 0 ? 100 : 0
    const transaction = waitingTransaction({ sender, nonce, bytes: 10 })
    expect(waiting.count).toBe(transactionsMax)
    expect(waiting.makeRoom(transaction, account(sender), true)).toBe(true)
    expect(waiting.count).toBe(transactionsMax - 1)
  })

  it('is more than another gets', () => {
    const waiting = fill(BOUNDS, [4, 4, 4, 1])
    expect(waiting.makeRoom(waitingTransaction({ sender: 3, nonce: 200, bytes: 10 }), account(3))).toBe(false)
    expect(waiting.makeRoom(waitingTransaction({ sender: 3, nonce: 200, bytes: 10 }), account(3), true)).toBe(true)
  })
})
