import {
  type Abi,
  type Address,
  type BaseError,
  type Client,
  decodeFunctionResult,
  encodeFunctionData,
  getContractError,
  type Hex,
  multicall3Abi,
  RawContractError,
  stringify,
} from 'viem'
import { readContract } from 'viem/actions'
import { QuoinError, refusalOf } from '../errors.ts'
import { blockKind } from '../streams/kinds.ts'
import { pause, pauseAfter } from '../streams/pause.ts'
import type { StreamHead } from '../streams/segment.ts'
import { segments } from '../streams/source.ts'

/** A view function of a contract with its arguments. */
export interface ContractRead {
  readonly address: Address
  readonly abi: Abi
  readonly functionName: string
  readonly args: readonly unknown[]
}

/** Functions that change nothing. */
export type View = 'pure' | 'view'

/** A read from parameters whose types a caller's ABI has checked. */
export function contractRead(parameters: unknown): ContractRead {
  const { abi, address, functionName, args = [] } = parameters as Omit<ContractRead, 'args'> & Partial<ContractRead>
  return { abi, address, functionName, args }
}

/** What a read gave after a block. */
export type ReadOutcome =
  | { readonly status: 'success'; readonly value: unknown; readonly blockNumber: bigint }
  /** The contract refused. */
  | { readonly status: 'failure'; readonly error: BaseError; readonly blockNumber: bigint }

/** A block after which reads were asked for. */
export interface ReadPosition {
  readonly height: number
  /** The position behind the block, as of a stream of blocks. */
  readonly cursor: string
  readonly head: StreamHead
  /** How often the chain was reset since the first read. */
  readonly resets: number
}

/**
 * Hears of each round of reads: the position, and the outcome if it is new. Without a position the reads have ended: the outcome says why.
 */
export type ReadListener = (outcome: ReadOutcome | undefined, position: ReadPosition | undefined) => void

/** One read, and those who watch it. */
interface Watched {
  readonly read: ContractRead
  readonly data: Hex
  readonly listeners: Set<ReadListener>
  last: ReadOutcome | undefined
  /** Of the newest round. */
  position: ReadPosition | undefined
  /** What the contract returned, by which a change is seen. */
  returned: string | undefined
}

/** The watched reads of each client. `extend` makes new clients around the same transport. */
const byTransport = new WeakMap<object, WatchedReads>()

export function readsOf(client: Client): WatchedReads {
  const known = byTransport.get(client.transport)
  if (known !== undefined) return known
  const reads = new WatchedReads(client)
  byTransport.set(client.transport, reads)
  return reads
}

/** At most four rounds of reads a second, in milliseconds. */
const ROUND_MS = 250
/** Blocks that are asked for at once. Of so many the newest is not the chain's, and nothing is read after it. */
const BLOCKS_MAX = 100
/** Reads in one call, which share its gas. */
const CALL_READS_MAX = 64
/** The multicall contract, at the same address on every Quoin chain. */
const MULTICALL_ADDRESS = '0xcA11bde05977b3631167028862bE2a173976CA11'

/**
 * The watched reads of one client. After a new block they are asked for together, at the block's height, in one call of the multicall contract (so contracts see that one as the
 * caller). A listener hears of its read at rising heights; what lies between two rounds is left out. While no node answers, nobody hears anything.
 */
export class WatchedReads {
  readonly #client: Client
  readonly #watched = new Map<string, Watched>()
  #position: ReadPosition | undefined
  #stop: AbortController | undefined
  #wake: () => void = () => {}

  constructor(client: Client) {
    this.#client = client
  }

