import { createClient, http, publicActions, walletActions } from 'viem'
import { foundry } from 'viem/chains'
import { accountOf, PEOPLE } from './accounts.mjs'

/** What the buyer has, in the token's smallest unit, and the supplier's credit for it. The token has cents. */
const FUNDS = 100_000_00n
const CREDIT = 50_000_00n
/** Roles of each organisation's one account: all of them. A real organisation gives each to other people. */
const ALL_ROLES = 63

/**
 * Deploys token and ledger to a development chain, and admits the three organisations of the example.
 *
 * @param {string} url of a node
 * @param {{ readonly [name in 'ledger' | 'token']: { readonly abi: import('viem').Abi, readonly bytecode: `0x${string}` } }} artifacts
 * @returns {Promise<{ ledger: `0x${string}`, token: `0x${string}`, block: number, genesisHash: `0x${string}` }>}
 */
export async function setUp(url, { ledger, token }) {
  const client = createClient({ chain: foundry, transport: http(url), pollingInterval: 50 })
    .extend(publicActions)
    .extend(walletActions)
  /** @param {Promise<`0x${string}`>} sent */
  const final = async (sent) => {
    const receipt = await client.waitForTransactionReceipt({ hash: await sent })
    if (receipt.status !== 'success') throw new Error(`transaction ${receipt.transactionHash} failed`)
    return receipt
  }
  const [owner, supplier, buyer, carrier] = [PEOPLE.owner, PEOPLE.supplier, PEOPLE.buyer, PEOPLE.carrier].map(accountOf)
  /** Each transaction is in a block before the next one is made. @param {import('viem').Account} account */
  const by = (account, address, abi) => (functionName, args) =>
    final(client.writeContract({ account, address, abi, functionName, args, chain: foundry }))

  const { contractAddress: tokenAddress } = await final(
    client.deployContract({ ...token, account: owner, args: ['Example Euro', 'EUR', owner.address] }),
  )
  const deployed = await final(client.deployContract({ ...ledger, account: owner, args: [tokenAddress, owner.address] }))
  const address = deployed.contractAddress
  const admit = by(owner, address, ledger.abi)
  for (const [{ name }, account] of [
    [PEOPLE.supplier, supplier],
    [PEOPLE.buyer, buyer],
    [PEOPLE.carrier, carrier],
  ]) {
    await admit('admit', [name, account.address, account.address])
  }
  for (const [{ organisation }, account] of [
    [PEOPLE.supplier, supplier],
    [PEOPLE.buyer, buyer],
    [PEOPLE.carrier, carrier],
  ]) {
    await by(account, address, ledger.abi)('setRoles', [BigInt(organisation), account.address, ALL_ROLES])
  }
  await by(supplier, address, ledger.abi)('setCreditLimit', [1n, 2n, CREDIT])
  await by(owner, tokenAddress, token.abi)('mint', [buyer.address, FUNDS])
  await by(buyer, tokenAddress, token.abi)('approve', [address, 2n ** 256n - 1n])
  const { hash } = await client.getBlock({ blockNumber: 0n })
  return { ledger: address, token: tokenAddress, block: Number(deployed.blockNumber), genesisHash: hash }
}
