// Deploys the token. Without settings it uses a running `npm run dev`; set RPC_URL and PRIVATE_KEY to deploy elsewhere.
import { deploy } from '@quoin/contracts/deploy'
import * as token from '../artifacts/token.js'

// Key of the first account of every development chain. It is public: never use it elsewhere.
const DEVELOPMENT_KEY = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80'

const supply = 1000n * 10n ** 18n
const { address, deployer, gasUsed } = await deploy(token, {
  args: ['Example', 'EXM', supply],
  url: process.env.RPC_URL ?? 'http://127.0.0.1:8545',
  privateKey: process.env.PRIVATE_KEY ?? DEVELOPMENT_KEY,
})
console.log(`Deployed the token at ${address} (${gasUsed} gas). Its supply of ${supply} belongs to ${deployer}.`)