  /**
   * Calls `listener` after each round, and with the outcome of the newest one if there was one already, until the returned function is called.
   *
   * @throws viem's errors if the arguments do not fit the ABI.
   */
  watch(read: ContractRead, listener: ReadListener): () => void {
    const data = encodeFunctionData(read)
    const key = `${read.address.toLowerCase()}:${data}:${stringify(read.abi)}`
    const watched = this.#watched.get(key) ?? {
      ...{ read, data, listeners: new Set<ReadListener>(), last: undefined, position: undefined, returned: undefined },
    }
    this.#watched.set(key, watched)
    watched.listeners.add(listener)
    if (watched.last !== undefined) hear(listener, watched.last, watched.position)
    if (this.#stop === undefined) this.#start()
    this.#wake()
    return () => {
      watched.listeners.delete(listener)
      if (watched.listeners.size > 0 || this.#watched.get(key) !== watched) return
      this.#watched.delete(key)
      if (this.#watched.size > 0) return
      this.#stop?.abort(new Error('nothing is watched any more'))
      this.#stop = undefined
    }
  }

  #start(): void {
    const stop = new AbortController()
    this.#stop = stop
    this.#position = undefined
    const end = (cause: unknown): void => {
      if (stop.signal.aborted) return
      stop.abort(cause)
      const error = new QuoinError('Watching contracts has ended: the node refuses to answer.', { cause: cause as Error })
      const blockNumber = BigInt(this.#position?.height ?? -1)
      const ended = [...this.#watched.values()]
      // Who watches from now on begins anew.
      this.#watched.clear()
      this.#stop = undefined
      for (const watched of ended) tell(watched, { status: 'failure', error, blockNumber }, undefined)
    }
    this.#follow(stop.signal).catch(end)
    this.#rounds(stop.signal).catch(end)
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const client = this.#client
    const kind = blockKind()
    const blocks = segments({ client, kind, from: 'now', onUnknownCursor: 'restart', itemsMax: BLOCKS_MAX, signal })
    let resets = 0
    for await (const { entries, cursor, head, isRestart, through } of blocks) {
      if (isRestart) resets++
      if (entries.length === BLOCKS_MAX) continue
      this.#position = { height: Math.max(0, through.height), cursor, head, resets }
      this.#wake()
    }
  }

  async #rounds(signal: AbortSignal): Promise<void> {
    let read: string | undefined
    for (let failures = 0; ; ) {
      const position = this.#position
      const due = [...this.#watched.values()].filter(({ last }) => position?.cursor !== read || last === undefined)
      if (position === undefined || due.length === 0) {
        await this.#woken(signal)
        continue
      }
      try {
        for (let at = 0; at < due.length; at += CALL_READS_MAX) await this.#ask(due.slice(at, at + CALL_READS_MAX), position)
        read = position.cursor
        failures = 0
      } catch (error) {
        if (refusalOf(error)?.scope === 'chain') throw error
        failures++
      }
      await pause(failures === 0 ? ROUND_MS : pauseAfter(failures), signal)
    }
  }

  #woken(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => reject(signal.reason)
      signal.addEventListener('abort', onAbort, { once: true })
      this.#wake = () => {
        signal.removeEventListener('abort', onAbort)
        resolve()
      }
    })
  }

  async #ask(due: readonly Watched[], position: ReadPosition): Promise<void> {
    const blockNumber = BigInt(position.height)
    const results = await readContract(this.#client, {
      address: MULTICALL_ADDRESS,
      abi: multicall3Abi,
      functionName: 'aggregate3',
      args: [due.map(({ read, data }) => ({ target: read.address, allowFailure: true, callData: data }))],
      blockNumber,
    })
    for (const [i, watched] of due.entries()) {
      const { success, returnData } = results[i]!
      const returned = `${success}:${returnData}`
      const isNew = watched.returned !== returned
      watched.returned = returned
      tell(watched, isNew ? outcomeOf(watched.read, success, returnData, blockNumber) : undefined, position)
    }
  }
}

function tell(watched: Watched, outcome: ReadOutcome | undefined, position: ReadPosition | undefined): void {
  watched.last = outcome ?? watched.last
  watched.position = position
  // One of them may end the watch of another.
  for (const listener of [...watched.listeners]) if (watched.listeners.has(listener)) hear(listener, outcome, position)
}

/** What a listener throws is its application's, which sees it as uncaught: the other listeners and the reads go on. */
function hear(listener: ReadListener, ...news: Parameters<ReadListener>): void {
  try {
    listener(...news)
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}

function outcomeOf(read: ContractRead, success: boolean, data: Hex, blockNumber: bigint): ReadOutcome {
  try {
    if (!success) throw new RawContractError({ data })
    return { status: 'success', value: decodeFunctionResult({ ...read, data }), blockNumber }
  } catch (error) {
    return { status: 'failure', error: getContractError(error as BaseError, read) as BaseError, blockNumber }
  }
}
