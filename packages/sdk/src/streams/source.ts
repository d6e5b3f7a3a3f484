import type { Client, Hash } from 'viem'
import { follow, unlessAborted } from '../aborts.ts'
import { refusalOf } from '../errors.ts'
import { cut, readCursor } from './cursor.ts'
import { CursorUnknownError, InvalidCursorError } from './errors.ts'
import type { StreamKind } from './kinds.ts'
import { onWake, pause, pauseAfter } from './pause.ts'
import { endOf } from './place.ts'
import type { Segment, StreamHead } from './segment.ts'

/** Where a stream begins: behind a cursor, with a block, with the first block at or after a time, or behind the newest block. */
export type StreamFrom =
  | 'now'
  | { readonly cursor: string }
  | { readonly block: bigint }
  /** A number is in milliseconds. */
  | { readonly time: number | Date }

/** What happens when no node knows the cursor, because it is of another chain, or a development chain was reset. */
export type OnUnknownCursor = 'throw' | 'restart'

export interface SourceOptions<T> {
  readonly client: Client
  readonly kind: StreamKind<T>
  readonly from: StreamFrom
  readonly onUnknownCursor: OnUnknownCursor
  /** Most items in a segment. */
  readonly itemsMax: number
  readonly signal: AbortSignal
}

/** A batch as a node sends it (docs/json-rpc.md, Streams). */
interface RpcBatch {
  readonly cursor: string
  /** The block that the cursor names. */
  readonly height: number
  /** Whether the batch ends within that block. */
  readonly isWithin: boolean
  readonly head: { readonly height: number; readonly hash: Hash; readonly time: number }
  readonly items: readonly unknown[]
}

/** A node waits for news. One that has none and answers at once, such as a cache before a node, is asked again after this time in ms. */
const IDLE_MS = 250

/** A node answers within `waitMs`; one that is silent for `silentMs` is left. Times in milliseconds. */
export const STREAM_TIMES = { waitMs: 5_000, silentMs: 10_000 } as const

/**
 * Reads a stream segment by segment, for ever. Each request continues at the cursor of the last answer, so it does not matter which node
 * answers it, and nothing is lost or repeated when nodes fail. While a segment is consumed, the next one is already asked for.
 *
 * @throws {CursorUnknownError} if no node knows the cursor, unless the stream restarts.
 * @throws the reason of the signal when it is aborted, and refusals that every node would give.
 */
export async function* segments<T>(options: SourceOptions<T>): AsyncGenerator<Segment<T>, never> {
  const { from, kind, signal, itemsMax } = options
  // The consumer may leave while a request is under way.
  const stop = follow(signal)
  const question = { waitMs: STREAM_TIMES.waitMs, itemsMax }
  const askAfter = async (pauseMs: number, cursor: string): Promise<Answer> => {
    if (pauseMs > 0) await pause(pauseMs, stop.signal)
    return persist(options, { ...question, from: { cursor } }, stop.signal)
  }
  const ask = (cursor: string, pauseMs = 0): Promise<Answer> => {
    const answer = askAfter(pauseMs, cursor)
    // It may fail while nobody awaits it yet.
    void Promise.allSettled([answer])
    return answer
  }
  try {
    let position: string
    if (isCursor(from)) position = from.cursor
    else {
      // Fixed once: "now" must not move while the first answers fail.
      const first = await persist(options, { from, waitMs: 0, itemsMax: 0 }, stop.signal)
      position = first.batch.cursor
      yield { ...segmentOf(first, kind), through: endOf(openHeight(first.batch) - 1) }
    }
    const parts = readCursor(position)
    if (parts === undefined) throw new InvalidCursorError('The text is no cursor of a stream.')
    let { last } = parts
    for (let next = ask(position), askedMs = performance.now(); ; ) {
      const answer = await next
      const { cursor, items } = answer.batch
      const isIdle = items.length === 0 && cursor === answer.start && performance.now() - askedMs < STREAM_TIMES.waitMs / 2
      askedMs = performance.now()
      next = ask(cursor, isIdle ? IDLE_MS : 0)
      const whole = segmentOf(answer, kind)
      const part = cut(whole, answer.isRestart ? undefined : last)
      last = part.last
      yield part.segment
    }
  } finally {
    stop.unlink()
    stop.abort(new Error('the stream has ended'))
  }
}

/** Where a stream begins. */
export interface Beginning {
  readonly cursor: string
  /** The first block that is not wholly behind the position. */
  readonly height: number
  readonly head: StreamHead
  /** No node knew the cursor, and the stream begins with block 0. */
  readonly isRestart: boolean
}

