import type { Height } from '@quoin/protocol'
import type { Client } from '../fair-queue.ts'
import { RpcError } from './errors.ts'
import type { RpcLimits } from './limits.ts'
import { Quota } from './quota.ts'
import { TermHolders } from './term-holders.ts'
import type { Turns } from './turns.ts'

/** A growing numbered sequence: the blocks of the chain, or the transactions that the pool admits. */
export interface Source {
  /** Number of the next item. */
  readonly next: number
}

/** The content that subscribers with the same parameters receive. */
export interface Topic {
  /** Equal for equal parameters. */
  readonly key: string
  readonly source: Source
  /** The JSON of each notification about an item; empty if the item does not match. */
  project(number: number): readonly string[]
  /** Number of addresses and topics that it holds in memory. */
  readonly terms: number
  /** Called when the first subscription begins. The function it returns is called after the last one has ended. */
  begin?(): () => void
}

/** Receives the notifications of a subscription. */
export interface Sink {
  readonly client: Client
  /** True if too many bytes wait for this client: it gets no more until it has read (back-pressure). */
  readonly isFull: boolean
  send(text: string): void
}

interface Subscriber {
  readonly id: string
  readonly sink: Sink
  /** Number of the next item for this subscriber. */
  next: number
}

interface Channel {
  readonly topic: Topic
  readonly stop: () => void
  readonly holders: TermHolders
  readonly subscribers: Set<Subscriber>
  /** Notifications of the last items, oldest first. Subscribers that are up to date share them. */
  readonly recent: Map<number, readonly string[]>
}

const openChannel = (topic: Topic, holders: TermHolders): Channel => ({
  ...{ topic, holders },
  stop: topic.begin?.() ?? (() => {}),
  subscribers: new Set(),
  recent: new Map(),
})

/** Items that a subscriber gets in one turn, and items whose texts are kept. */
const ITEMS_AT_ONCE = 16

/** The hub's own client id in the turn queue. */
const HUB: Client = { remote: '', connection: 0 }

export interface HubOptions {
  readonly limits: Pick<RpcLimits, 'subscriptionsMax' | 'subscriptionsPerRemoteMax'>
  readonly turns: Turns
  /** Reserves addresses and topics for a remote address, until the returned function is called. Throws RpcError over a limit. */
  readonly takeTerms: (remote: string, terms: number) => () => void
  /** Called for a projection that threw. The subscription ends. */
  readonly onFailure: (failure: unknown) => void
}

/**
 * Delivers notifications. Subscriptions with the same parameters share a channel, in which each item is read, matched and written as JSON
 * once. A subscription stores only the number of its next item, so a slow client misses nothing and costs no memory; it continues
 * after it has read. Subscribers take turns, and the hub takes turns with the calls.
 */
export class Hub {
  readonly #options: HubOptions
  readonly #quota: Quota
  readonly #channels = new Map<string, Channel>()
  /** Ids are unique in the process, so that a client that confuses its connections gets an error instead of a wrong subscription. */
  #lastId = 0
  #isPumping = false
  /** New work may be due for subscribers that the pump has already passed. */
  #isAgain = false
  #isClosed = false

  constructor(options: HubOptions) {
    this.#options = options
    const { subscriptionsMax, subscriptionsPerRemoteMax } = options.limits
    this.#quota = new Quota('subscriptions', subscriptionsMax, subscriptionsPerRemoteMax)
  }

  get count(): number {
    return this.#quota.total
  }

  /**
   * Starts a subscription with the next item.
   *
   * @returns The id for the client, and a function that ends the subscription.
   * @throws {RpcError} If a limit is exceeded.
   */
  subscribe(topic: Topic, sink: Sink): { readonly id: string; readonly end: () => void } {
    if (this.#isClosed) throw new RpcError('stopping', 'the server is stopping')
    const { remote } = sink.client
    const releaseOne = this.#quota.take(remote, 1)
    const channel = this.#channels.get(topic.key) ?? this.#newChannel(topic)
    try {
      channel.holders.hold(remote)
    } catch (refusal) {
      releaseOne()
      if (channel.holders.isEmpty) channel.stop()
      throw refusal
    }
    this.#channels.set(topic.key, channel)
    const subscriber: Subscriber = { id: `0x${(++this.#lastId).toString(16)}`, sink, next: channel.topic.source.next }
    channel.subscribers.add(subscriber)
    let isOver = false
    const end = (): void => {
      if (isOver) return
      isOver = true
      releaseOne()
      channel.subscribers.delete(subscriber)
      this.#letGo(channel, remote)
    }
    return { id: subscriber.id, end }
  }

  #newChannel(topic: Topic): Channel {
    return openChannel(topic, new TermHolders((remote) => this.#options.takeTerms(remote, topic.terms)))
  }

  #letGo({ topic, holders, stop }: Channel, remote: string): void {
    holders.letGo(remote)
    if (!holders.isEmpty) return
    this.#channels.delete(topic.key)
    stop()
  }

  /** Called when there is a new item, or a client has read. */
  wake(): void {
    this.#isAgain = true
    if (this.#isPumping || this.#isClosed || this.#channels.size === 0) return
    this.#isPumping = true
    void this.#pump()
  }

  /** The chain was rewound, which only happens on a development chain: blocks after the new head are sent again. */
  rewind({ from, to }: { readonly from: Height; readonly to: Height }, source: Source): void {
    for (const { topic, recent, subscribers } of this.#channels.values()) {
      if (topic.source !== source) continue
      recent.clear()
      for (const subscriber of subscribers) {
        if (subscriber.next <= from + 1) subscriber.next = Math.min(subscriber.next, to + 1)
      }
    }
    this.wake()
  }

  close(): void {
    this.#isClosed = true
    this.#channels.clear()
  }

  async #pump(): Promise<void> {
    const { turns } = this.#options
    while (this.#isAgain) {
      this.#isAgain = false
      for (const channel of this.#channels.values()) {
        for (const subscriber of channel.subscribers) {
          if (turns.isOver()) await turns.next(HUB)
          if (subscriber.next < channel.topic.source.next && !subscriber.sink.isFull) this.#deliver(channel, subscriber)
        }
      }
    }
    this.#isPumping = false
  }

  #deliver(channel: Channel, subscriber: Subscriber): void {
    const { sink, id } = subscriber
    const { source } = channel.topic
    try {
      for (let items = 0; subscriber.next < source.next && !sink.isFull; items++) {
        if (items === ITEMS_AT_ONCE) {
          this.#isAgain = true
          return
        }
        for (const text of this.#textsOf(channel, subscriber.next))
          sink.send(`{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"${id}","result":${text}}}`)
        subscriber.next++
      }
    } catch (failure) {
      channel.subscribers.delete(subscriber)
      this.#options.onFailure(failure)
    }
  }

  #textsOf({ topic, recent }: Channel, number: number): readonly string[] {
    const known = recent.get(number)
    if (known !== undefined) return known
    const texts = topic.project(number)
    recent.set(number, texts)
    if (recent.size > ITEMS_AT_ONCE)
      for (const oldest of recent.keys()) {
        recent.delete(oldest)
        break
      }
    return texts
  }
}
