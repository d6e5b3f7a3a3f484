import { linkDeadline } from '@quoin/node/process'

/** Status of one validator for the status line, from its `/metrics`. */
export interface NodeStatus {
  readonly height: number
  /** Milliseconds from a block's time to its commit on this node. */
  readonly finalityMs: number
  readonly transactions: number
  readonly peers: number
  readonly mempool: number
  /** No block was committed for longer than a working chain takes. */
  readonly isStalled: boolean
}

const REQUEST_MS_MAX = 2_000

/** Reads a validator's status. Undefined if the node does not answer: it is down or starting. */
export async function readStatus(rpcPort: number): Promise<NodeStatus | undefined> {
  const { signal, unlink } = linkDeadline(REQUEST_MS_MAX, [])
  try {
    const response = await fetch(`http://127.0.0.1:${rpcPort}/metrics`, { signal })
    return parseMetrics(await response.text())
  } catch (failure) {
    // A refused, reset or timed-out request means that the validator is not available. Anything else is a bug.
    if (failure instanceof TypeError || signal.aborted) return undefined
    throw failure
  } finally {
    unlink()
  }
}

export function parseMetrics(text: string): NodeStatus {
  const values = new Map(
    text.split('\n').map((line) => {
      const [name, value] = line.split(' ')
      return [name, Number(value)]
    }),
  )
  const read = (name: string): number => values.get(`quoin_${name}`) ?? 0
  return {
    height: read('chain_height'),
    finalityMs: read('chain_finality_ms'),
    transactions: read('chain_transactions_total'),
    peers: read('network_peers'),
    mempool: read('mempool_transactions'),
    isStalled: read('warning{reason="stalled"}') === 1,
  }
}

/** The status line, from two readings that are `elapsedMs` apart. */
export function statusLine(
  before: readonly (NodeStatus | undefined)[],
  now: readonly (NodeStatus | undefined)[],
  elapsedMs: number,
): string {
  const alive = now.filter((status) => status !== undefined)
  if (alive.length === 0) return `none of ${now.length} validators answers`
  const best = alive.reduce((a, b) => (b.height > a.height ? b : a))
  const index = now.indexOf(best)
  const grown = best.transactions - (before[index]?.transactions ?? best.transactions)
  const rate = elapsedMs > 0 ? Math.max(0, Math.round((1000 * grown) / elapsedMs)) : 0
  const heights = new Set(alive.map(({ height }) => height))
  const spread = heights.size > 1 ? ` (lowest ${Math.min(...heights)})` : ''
  return [
    `height ${best.height}${spread}${alive.some(({ isStalled }) => isStalled) ? ', stalled' : ''}`,
    `finality ${Math.round(best.finalityMs)} ms`,
    `${rate} tx/s`,
    `validators ${alive.length}/${now.length}`,
    `peers ${alive.map(({ peers }) => peers).join(' ')}`,
    `mempool ${best.mempool}`,
  ].join('   ')
}
