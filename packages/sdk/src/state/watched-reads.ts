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
import { segments } from '../streams/source.ts'

/** A view function of a contract with its arguments. */
export interface ContractRead {
  readonly address: Address
  readonly abi: Abi
  readonly functionName: string
  readonly args: readonly unknown[]
}

/** What a read gave after a block. */
export type ReadOutcome =
  | { readonly status: 'success'; readonly value: unknown; readonly blockNumber: bigint }
  /** The contract refused. */
  | { readonly status: 'failure'; readonly error: BaseError; readonly blockNumber: bigint }

export type ReadListener = (outcome: ReadOutcome) => void

/** One read, and those who watch it. */
interface Watched {
  readonly read: ContractRead
  readonly data: Hex
  readonly listeners: Set<ReadListener>
  last: ReadOutcome | undefined
  /** What the contract returned, by which a change is seen. */
  returned: string | undefined
}

/** At most four rounds of reads a second, in milliseconds. */
const ROUND_MS = 250
/** Reads in one call, which share its gas. */
const CALL_READS_MAX = 64
/** The multicall contract, at the same address on every Quoin chain. */
const MULTICALL_ADDRESS = '0xcA11bde05977b3631167028862bE2a173976CA11'

/**
 * The watched reads of one client. After a new block they are asked for together, at the block's height, in one call of the multicall contract (so contracts see that one as the
 * caller). A listener hears of its read when the outcome changes, at rising heights; what lies between two rounds is left out. While no node answers, nobody hears anything.
 */
export class WatchedReads {
  readonly #client: Client
  readonly #watched = new Map<string, Watched>()
  #head = -1n
  #stop: AbortController | undefined
  #wake: () => void = () => {}

  constructor(client: Client) {
    this.#client = client
  }

  /**
   * Calls `listener` with the outcome of a read and with each change of it, until the returned function is called.
   *
   * @throws viem's errors if the arguments do not fit the ABI.
   */
  watch(read: ContractRead, listener: ReadListener): () => void {
    const data = encodeFunctionData(read)
    const key = `${read.address.toLowerCase()}:${data}:${stringify(read.abi)}`
    const watched = this.#watched.get(key) ?? { read, data, listeners: new Set(), last: undefined, returned: undefined }
    this.#watched.set(key, watched)
    watched.listeners.add(listener)
    if (watched.last !== undefined) listener(watched.last)
    if (this.#stop === undefined) this.#start()
    this.#wake()
    return () => {
      watched.listeners.delete(listener)
      if (watched.listeners.size > 0) return
      this.#watched.delete(key)
      if (this.#watched.size > 0) return
      this.#stop?.abort(new Error('nothing is watched any more'))
      this.#stop = undefined
    }
  }

  #start(): void {
    const stop = new AbortController()
    this.#stop = stop
    this.#head = -1n
    const end = (cause: unknown): void => {
      if (stop.signal.aborted) return
      stop.abort(cause)
      const error = new QuoinError('Watching contracts has ended: the node refuses to answer.', { cause: cause as Error })
      for (const watched of this.#watched.values()) tell(watched, { status: 'failure', error, blockNumber: this.#head })
    }
    this.#follow(stop.signal).catch(end)
    this.#rounds(stop.signal).catch(end)
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const client = this.#client
    const blocks = segments({ client, kind: blockKind(), from: 'now', onUnknownCursor: 'restart', itemsMax: 1, signal })
    for await (const { head } of blocks) {
      this.#head = head.number
      this.#wake()
    }
  }

  async #rounds(signal: AbortSignal): Promise<void> {
    let read = -1n
    for (let failures = 0; ; ) {
      const head = this.#head
      const due = [...this.#watched.values()].filter(({ last }) => head !== read || last === undefined)
      if (head < 0n || due.length === 0) {
        await this.#woken(signal)
        continue
      }
      try {
        for (let at = 0; at < due.length; at += CALL_READS_MAX) await this.#ask(due.slice(at, at + CALL_READS_MAX), head)
        read = head
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

  async #ask(due: readonly Watched[], blockNumber: bigint): Promise<void> {
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
      if (watched.returned === returned) continue
      watched.returned = returned
      tell(watched, outcomeOf(watched.read, success, returnData, blockNumber))
    }
  }
}

function tell(watched: Watched, outcome: ReadOutcome): void {
  watched.last = outcome
  for (const listener of [...watched.listeners]) listener(outcome)
}

function outcomeOf(read: ContractRead, success: boolean, data: Hex, blockNumber: bigint): ReadOutcome {
  try {
    if (!success) throw new RawContractError({ data })
    return { status: 'success', value: decodeFunctionResult({ ...read, data }), blockNumber }
  } catch (error) {
    return { status: 'failure', error: getContractError(error as BaseError, read) as BaseError, blockNumber }
  }
}
