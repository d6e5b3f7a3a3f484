import type { Hash } from '@quoin/protocol'
import type { Client } from '../../fair-queue.ts'
import { Lru } from '../../lru.ts'
import type { Clock } from '../../powers.ts'
import type { RpcBackend } from '../backend.ts'
import type { BlockTexts } from '../block-texts.ts'
import { invalidParams, RpcError } from '../errors.ts'
import type { Rewind } from '../filters.ts'
import type { Sink } from '../hub.ts'
import type { RpcLimits } from '../limits.ts'
import { Quota } from '../quota.ts'
import { TermHolders } from '../term-holders.ts'
import type { Turns } from '../turns.ts'
import { type Batch, batchText, makeBatch } from './batch.ts'
import { BatchLane } from './batch-lane.ts'
import { cursorOf, namedHeight } from './cursor.ts'
import { comparePositions, endOf, type Position } from './position.ts'
import { type StreamSource, viewOf } from './source.ts'
import { type CloseReason, Stream } from './stream.ts'

export interface StreamHubOptions {
  readonly backend: RpcBackend
  readonly clock: Pick<Clock, 'monotonic' | 'after'>
  readonly limits: RpcLimits
  readonly turns: Turns
  readonly texts: BlockTexts
  readonly genesis: () => Hash
  /** Reserves addresses, topics and hashes for a remote address, until the returned function is called. Throws RpcError over a limit. */
  readonly takeTerms: (remote: string, terms: number) => () => void
  /** Called for a batch that could not be made. The stream is closed. */
  readonly onFailure: (failure: unknown) => void
}

/** A stream in its channel. */
interface Member {
  readonly stream: Stream
  readonly channel: Channel
  /** Frees everything that the stream holds. */
  readonly end: () => void
  /** Called when the hub closes the stream. */
  readonly onClosed: () => void
}

/** Streams that deliver the same. */
interface Channel {
  readonly number: number
  readonly source: StreamSource
  readonly holders: TermHolders
  readonly members: Set<Member>
  /** Members that wait for a batch under way, by the position where it begins. */
  readonly waiting: Map<string, Member[]>
}

/** A stream as its connection holds it. */
export interface OpenStream {
  readonly id: string
  /** Called when the client knows the id: from now on it gets batches. */
  begin(): void
  /** Acknowledges all batches up to a number. Throws RpcError if there is no such batch yet. */
  acknowledge(sequence: number): void
  /** The client has read: the stream may continue. */
  resume(): void
  /** The client may not read any more: closes the stream, and tells the client where it was. */
  refuse(message: string): void
  end(): void
}

/** The hub's own client id in the turn queue. */
const HUB: Client = { remote: '', connection: 0 }

/** Blocks behind the head from which on a stream is a replay. Its batches wait in a lane of their own, so that they delay no new block. */
const REPLAY_BLOCKS = 64

/** Checks for due messages and stalled streams in the time between two messages. */
const CHECKS_PER_BEAT = 4

/** Overhead of a remembered batch beyond its text. */
const BATCH_BYTES = 512

/** The work is for a stream that has ended. */
class StreamEnded extends Error {}

const keyOf = ({ height, index }: Position): string => `${height}.${index}`

/**
 * Sends batches to the streams of all WebSockets. A stream stores a position, and a batch is made from the database when it is its turn.
 * Streams that deliver the same share the batch if they are at the same position, as all are that have reached the head.
 */
export class StreamHub {
  readonly #options: StreamHubOptions
  readonly #quota: Quota
  readonly #channels = new Map<string, Channel>()
  readonly #lanes: { readonly head: BatchLane; readonly replay: BatchLane }
  /** Last batches of channels with several streams. */
  readonly #batches: Lru<string, Batch>
  /** The last empty batch: at the head it is the same for all streams. */
  #beat: { readonly key: string; readonly text: string } | undefined
  #lastId = 0
  #lastChannel = 0
  #epoch = 0
  #isPumping = false
  #isAgain = false
  #isClosed = false
  #stopTimer: (() => void) | undefined

  constructor(options: StreamHubOptions) {
    const { limits } = options
    this.#options = options
    this.#quota = new Quota('streams', limits.streamsMax, limits.streamsPerRemoteMax)
    this.#lanes = { head: new BatchLane(limits.streamLaneMax), replay: new BatchLane(limits.streamLaneMax) }
    this.#batches = new Lru(limits.streamTextsBytesMax)
  }

