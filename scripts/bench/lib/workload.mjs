import { createPublicClient, createWalletClient, encodeFunctionData, http, serializeTransaction } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { addressOfPublicKey, bytesToHex, hexToBytes, publicKeyOf, utf8ToBytes } from '../../../packages/protocol/dist/index.js'
import { readContract } from '../../../test/contracts/contract.mjs'
import { rpc } from './rpc.mjs'

/** Workloads for a devnet: signed transactions, in one list per sender, in the order of nonces. */

const CHAIN_ID = 31_337

/** Signs with the node's native signer, because viem's takes 25 times as long. */
export function signer(crypto) {
  return (account, nonce, { to, value = 0n, data, gas }) => {
    const transaction = {
      type: 'eip1559',
      chainId: CHAIN_ID,
      nonce,
      to,
      value,
      ...(data && { data }),
      gas,
      maxFeePerGas: 0n,
      maxPriorityFeePerGas: 0n,
    }
    const digest = crypto.keccak256(hexToBytes(serializeTransaction(transaction)))
    const { signature, yParity } = crypto.sign(digest, account.secretKey)
    const [r, s] = [0, 32].map((at) => bytesToHex(signature.subarray(at, at + 32)))
    return serializeTransaction(transaction, { r, s, yParity })
  }
}

/** Plain transfers of eight development accounts to a ninth. */
export function plainTransfers(sign, accounts) {
  const senders = accounts.slice(0, 8)
  const nonces = senders.map(() => 0)
  return {
    name: 'transfers',
    senders: senders.length,
    transactions: (each) =>
      senders.map((sender, i) =>
        Array.from({ length: each }, () => sign(sender, nonces[i]++, { to: accounts[9].address, value: 1n, gas: 21_000n })),
      ),
    check: async () => undefined,
  }
}

const TOKENS_EACH = 10n ** 24n

/**
 * Transfers of a token (by default that of test/contracts) among `count` accounts. Each account sends to the account half the list away, with different
 * amounts. The token is deployed with viem. `sendAll` must send the transactions that give each account its tokens, and wait until they are final.
 */
export async function tokenTransfers({ crypto, sign, deployer, count, ports, sendAll, contract = readContract('token') }) {
  const { abi, bytecode } = contract
  const transport = http(`http://127.0.0.1:${ports[0]}`)
  const reader = createPublicClient({ transport, pollingInterval: 50 })
  const account = privateKeyToAccount(bytesToHex(deployer.secretKey))
  const wallet = createWalletClient({ account, transport })
  const args = ['Token', 'TOK', account.address, TOKENS_EACH * BigInt(count)]
  const hash = await wallet.deployContract({ abi, bytecode, args, chain: null, maxFeePerGas: 0n, maxPriorityFeePerGas: 0n })
  const { contractAddress: token, status } = await reader.waitForTransactionReceipt({ hash })
  if (status !== 'success') throw new Error('the token could not be deployed')

  const accounts = Array.from({ length: count }, (_, i) => {
    const secretKey = crypto.sha256(utf8ToBytes(`bench ${i}`))
    return {
      secretKey,
      address: addressOfPublicKey(crypto, publicKeyOf(crypto.publicKey(secretKey))),
      nonce: 0,
      balance: TOKENS_EACH,
    }
  })
  const call = (to, value) => encodeFunctionData({ abi, functionName: 'transfer', args: [to, value] })
  const estimate = await reader.estimateGas({ account: account.address, to: token, data: call(accounts[0].address, TOKENS_EACH) })
  // Add a tenth, because balances may be longer than those of the estimate.
  const gas = estimate + estimate / 10n
  const first = await reader.getTransactionCount({ address: account.address })
  await sendAll([
    accounts.map(({ address }, i) => sign(deployer, first + i, { to: token, data: call(address, TOKENS_EACH), gas })),
  ])

  const pay = (from, to) => {
    const value = 10n ** 15n + BigInt(from.nonce)
    from.balance -= value
    to.balance += value
    return sign(from, from.nonce++, { to: token, data: call(to.address, value), gas })
  }
  return {
    name: `token transfers (${count} senders, gas limit ${gas})`,
    senders: count,
    transactions: (each) =>
      accounts.map((from, i) => Array.from({ length: each }, () => pay(from, accounts[(i + (count >> 1)) % count]))),

    /** Checks all balances after the transfers. */
    check: async () => {
      for (const [i, { address, balance }] of accounts.entries()) {
        const data = encodeFunctionData({ abi, functionName: 'balanceOf', args: [address] })
        const found = BigInt(await rpc(ports[i % ports.length], 'eth_call', { to: token, data }, 'latest'))
        if (found !== balance) throw new Error(`${address} has ${found} tokens, not ${balance}`)
      }
    },
  }
}
