import { cluster, fetchChain } from '@quoin/sdk'
import type { Client } from 'viem'
import { createConfig, injected } from 'wagmi'

/** The nodes of the chain: VITE_RPC_URLS, separated by commas. `npm run dev` sets it to the development chain. */
const urls = ((import.meta.env.VITE_RPC_URLS as string | undefined) ?? 'http://127.0.0.1:8545').split(',')

/** Blocks of a Quoin chain come fast, and are final at once. */
const POLLING_MS = 500

export type OpenChain = Awaited<ReturnType<typeof openChain>>

/** Finds out which chain the nodes belong to, and prepares wagmi for it. Throws while no node answers. */
export async function openChain(signal: AbortSignal) {
  const chain = await fetchChain(urls, { signal })
  const config = createConfig({
    chains: [chain],
    transports: { [chain.id]: cluster(urls) },
    // Wallets that announce themselves (EIP-6963) are added by wagmi. This one is for older wallets.
    connectors: [injected()],
    pollingInterval: POLLING_MS,
  })
  return { chain, config, isDevelopment: await isDevelopmentChain(config.getClient()) }
}

/**
 * Whether the chain is `quoin dev`: one process that everybody may change, in memory, gone when it ends. Only there may a key lie in the page,
 * because it owns nothing. Networks of validators may have the same chain id, so the node itself is asked.
 */
async function isDevelopmentChain(client: Client): Promise<boolean> {
  if (client.chain?.id !== 31_337) return false
  const version = await client.request({ method: 'web3_clientVersion' })
  return version.startsWith('anvil/quoin-dev')
}