/** Finds the position at which a stream begins, and reads no item. @throws as `segments` does */
export async function beginningOf(options: Omit<SourceOptions<unknown>, 'itemsMax'>): Promise<Beginning> {
  const { from, signal } = options
  if (isCursor(from) && readCursor(from.cursor) === undefined) throw new InvalidCursorError('The text is no cursor of a stream.')
  const { batch, isRestart } = await persist({ ...options, itemsMax: 0 }, { from, waitMs: 0, itemsMax: 0 }, signal)
  return { cursor: batch.cursor, height: openHeight(batch), head: headOf(batch.head), isRestart }
}

interface Question {
  readonly from: StreamFrom
  readonly waitMs: number
  /** 0: the position only. */
  readonly itemsMax: number
}

interface Answer {
  readonly batch: RpcBatch
  /** The node's cursor before the batch. */
  readonly start: string
  /** No node knew the cursor, and the batch begins with block 0. */
  readonly isRestart: boolean
}

const isCursor = (from: StreamFrom): from is { readonly cursor: string } => typeof from === 'object' && 'cursor' in from

function segmentOf<T>({ batch, start, isRestart }: Answer, kind: StreamKind<T>): Segment<T> {
  const { cursor, height, head, items, isWithin } = batch
  const read = items.map((item) => kind.read(item)).filter((entry) => entry !== undefined)
  const end = read.at(-1)
  const through = isWithin ? (end?.place ?? endOf(height - 1)) : endOf(height)
  return { entries: read, start, cursor, through, head: headOf(head), isMerged: false, isRestart }
}

/** The first block that is not wholly behind a position. The one before block 0 names block 0, as the one behind it does. */
const openHeight = ({ height, isWithin }: RpcBatch): number => (isWithin || height === 0 ? height : height + 1)

const headOf = ({ height, hash, time }: RpcBatch['head']): StreamHead => ({ number: BigInt(height), hash, time })

/** Asks until a node answers. */
async function persist<T>(options: SourceOptions<T>, question: Question, signal: AbortSignal): Promise<Answer> {
  let { from } = question
  let isRestart = false
  for (let failures = 0; ; failures++) {
    try {
      const batch = await ask(options, { ...question, from }, signal)
      return { batch, start: isCursor(from) ? nodeCursor(from.cursor) : batch.cursor, isRestart }
    } catch (error) {
      if (signal.aborted) throw signal.reason
      const refusal = refusalOf(error)
      if (refusal?.reason === 'cursor-unknown') {
        if (options.onUnknownCursor === 'throw') throw new CursorUnknownError(error as Error)
        // The position before the first block of the new chain.
        from = { cursor: (await persist(options, { from: { block: 0n }, waitMs: 0, itemsMax: 0 }, signal)).batch.cursor }
        isRestart = true
        continue
      }
      if (refusal?.scope === 'chain') throw error
    }
    await pause(pauseAfter(failures), signal)
  }
}

/** One request, which ends when the node is silent for too long, or when the page wakes from a sleep in which the connection may have died. */
async function ask<T>(
  { client, kind: { stream, filter } }: SourceOptions<T>,
  { from, waitMs, itemsMax }: Question,
  signal: AbortSignal,
): Promise<RpcBatch> {
  const silence = follow(signal)
  const startedAt = Date.now()
  const timer = setTimeout(() => silence.abort(new Error(`no answer within ${STREAM_TIMES.silentMs} ms`)), STREAM_TIMES.silentMs)
  const stopListening = onWake(() => {
    if (Date.now() - startedAt > waitMs + 1_000) silence.abort(new Error('the page was asleep'))
  })
  try {
    const params = [{ stream, filter, from: rpcFrom(from), waitMs, itemsMax }]
    const answer = client.request({ method: 'quoin_getStream', params } as never, { signal: silence.signal, retryCount: 0 })
    // A transport that ignores the signal must not hold the stream.
    return (await unlessAborted(answer, silence.signal)) as RpcBatch
  } finally {
    clearTimeout(timer)
    stopListening()
    silence.unlink()
  }
}

/** Checked when the stream began. */
const nodeCursor = (cursor: string): string => readCursor(cursor)!.node

function rpcFrom(from: StreamFrom): object | undefined {
  if (from === 'now') return undefined
  if ('cursor' in from) return { cursor: nodeCursor(from.cursor) }
  if ('block' in from) return { block: `0x${from.block.toString(16)}` }
  return { time: Number(from.time) }
}
