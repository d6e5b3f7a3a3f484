import type { Address, Hash } from 'viem'
import { abi } from '../artifacts/board.js'

/** The contract on the page's chain. */
export interface Board {
  readonly abi: typeof abi
  readonly address: Address
  /** Block of the deployment: there are no events before it. */
  readonly block: bigint
}

/** What scripts/deploy.mjs writes. */
interface Deployment {
  readonly address: Address
  readonly block: number
  readonly genesisHash: Hash
}

/** deployments/<chain id>.json: Vite puts these files into the page, and updates the page when one changes. */
const files = import.meta.glob<Deployment>('../deployments/*.json', { eager: true, import: 'default' })

/** The contract on a chain. Undefined if it was not deployed there, or only on an earlier chain with the same id. */
export function boardOn(chain: { readonly id: number; readonly genesisHash: Hash }): Board | undefined {
  const deployment = files[`../deployments/${chain.id}.json`]
  if (deployment === undefined || deployment.genesisHash !== chain.genesisHash) return undefined
  return { abi, address: deployment.address, block: BigInt(deployment.block) }
}
