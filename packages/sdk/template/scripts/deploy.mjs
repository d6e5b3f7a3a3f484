// Deploys the board, and writes where it is into deployments/<chain id>.json, which the page reads.
// Without settings it uses a running `npm run dev`; set RPC_URL and PRIVATE_KEY to deploy elsewhere.
import { mkdir, writeFile } from 'node:fs/promises'
import { deploy } from '@quoin/contracts/deploy'
import { createPublicClient, http } from 'viem'
import * as board from '../artifacts/board.js'

// Key of the first account of every development chain. It is public: never use it elsewhere.
const DEVELOPMENT_KEY = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80'

const url = process.env.RPC_URL ?? 'http://127.0.0.1:8545'
const { address, transactionHash, gasUsed } = await deploy(board, {
  url,
  privateKey: process.env.PRIVATE_KEY ?? DEVELOPMENT_KEY,
})

const client = createPublicClient({ transport: http(url) })
const [chainId, genesis, receipt] = await Promise.all([
  client.getChainId(),
  client.getBlock({ blockNumber: 0n }),
  client.getTransactionReceipt({ hash: transactionHash }),
])
const folder = new URL('../deployments/', import.meta.url)
await mkdir(folder, { recursive: true })
const deployment = { address, block: Number(receipt.blockNumber), genesisHash: genesis.hash }
await writeFile(new URL(`${chainId}.json`, folder), `${JSON.stringify(deployment, null, 2)}\n`)
console.log(`Deployed the board at ${address} on chain ${chainId} (${gasUsed} gas).`)
