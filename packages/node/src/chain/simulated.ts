import type { Genesis } from '@quoin/protocol'

/** A simulated chain has no network and no consensus: its blocks prove nothing, and its state is whatever somebody wanted it to be. */
export interface SimulatedRefusal {
  readonly code: 'simulated'
  readonly message: string
}

/** Why a validator takes no part in the chain of a genesis: it is one of `quoin dev`. */
export function simulatedRefusal({ simulated = false }: Genesis): SimulatedRefusal | undefined {
  if (!simulated) return undefined
  return {
    code: 'simulated',
    message:
      'this genesis is of a development chain (quoin dev): its accounts are public, its state and its time can be set, and no validators ' +
      'agree on its blocks. Make the genesis of a real chain with quoin genesis',
  }
}