  get count(): number {
    return this.#quota.total
  }

  /** Changes whenever the chain was rewound. */
  get epoch(): number {
    return this.#epoch
  }

  /**
   * Opens a stream. It sends nothing before `begin`.
   *
   * @param onClosed - Called when the hub closes the stream, not when its connection ends it.
   * @throws {RpcError} If a limit is exceeded.
   */
  open(source: StreamSource, position: Position, sink: Sink, onClosed: (id: string) => void): OpenStream {
    if (this.#isClosed) throw new RpcError('stopping', 'the server is stopping')
    const { clock, limits } = this.#options
    const { remote } = sink.client
    const release = this.#quota.take(remote, 1)
    const channel = this.#channels.get(source.key) ?? this.#newChannel(source)
    try {
      channel.holders.hold(remote)
    } catch (refusal) {
      release()
      throw refusal
    }
    this.#channels.set(source.key, channel)
    // Ids differ from those of `eth_subscribe`, so that a client that confuses the two gets an error.
    const stream = new Stream(`s${(++this.#lastId).toString(16)}`, sink, position, limits, clock.monotonic())
    const end = (): void => {
      if (stream.isEnded) return
      stream.isEnded = true
      release()
      channel.members.delete(member)
      channel.holders.letGo(remote)
      if (channel.holders.isEmpty) this.#channels.delete(source.key)
    }
    const member: Member = { stream, channel, end, onClosed: () => onClosed(stream.id) }
    channel.members.add(member)
    this.#stopTimer ??= this.#startTimer()
    return {
      ...{ id: stream.id, end },
      begin: () => {
        stream.isBegun = true
        this.#visit(member)
      },
      acknowledge: (sequence) => {
        const last = stream.acknowledge(sequence, clock.monotonic())
        if (last !== undefined) throw invalidParams(`no batch ${sequence} was sent yet: the last one has the number ${last}`)
        this.#visit(member)
      },
      resume: () => this.#visit(member),
      refuse: (message) => this.#close(member, 'not-permitted', message),
    }
  }

  #newChannel(source: StreamSource): Channel {
    const holders = new TermHolders((remote) => this.#options.takeTerms(remote, source.terms))
    return { number: ++this.#lastChannel, source, holders, members: new Set(), waiting: new Map() }
  }

  /** Called when there is a new block. */
  wake(): void {
    this.#isAgain = true
    if (this.#isPumping || this.#isClosed || this.#channels.size === 0) return
    this.#isPumping = true
    void this.#pump()
  }

  /** The chain was rewound, which only happens on a development chain: streams that have seen later blocks are closed. */
  rewind({ to }: Pick<Rewind, 'to'>): void {
    this.#epoch++
    this.#batches.clear()
    this.#beat = undefined
    const end = endOf(to)
    for (const { members } of this.#channels.values())
      for (const member of members)
        if (comparePositions(member.stream.position, end) > 0)
          this.#close(member, 'cursor-unknown', `the chain was reverted to block ${to}: begin again from there`)
    this.wake()
  }

  /** Frees texts that can be made again. */
  dropCaches(): void {
    this.#batches.clear()
  }

  close(): void {
    this.#isClosed = true
    this.#stopTimer?.()
    this.#channels.clear()
    this.#batches.clear()
  }

  #startTimer(): () => void {
    const { clock, limits } = this.#options
    return clock.after(limits.streamBeatMs / CHECKS_PER_BEAT, () => {
      this.#stopTimer = this.#channels.size === 0 || this.#isClosed ? undefined : this.#startTimer()
      this.wake()
    })
  }

  /** Visits every stream. Takes turns with the calls. */
  async #pump(): Promise<void> {
    while (this.#isAgain) {
      this.#isAgain = false
      for (const { members } of this.#channels.values()) await this.#visitAll(members)
    }
    this.#isPumping = false
  }

  async #visitAll(members: Iterable<Member>): Promise<void> {
    const { turns } = this.#options
    for (const member of members) {
      if (turns.isOver()) await turns.next(HUB)
      this.#visit(member)
    }
  }

  /** Does what is due for a stream: closes it, sends a batch that is there, or has one made. */
  #visit(member: Member): void {
    const { stream } = member
    if (stream.isEnded || !stream.isBegun || this.#isClosed) return
    const { clock, limits, backend } = this.#options
    const now = clock.monotonic()
    if (stream.isStalled(now)) {
      const message = `no batch was acknowledged for ${limits.streamStallMs} ms: begin again at the cursor`
      return this.#close(member, 'slow-reader', message)
    }
    const head = backend.blocks.head.header.number
    if (!stream.isBusy && stream.isOpen && stream.position.height <= head) this.#advance(member, head)
    if (!stream.isEnded && stream.isBeatDue(now)) this.#sendBeat(member, now)
  }

  #advance(member: Member, head: number): void {
    const { stream, channel } = member
    const key = keyOf(stream.position)
    const known = this.#batches.get(`${channel.number}:${key}`)
    if (known !== undefined && known.head === head) return this.#deliver(member, known)
    stream.isBusy = true
    const waiting = channel.waiting.get(key)
    if (waiting !== undefined) return void waiting.push(member)
    channel.waiting.set(key, [])
    const lane = head - stream.position.height < REPLAY_BLOCKS ? this.#lanes.head : this.#lanes.replay
    lane.add(stream.sink.client, () => this.#make(member, key))
  }

  #deliver({ stream }: Member, batch: Batch): void {
    if (batch.count === 0) stream.position = batch.next
    else stream.sendBatch(batch.text, batch.next, this.#options.clock.monotonic())
  }

  /** Makes the next batch of a stream, sends it, and does the same for those that wait for it. Never rejects. */
  async #make(member: Member, key: string): Promise<void> {
    const { stream, channel } = member
    const epoch = this.#epoch
    try {
      const batch = await this.#batchFor(member)
      // After a rewind the batch may be from the discarded blocks.
      if (epoch === this.#epoch && !this.#isClosed) {
        if (channel.members.size > 1) this.#batches.set(`${channel.number}:${key}`, batch, batch.text.length + BATCH_BYTES)
        if (!stream.isEnded) this.#deliver(member, batch)
      }
    } catch (failure) {
      if (!(failure instanceof StreamEnded)) this.#fail(member, key, failure)
    }
    const waiting = channel.waiting.get(key) ?? []
    channel.waiting.delete(key)
    for (const one of waiting) one.stream.isBusy = false
    stream.isBusy = false
    this.#visit(member)
    if (waiting.length > 0) void this.#visitAll(waiting)
  }

  async #batchFor({ stream, channel }: Member): Promise<Batch> {
    const { backend, clock, limits, turns, texts, genesis } = this.#options
    if (stream.isEnded) throw new StreamEnded()
    const endMs = clock.monotonic() + limits.streamSearchMs
    return makeBatch({
      ...{ genesis: genesis(), view: viewOf(backend, texts), source: channel.source, from: stream.position, limits },
      turn: {
        isSliceOver: () => turns.isOver(),
        async nextTurn() {
          await turns.next(stream.sink.client)
          if (stream.isEnded) throw new StreamEnded()
        },
      },
      isOver: () => clock.monotonic() >= endMs,
    })
  }

