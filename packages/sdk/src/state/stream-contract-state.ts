import type {
  Abi,
  Client,
  ContractFunctionArgs,
  ContractFunctionName,
  ReadContractParameters,
  ReadContractReturnType,
} from 'viem'
import { CursorUnknownError } from '../streams/errors.ts'
import { blockKind } from '../streams/kinds.ts'
import { BEHIND, endOf } from '../streams/place.ts'
import type { Reading } from '../streams/reading.ts'
import type { Entry, Segment } from '../streams/segment.ts'
import { beginningOf } from '../streams/source.ts'
import { Stream, type StreamOptions } from '../streams/stream.ts'
import type { ReadAt } from './watch-read-contract.ts'
import {
  type ContractRead,
  contractRead,
  type ReadListener,
  type ReadOutcome,
  type ReadPosition,
  readsOf,
  type View,
} from './watched-reads.ts'

export type StreamContractStateParameters<
  abi extends Abi | readonly unknown[],
  functionName extends ContractFunctionName<abi, View>,
  args extends ContractFunctionArgs<abi, View, functionName>,
> = Pick<ReadContractParameters<abi, functionName, args>, 'abi' | 'address' | 'args' | 'functionName'> & StreamOptions

/**
 * What a view function returns, at rising heights: first the value after the newest block that is not behind the position, then each value that differs from the one before. Of
 * many changes in a short time, or while the consumer is slow, only the newest is told. The value is told again after a resumption, once there is a new block, because a cursor does
 * not say which value was told. All such streams and watched reads of a client share one call for each new block, at most four a second.
 *
 * The iteration rejects with viem's ContractFunctionExecutionError when the contract refuses.
 *
 * @example
 * for await (const { value, blockNumber } of streamContractState(client, { abi, address, functionName: 'total' })) …
 */
export function streamContractState<
  const abi extends Abi | readonly unknown[],
  functionName extends ContractFunctionName<abi, View>,
  const args extends ContractFunctionArgs<abi, View, functionName>,
>(
  client: Client,
  parameters: StreamContractStateParameters<abi, functionName, args>,
): Stream<ReadAt<ReadContractReturnType<abi, functionName, args>>> {
  const read = contractRead(parameters)
  return new Stream((reading) => stateSegments(client, read, reading), parameters)
}

async function* stateSegments<T>(
  client: Client,
  read: ContractRead,
  { from, onUnknownCursor, signal }: Reading,
): AsyncGenerator<Segment<ReadAt<T>>, never> {
  let floor = -1
  let start: string | undefined
  if (from !== 'now') {
    const { cursor, height, head, isRestart } = await beginningOf({ client, kind: blockKind(), from, onUnknownCursor, signal })
    floor = height
    start = cursor
    yield { entries: [], start, cursor, through: endOf(height - 1), head, isMerged: false, isRestart }
  }
  const inbox = new Inbox<T>(floor, onUnknownCursor === 'restart')
  const unwatch = readsOf(client).watch(read, inbox.receive)
  const end = (): void => inbox.end(signal.reason)
  signal.addEventListener('abort', end, { once: true })
  if (signal.aborted) end()
  try {
    for (;;) {
      const { entry, position, isRestart } = await inbox.next()
      const { cursor, head, height } = position
      start ??= cursor
      yield {
        entries: entry === undefined ? [] : [entry],
        start,
        cursor,
        through: endOf(height),
        head,
        isMerged: false,
        isRestart,
      }
      start = cursor
    }
  } finally {
    unwatch()
    signal.removeEventListener('abort', end)
  }
}

interface Told<T> {
  readonly entry: Entry<ReadAt<T>> | undefined
  readonly position: ReadPosition
  readonly isRestart: boolean
}

/** The newest news of one read, until the consumer takes it. */
class Inbox<T> {
  readonly #survivesReset: boolean
  #floor: number
  #resets: number | undefined
  #isRestart = false
  /** The newest outcome, as long as it was not put into an entry. */
  #outcome: ReadOutcome | undefined
  #entry: Entry<ReadAt<T>> | undefined
  #position: ReadPosition | undefined
  #failure: { readonly error: unknown } | undefined
  #wake: () => void = () => {}

  constructor(floor: number, survivesReset: boolean) {
    this.#floor = floor
    this.#survivesReset = survivesReset
  }

  readonly receive: ReadListener = (outcome, position) => {
    this.#outcome = outcome ?? this.#outcome
    if (position === undefined) return this.#endIfRefused()
    if (this.#resets !== undefined && this.#resets !== position.resets) {
      if (!this.#survivesReset) return this.end(new CursorUnknownError(new Error('the development chain was reset')))
      this.#isRestart = true
      // A value that was not taken is the new chain's too, unless there is news of it; its height is not.
      if (this.#entry !== undefined) this.#outcome ??= { status: 'success', ...this.#entry.value }
      this.#entry = undefined
      this.#floor = 0
    }
    this.#resets = position.resets
    const { height } = position
    // A refusal before the position is none of the stream's.
    if (height < this.#floor) return
    this.#endIfRefused()
    this.#position = position
    if (this.#outcome?.status === 'success') {
      const place = { height, transactionIndex: BEHIND, logIndex: BEHIND, source: 0 }
      this.#entry = { value: { value: this.#outcome.value as T, blockNumber: BigInt(height) }, place }
      this.#outcome = undefined
    }
    this.#wake()
  }

  #endIfRefused(): void {
    if (this.#outcome?.status === 'failure') this.end(this.#outcome.error)
  }

  /** What was not taken yet is lost. */
  end(error: unknown): void {
    this.#failure ??= { error }
    this.#wake()
  }

  async next(): Promise<Told<T>> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure.error
      const position = this.#position
      if (position !== undefined) {
        const told = { entry: this.#entry, position, isRestart: this.#isRestart }
        this.#position = undefined
        this.#entry = undefined
        this.#isRestart = false
        return told
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}
