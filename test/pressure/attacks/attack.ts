import type { Crypto } from '@quoin/protocol'
import type { LaneName, NodeView, Prepared } from '../messages.ts'
import type { Signer } from '../processes/signer.ts'
import type { TallyBook } from '../processes/tally.ts'

/**
 * Where an attack strikes. `defaults`: the two validators with the limits that a node has by itself. `lifted`: the two whose limits for
 * each address are lifted, so that what lies behind those limits is tested. `network`: all of them, as a peer.
 */
export type Front = 'defaults' | 'lifted' | 'network'

/** An entry of the table of attacks. */
export interface Attack {
  readonly name: string
  /** What it does, and how hard. */
  readonly what: string
  readonly front: Front
  /** One of each kind runs in `npm test`. */
  readonly inShort?: boolean
  /** Most that the memory of one node may grow, in MB, and why if it is more than others may. */
  readonly growthMbMax?: number
  /** Honest senders whose transfers must stay fast; by default `far`, and `near` too where the default limits stand before the node. */
  readonly lanes?: readonly LaneName[]
  /** Whether honest readers of an attacked node must be answered; by default where the default limits stand before the node. */
  readonly reads?: boolean
  /** The fourth validator is down before, during and after: the attacker has its key. */
  readonly withoutFourth?: boolean
  /** The fourth validator is started anew before the attack and during it, and it is timed until it has all its peers. */
  readonly restartsFourth?: boolean
  /** Fills blocks with valid transactions: what an honest transfer waits is counted in blocks. */
  readonly fillsBlocks?: boolean
  /** By how many ms more than others its times may differ from those before, and why. */
  readonly noiseMs?: number
  /** Times that its phases are longer than those of others. */
  readonly stretch?: number
  /** Leaves transactions in the pools: nodes are started anew after it, so that the next attack begins with empty ones. */
  readonly fillsPool?: boolean
  /** Runs before the phase `before`, in the attacker's process: signs, or puts something on the chain. What it returns is the attack, which runs until the signal. */
  prepare(stage: Stage): Promise<() => Promise<void>>
}

/** What an attack finds in its process. */
export interface Stage {
  /** Attacked nodes; those of the network for a peer. */
  readonly targets: readonly NodeView[]
  readonly prepared: Prepared
  /** Of the repetition, from 0: keys and identities of an earlier one are used up. */
  readonly round: number
  /** Aborted when the attack is over. */
  readonly signal: AbortSignal
  readonly tally: TallyBook
  readonly crypto: Crypto
  readonly sign: Signer
}

/** Runs so many loops at a time until the signal; each begins anew when it has ended. */
export async function lanes(count: number, signal: AbortSignal, work: (lane: number) => Promise<void>): Promise<void> {
  const lane = async (index: number): Promise<void> => {
    while (!signal.aborted) await work(index)
  }
  await Promise.all(Array.from({ length: count }, (_, index) => lane(index)))
}

/** Does something so often a second until the signal, whatever became of the last one. */
export function paced(perSecond: number, signal: AbortSignal, action: (index: number) => void): Promise<void> {
  const started = performance.now()
  let done = 0
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      const due = Math.floor((performance.now() - started) * (perSecond / 1_000))
      while (done < due && !signal.aborted) action(done++)
    }, 5)
    signal.addEventListener('abort', () => {
      clearInterval(timer)
      resolve()
    })
  })
}

/** Resolves at the signal. */
export const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
