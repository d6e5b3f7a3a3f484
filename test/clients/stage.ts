import { defineChain } from 'viem'
import { inject } from 'vitest'
import { account } from '../e2e/harness.ts'
import type { Artifact } from './setup.ts'

export const validators = inject('validators')
export const dev = inject('dev')
export const artifacts = inject('artifacts')
export const market: Artifact = inject('market')
export const token: Artifact = inject('token')

/** The WebSocket of a node serves the same port. */
export const socketUrl = (url: string): string => url.replace('http', 'ws')

/** Each client has two funded accounts, so that the nonces of its senders are its own. */
const ACCOUNTS = { viem: [0, 1], ethers: [2, 3], web3: [4, 5], wagmi: [6, 7] } as const

/** The two accounts of a client with their private keys. */
export function accountsOf(client: keyof typeof ACCOUNTS) {
  const [a, b] = ACCOUNTS[client]
  return [keyed(a), keyed(b)] as const
}

function keyed(index: number) {
  const signer = account(index)
  return { address: signer.address, key: `0x${Buffer.from(signer.getHdKey().privateKey!).toString('hex')}` as const, signer }
}

export const CHAIN_ID = 31_337
/** The chain as a user of viem declares it: `foundry` does not name the contract that joins calls. */
export const chain = defineChain({
  ...{ id: CHAIN_ID, name: 'Quoin', nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 } },
  rpcUrls: { default: { http: [validators[0]!] } },
  contracts: { multicall3: { address: '0xcA11bde05977b3631167028862bE2a173976CA11' } },
})
/** An address that owns nothing. */
export const nobody = (index: number): `0x${string}` => `0x${(0xc11e_0000 + index).toString(16).padStart(40, '0')}`

/** ERC-2612's typed data. */
export const PERMIT = {
  Permit: [
    { name: 'owner', type: 'address' },
    { name: 'spender', type: 'address' },
    { name: 'value', type: 'uint256' },
    { name: 'nonce', type: 'uint256' },
    { name: 'deadline', type: 'uint256' },
  ],
}

/** The error of an action that must fail. */
export async function failureOf(action: PromiseLike<unknown>): Promise<unknown> {
  const failure = await action.then(
    () => undefined,
    (reason: unknown) => ({ reason }),
  )
  if (failure === undefined) throw new Error('the action succeeded')
  return failure.reason
}
