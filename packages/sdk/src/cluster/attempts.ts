import type { NodeFailure } from '../errors.ts'
import { toError } from '../errors.ts'
import type { ClusterNode } from './node-state.ts'

/** The first usable answer, or the failure of each node that was asked. */
export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failures: readonly NodeFailure[] }

export interface AttemptsOptions<T> {
  /** In the order in which they are asked. */
  readonly nodes: readonly ClusterNode[]
  /** Asks one node. The signal aborts when the answer is of no use any more. */
  readonly ask: (node: ClusterNode, signal: AbortSignal) => Promise<T>
  /** Whether another node may answer after this error. Otherwise the error is the answer. */
  readonly mayGoOn: (error: Error, node: ClusterNode) => boolean
  /** After so many ms without an answer the next node is asked too. */
  readonly hedgeMs?: number | undefined
  /** Ends everything. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Asks nodes one after the other until one answers, or two at a time if one is slow. When it is over, the others are aborted and no listener or timer is
 * left.
 *
 * @throws the first error after which no other node is asked, or the reason of the signal
 */
export function firstAnswer<T>({ nodes, ask, mayGoOn, hedgeMs, signal }: AttemptsOptions<T>): Promise<Outcome<T>> {
  return new Promise((resolve, reject) => {
    const running = new Set<AbortController>()
    const failures: NodeFailure[] = []
    let next = 0
    let isOver = false
    let hedge: ReturnType<typeof setTimeout> | undefined

    const end = (settle: () => void): void => {
      if (isOver) return
      isOver = true
      clearTimeout(hedge)
      signal?.removeEventListener('abort', abort)
      settle()
      for (const controller of running) controller.abort()
    }
    const abort = (): void => end(() => reject(toError(signal?.reason)))
    const goOn = (): void => {
      const node = nodes[next]
      if (node === undefined) {
        if (running.size === 0) end(() => resolve({ ok: false, failures }))
        return
      }
      next += 1
      void attempt(node)
      clearTimeout(hedge)
      if (hedgeMs !== undefined && next < nodes.length) hedge = setTimeout(goOn, hedgeMs)
    }
    const fail = (error: Error, node: ClusterNode): void => {
      if (!mayGoOn(error, node)) return end(() => reject(error))
      failures.push({ url: node.url, error })
      goOn()
    }
    const attempt = async (node: ClusterNode): Promise<void> => {
      const controller = new AbortController()
      running.add(controller)
      try {
        const value = await ask(node, controller.signal)
        end(() => resolve({ ok: true, value }))
      } catch (thrown) {
        if (isOver) return
        running.delete(controller)
        fail(toError(thrown), node)
      }
    }

    if (signal?.aborted === true) return abort()
    signal?.addEventListener('abort', abort)
    goOn()
  })
}
