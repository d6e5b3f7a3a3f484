import type { Genesis } from '@quoin/protocol'

/** A simulated chain has no network and no consensus: its blocks prove nothing, and its state can be set freely. */
export interface SimulatedRefusal {
  readonly code: 'simulated'
  readonly message: string
}

/** Explains why a validator cannot join the chain of a genesis: it is a development chain of `quoin dev`. */
export function simulatedRefusal({ simulated = false }: Genesis): SimulatedRefusal | undefined {
  if (!simulated) return undefined
  return {
    code: 'simulated',
    message:
      'this genesis belongs to a development chain (quoin dev): its accounts are public, its state and time can be set, and no validators ' +
      'agree on its blocks. Create the genesis of a real chain with quoin genesis',
  }
}
