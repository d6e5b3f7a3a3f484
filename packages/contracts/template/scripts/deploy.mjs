// Deploys the token. Without settings it uses a running `npm run dev`; set RPC_URL and PRIVATE_KEY to deploy elsewhere.
import { createWalletClient, defineChain, http, publicActions } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { abi, bytecode } from '../artifacts/token.js'

// Key of the first account of every development chain. It is public: never use it elsewhere.
const DEVELOPMENT_KEY = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80'

const url = process.env.RPC_URL ?? 'http://127.0.0.1:8545'
const account = privateKeyToAccount(process.env.PRIVATE_KEY ?? DEVELOPMENT_KEY)
const transport = http(url)
const id = await createWalletClient({ transport }).getChainId()
const chain = defineChain({
  id,
  name: `chain ${id}`,
  nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
  rpcUrls: { default: { http: [url] } },
})
const client = createWalletClient({ account, chain, transport }).extend(publicActions)

const hash = await client.deployContract({ abi, bytecode, args: ['Example', 'EXM', 1000n * 10n ** 18n] })
const { contractAddress, gasUsed, status } = await client.waitForTransactionReceipt({ hash })
if (status !== 'success') throw new Error(`the deployment failed: ${hash}`)
const supply = await client.readContract({ address: contractAddress, abi, functionName: 'totalSupply' })
console.log(`Deployed the token at ${contractAddress} (${gasUsed} gas). Its supply of ${supply} belongs to ${account.address}.`)
