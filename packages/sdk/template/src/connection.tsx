import type { ClusterValue, NodeStatus } from '@quoin/sdk'
import { useEffect, useState } from 'react'
import { useClient } from 'wagmi'

/** The cluster measures its nodes every 2 s. */
const LOOK_MS = 250

/** Which nodes answer, and how far the chain is. When one dies the others serve the page; when all are dead it waits for them. */
export function ConnectionLine() {
  const nodes = useNodes()
  const good = nodes.filter(({ breaker, isBehind }) => breaker === 'closed' && !isBehind)
  const height = Math.max(...nodes.map(({ height = 0 }) => height))
  const state = good.length === nodes.length ? 'good' : good.length > 0 ? 'partly' : 'bad'
  const which = nodes.length === 1 ? 'Connected' : `${good.length} of ${nodes.length} nodes answer`
  return (
    <p className="connection" role="status" data-state={state}>
      <span className={`dot ${state}`} aria-hidden="true" />
      {good.length > 0 ? which : 'No node answers. This page goes on trying, and nothing is lost.'}
      {height > 0 && (
        <span className="hint" aria-live="off">
          {good.length > 0 ? ` block ${height}` : ` Last seen: block ${height}.`}
        </span>
      )}
    </p>
  )
}

function useNodes(): readonly NodeStatus[] {
  const transport = useClient()?.transport as ClusterValue | undefined
  const [nodes, setNodes] = useState<readonly NodeStatus[]>(() => transport?.nodes() ?? [])
  useEffect(() => {
    const timer = setInterval(() => setNodes(transport?.nodes() ?? []), LOOK_MS)
    return () => clearInterval(timer)
  }, [transport])
  return nodes
}
