import { cluster, fetchChain } from '@quoin/sdk'
import type { Address, Client, Hash } from 'viem'
import { createConfig } from 'wagmi'
import type { Ledger } from '../ledger.ts'

/** deployment.json beside the page: where the ledger is. scripts/deploy.mjs writes it. */
interface Deployment {
  readonly urls: readonly string[]
  readonly genesisHash: Hash
  readonly ledger: Address
  readonly token: Address
  readonly block: number
}

export interface DeployedLedger extends Ledger {
  /** Block of the deployment: there are no events before it. */
  readonly block: bigint
}

export type OpenLedger = Awaited<ReturnType<typeof openLedger>>

/** Finds the ledger and its chain, and prepares wagmi. Throws while no node answers, and if it is another chain. */
export async function openLedger(signal: AbortSignal) {
  const response = await fetch('/deployment.json', { signal })
  if (!response.ok || response.headers.get('content-type')?.includes('json') !== true)
    throw new Error('The ledger is not deployed yet.')
  const { urls, genesisHash, ledger, token, block } = (await response.json()) as Deployment
  const chain = await fetchChain(urls, { signal, genesisHash })
  const config = createConfig({ chains: [chain], transports: { [chain.id]: cluster(urls) } })
  // The keys of this page are known to everybody.
  if (!(await isDevelopmentChain(config.getClient()))) throw new Error('This page has keys for development chains only.')
  const deployed: DeployedLedger = { address: ledger, token, block: BigInt(block) }
  return { config, ledger: deployed }
}

/** Networks of validators may have the same chain id, so the node itself is asked. */
async function isDevelopmentChain(client: Client): Promise<boolean> {
  const version = await client.request({ method: 'web3_clientVersion' })
  return version.startsWith('anvil/quoin-dev')
}