  /** Closes a stream whose batch could not be made, and those that wait for the same one. */
  #fail(member: Member, key: string, failure: unknown): void {
    this.#options.onFailure(failure)
    for (const one of [member, ...(member.channel.waiting.get(key) ?? [])])
      this.#close(one, 'failed', 'the node could not read the next batch: use another node')
  }

  #sendBeat({ stream, channel }: Member, now: number): void {
    const { backend, genesis, texts } = this.#options
    const { position } = stream
    const view = viewOf(backend, texts)
    const head = view.head.header.number
    // A development chain was reverted, and the stream will be closed.
    if (namedHeight(position) > head) return
    const { unit } = channel.source
    const key = `${keyOf(position)}:${unit}:${head}`
    if (this.#beat?.key !== key) this.#beat = { key, text: batchText(genesis(), view, position, unit, []) }
    stream.sendBeat(this.#beat.text, now)
  }

  #close(member: Member, reason: CloseReason, message: string): void {
    const { stream, channel, end, onClosed } = member
    if (stream.isEnded) return
    end()
    stream.sendClose(reason, message, this.#cursorOf(stream.acknowledged, channel), this.#options.clock.monotonic())
    onClosed()
  }

  /** Null if the block that it would name was reverted, or cannot be read. */
  #cursorOf(position: Position, { source: { unit } }: Channel): string | null {
    const { backend, genesis, onFailure } = this.#options
    try {
      const block = backend.blocks.header(namedHeight(position))
      return block === undefined ? null : cursorOf(genesis(), position, unit, block.hash)
    } catch (failure) {
      onFailure(failure)
      return null
    }
  }
}
