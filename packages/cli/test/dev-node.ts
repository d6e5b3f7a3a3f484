import { DEVELOPMENT_MNEMONIC } from '@quoin/platform'
import { createTestClient, createWalletClient, http, publicActions, type Transport, walletActions } from 'viem'
import { mnemonicToAccount } from 'viem/accounts'
import { foundry } from 'viem/chains'
import { checked, type TestError } from '../../node/test/refusals.ts'

/** The funded account with this index, with its key. */
export const devAccount = (addressIndex: number) => mnemonicToAccount(DEVELOPMENT_MNEMONIC, { addressIndex })

const transport = (url: string): Transport => http(url, { retryCount: 0 })

/** viem's anvil test client with public and wallet actions. */
export const devClient = (url: string) =>
  createTestClient({ mode: 'anvil', chain: foundry, transport: transport(url), pollingInterval: 20, cacheTime: 0 })
    .extend(publicActions)
    .extend(walletActions)

/** viem wallet client that signs locally as a funded account. */
export const signer = (url: string, index: number) =>
  createWalletClient({ account: devAccount(index), chain: foundry, transport: transport(url) })

/** Sends a raw JSON-RPC request. Rejects with the error of the response, or because that has no reason of the list. */
export function request(url: string, method: string, ...params: unknown[]): Promise<unknown> {
  return ask(url, { method, params })
}

/** As `request`, with further members of the request object. */
export async function ask(url: string, members: object): Promise<unknown> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, ...members })
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  const answer = checked((await response.json()) as { readonly result?: unknown; readonly error?: TestError })
  if (answer.error !== undefined) throw Object.assign(new Error(answer.error.message), answer.error)
  return answer.result
}
