import type { Crypto } from '@quoin/protocol'
import type { LaneName, NodeView, Prepared } from '../messages.ts'
import type { Signer } from '../processes/signer.ts'
import type { TallyBook } from '../processes/tally.ts'

/**
 * The validators that an attack targets. `defaults`: the two validators with a node's default limits. `lifted`: the two without limits per
 * address, so that the limits behind those are tested. `network`: all of them, attacked by a peer.
 */
export type Front = 'defaults' | 'lifted' | 'network'

/** An entry of the table of attacks. */
export interface Attack {
  readonly name: string
  /** What it does, and how hard. */
  readonly what: string
  readonly front: Front
  /** One attack of each kind runs in `npm test`. */
  readonly inShort?: boolean
  /** Limit for the growth of one node's memory in MB, and the reason if it is above the usual limit. */
  readonly growthMbMax?: number
  /** Honest senders whose transfers must stay fast. Default: `far`, and `near` too if the node has the default limits. */
  readonly lanes?: readonly LaneName[]
  /** Whether honest readers of an attacked node must be answered. Default: if the node has the default limits. */
  readonly reads?: boolean
  /** The fourth validator is down before, during and after: the attacker has its key. */
  readonly withoutFourth?: boolean
  /** The fourth validator is restarted before and during the attack; measured is the time until it has all its peers. */
  readonly restartsFourth?: boolean
  /** Fills blocks with valid transactions: the wait of an honest transfer is counted in blocks. */
  readonly fillsBlocks?: boolean
  /** Additional allowance in ms for time differences, and the reason. */
  readonly noiseMs?: number
  /** Factor by which its phases are longer. */
  readonly stretch?: number
  /** Leaves transactions in the pools: the nodes are restarted after it, so that the next attack begins with empty pools. */
  readonly fillsPool?: boolean
  /**
   * Runs before the phase `before`, in the attacker's process: signs transactions, or puts something on the chain. Returns the attack
   * itself, which runs until the signal.
   */
  prepare(stage: Stage): Promise<() => Promise<void>>
}

/** What an attack can use in its process. */
export interface Stage {
  /** Attacked nodes; for a peer, the network's nodes. */
  readonly targets: readonly NodeView[]
  readonly prepared: Prepared
  /** Round number, from 0: keys and identities of an earlier round are used up. */
  readonly round: number
  /** Aborted when the attack is over. */
  readonly signal: AbortSignal
  readonly tally: TallyBook
  readonly crypto: Crypto
  readonly sign: Signer
}

/** Runs this many loops at the same time until the signal; each restarts when it has ended. */
export async function lanes(count: number, signal: AbortSignal, work: (lane: number) => Promise<void>): Promise<void> {
  const lane = async (index: number): Promise<void> => {
    while (!signal.aborted) await work(index)
  }
  await Promise.all(Array.from({ length: count }, (_, index) => lane(index)))
}

/** Repeats an action at this rate until the signal, whether or not the last one has ended. */
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
