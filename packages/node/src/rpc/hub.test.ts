import type { Height } from '@quoin/protocol'
import { describe, expect, it, vi } from 'vitest'
import { ManualClock } from '../../test/clock.ts'
import { Hub, type Sink, type Topic } from './hub.ts'
import { Turns } from './turns.ts'

const LIMITS = { subscriptionsMax: 200_000, subscriptionsPerRemoteMax: 150_000 }

function open(limits: Partial<typeof LIMITS> = {}) {
  const clock = new ManualClock()
  const turns = new Turns(clock, 5)
  const failures: unknown[] = []
  const terms = { held: 0 }
  const hub = new Hub({
    limits: { ...LIMITS, ...limits },
    turns,
    takeTerms: (_, count) => {
      terms.held += count
      return () => {
        terms.held -= count
      }
    },
    onFailure: (failure) => failures.push(failure),
  })
  const source = { next: 0 }
  const project = vi.fn((number: number): readonly string[] => [`${number}`])
  const topic = (key = 'all'): Topic => ({ key, source, terms: 2, project })
  return { hub, clock, turns, source, project, topic, failures, terms }
}

function sinkOf(remote = '192.0.2.1', connection = 1) {
  const texts: string[] = []
  const sink = { client: { remote, connection }, isFull: false, send: (text: string) => void texts.push(text) }
  return {
    sink: sink as Sink & { isFull: boolean },
    texts,
    items: () => texts.map((text) => /"result":(.*)\}\}$/.exec(text)?.[1]),
  }
}

const settled = async ({ hub, turns }: Pick<ReturnType<typeof open>, 'hub' | 'turns'>) => {
  hub.wake()
  do await new Promise((resolve) => setImmediate(resolve))
  while (turns.waiting > 0)
}

describe('subscriptions', () => {
  it('with the same parameters share one projection and one text of each item', async () => {
    const opened = open()
    const { hub, source, project, topic, terms } = opened
    const sinks = Array.from({ length: 1_000 }, (_, i) => sinkOf('192.0.2.1', i))
    for (const { sink } of sinks) hub.subscribe(topic(), sink)
    // From one address, which counts its filter once.
    expect(terms.held).toBe(2)
    source.next = 3
    await settled(opened)
    expect(project.mock.calls.flat()).toEqual([0, 1, 2])
    for (const { items } of sinks) expect(items()).toEqual(['0', '1', '2'])
  })

  it('begin with the next item, each under its own id, and end', async () => {
    const opened = open()
    const { hub, source, topic, terms } = opened
    source.next = 7
    const { sink, texts, items } = sinkOf()
    const [first, second] = [hub.subscribe(topic(), sink), hub.subscribe(topic('other'), sink)]
    source.next = 8
    await settled(opened)
    expect(texts.map((text) => JSON.parse(text))).toEqual(
      [first, second].map(({ id }) => ({ jsonrpc: '2.0', method: 'eth_subscription', params: { subscription: id, result: 7 } })),
    )
    first.end()
    first.end()
    second.end()
    source.next = 9
    await settled(opened)
    expect(items()).toEqual(['7', '7'])
    expect([hub.count, terms.held]).toEqual([0, 0])
  })

  it('of a client that does not read wait, and lose nothing', async () => {
    const opened = open()
    const { hub, source, topic } = opened
    const [slow, fast] = [sinkOf(), sinkOf('192.0.2.2', 2)]
    hub.subscribe(topic(), slow.sink)
    hub.subscribe(topic(), fast.sink)
    slow.sink.isFull = true
    source.next = 100
    await settled(opened)
    expect([slow.texts.length, fast.texts.length]).toEqual([0, 100])
    slow.sink.isFull = false
    await settled(opened)
    expect(slow.items()).toEqual(fast.items())
  })

  it('never block the event loop for longer than a time slice, even if there are many', async () => {
    const opened = open()
    const { hub, clock, source, topic } = opened
    let texts = 0
    const send = () => {
      texts++
      clock.advance(0.0625)
    }
    const { sink } = sinkOf()
    for (let i = 0; i < 10_000; i++) hub.subscribe(topic(), { ...sink, send })
    source.next = 1
    hub.wake()
    let most = 0
    while (texts < 10_000) {
      const before = texts
      await new Promise((resolve) => setImmediate(resolve))
      most = Math.max(most, texts - before)
    }
    // A slice of 5 ms; each text takes a sixteenth of a millisecond.
    expect(most).toBe(80)
  })

  it('get the blocks after the new head when the chain was rewound', async () => {
    const opened = open()
    const { hub, source, topic } = opened
    const { sink, items } = sinkOf()
    hub.subscribe(topic(), sink)
    source.next = 6
    await settled(opened)
    source.next = 3
    hub.rewind({ from: 5 as Height, to: 2 as Height }, source)
    source.next = 5
    await settled(opened)
    expect(items()).toEqual(['0', '1', '2', '3', '4', '5', '3', '4'])
  })

  it('are limited per address and in total', () => {
    const { hub, topic } = open({ subscriptionsMax: 3, subscriptionsPerRemoteMax: 2 })
    const [one, other] = [sinkOf().sink, sinkOf('192.0.2.2', 2).sink]
    hub.subscribe(topic(), one)
    const second = hub.subscribe(topic(), one)
    expect(() => hub.subscribe(topic(), one)).toThrow('too many subscriptions')
    hub.subscribe(topic(), other)
    expect(() => hub.subscribe(topic(), other)).toThrow('all clients together have 3')
    second.end()
    hub.subscribe(topic(), other)
  })

  it('of a failing topic end, and the others continue', async () => {
    const opened = open()
    const { hub, source, topic, failures } = opened
    const [broken, well] = [sinkOf(), sinkOf()]
    hub.subscribe(
      {
        ...topic('broken'),
        project: () => {
          throw new Error('no such block')
        },
      },
      broken.sink,
    )
    hub.subscribe(topic(), well.sink)
    source.next = 2
    await settled(opened)
    expect(failures).toMatchObject([{ message: 'no such block' }])
    expect([broken.texts.length, well.texts.length]).toEqual([0, 2])
  })
})
