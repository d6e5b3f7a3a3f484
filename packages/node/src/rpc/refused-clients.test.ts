import { err, type Hash, ok } from '@quoin/protocol'
import { JsonRpcProvider } from 'ethers'
import { BaseError, createPublicClient, createWalletClient, fallback, type Hex, http, toHex } from 'viem'
import { foundry } from 'viem/chains'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Web3 } from 'web3'
import { openTestNode, type TestNode, testAccounts, testTransfers, testValidators } from '../../test/chain.ts'
import { crypto } from '../../test/fixture.ts'
import { serveTestNode, type TestRpc } from '../../test/rpc.ts'
import type { PoolRefusal } from '../mempool/types.ts'
import { RpcError } from './errors.ts'
import * as forms from './forms/index.ts'
import { method } from './method.ts'
import { rpcMethods } from './methods/index.ts'
import { REFUSAL_REASONS, type RefusalReason } from './refusal-reasons.ts'

/** Every refusal of the pool, in its own words. */
const POOL: Readonly<Record<PoolRefusal['code'], string>> = {
  malformed: 'transaction is empty',
  oversized: 'transaction has 300000 bytes, at most 262144 are allowed',
  'type-not-supported': 'transaction type not valid: first byte 3, supported are legacy, 1 (EIP-2930) and 2 (EIP-1559)',
  unprotected: 'only replay-protected (EIP-155) transactions allowed',
  'wrong-chain': 'transaction is signed for chain id 1, this chain is 31337',
  'bad-signature': 'no key could have made this signature (invalid sender)',
  'nonce-too-low': 'nonce too low: next nonce 1, tx nonce 0',
  'nonce-too-high': 'nonce too high: the pool accepts nonces up to 63 for this sender now, tx nonce 64',
  'insufficient-funds': 'insufficient funds for gas * price + value: have 1 want 2',
  'intrinsic-gas-too-low': 'intrinsic gas too low: tx gas 20999, at least 21000 is needed',
  'gas-limit-too-high': 'gas limit reached: tx gas 36000001, at most 36000000 is allowed',
  'fee-too-low': 'max fee per gas less than block base fee: fee 1, base fee 2',
  'tip-above-fee': 'max priority fee per gas higher than max fee per gas: tip 2, fee 1',
  'not-permitted': 'sender not an eoa: the account has code',
  'already-known': 'already known',
  'underpriced-replacement': 'replacement transaction underpriced',
  'sender-queue-full': 'nonce too high: 64 transactions of this sender are queued behind the missing nonce 3',
  'pool-full': 'txpool is full: send the transaction again later',
  overloaded: '256 transactions are being verified: send the transaction again later',
  quarantined: 'transaction is quarantined: the contract interpreter of this node failed on it; send it to another node',
  stopped: 'the chain has stopped: this node takes no transactions',
}

const ASK = { summary: 'Refuses, or answers.', params: [], result: forms.string } as const

let node: TestNode
let raw: Hex
/** What the first node answers, and how often the second was asked. */
let refused: PoolRefusal
let reason: RefusalReason
let asked = 0
let first: TestRpc
let second: TestRpc
const hash = `0x${'ab'.repeat(32)}` as Hash

const words = (): Hex | undefined => (reason === 'reverted' || reason === 'not-included' ? '0x' : undefined)

beforeAll(async () => {
  node = await openTestNode({ crypto, validators: testValidators(crypto, 1) })
  const [transfer] = await testTransfers(testAccounts[0]!, 0, 1)
  raw = toHex(transfer!)
  first = await serveTestNode(
    node,
    crypto,
    {},
    {
      backend: { submit: async () => err(refused) },
      methods: {
        ...rpcMethods,
        ask: method(ASK, [], () => {
          throw new RpcError(reason, reason === 'reverted' ? 'execution reverted' : 'refused', words())
        }),
      },
    },
  )
  const count = <T>(answer: T): T => {
    asked++
    return answer
  }
  second = await serveTestNode(
    node,
    crypto,
    {},
    { backend: { submit: async () => count(ok(hash)) }, methods: { ...rpcMethods, ask: method(ASK, [], () => count('second')) } },
  )
})
afterAll(async () => {
  await Promise.all([first.server.close(), second.server.close()])
})

const codes = Object.keys(POOL) as readonly PoolRefusal['code'][]
const reasons = Object.keys(REFUSAL_REASONS) as readonly RefusalReason[]
const isOfNode = (one: RefusalReason): boolean => REFUSAL_REASONS[one].scope === 'node'
const once = { retryCount: 0 }

/** Resolves with the error of an action that must fail. */
const failureOf = (action: PromiseLike<unknown>): Promise<unknown> =>
  Promise.resolve(action).then(
    (value) => Promise.reject(new Error(`the action succeeded: ${String(value)}`)),
    (failure: unknown) => failure,
  )

describe("viem's fallback over two nodes", () => {
  const client = () =>
    createPublicClient({ chain: foundry, transport: fallback([http(first.url, once), http(second.url, once)], once) })
  const ask = async (): Promise<unknown> => client().request({ method: 'ask' } as never)

  it.each(codes)('sends a transaction to the second exactly if another node may take it: %s', async (code) => {
    asked = 0
    refused = { code, message: POOL[code] }
    const sending = client().sendRawTransaction({ serializedTransaction: raw })
    if (isOfNode(code)) expect(await sending).toBe(hash)
    else expect((await failureOf(sending)) as BaseError).toMatchObject({ code: -32003, details: POOL[code] })
    expect(asked).toBe(isOfNode(code) ? 1 : 0)
  })

  it('asks the second for every reason that is of one node', async () => {
    for (reason of reasons.filter(isOfNode)) expect(await ask(), reason).toBe('second')
  })

  it('stops at a revert', async () => {
    asked = 0
    reason = 'reverted'
    expect(await failureOf(ask())).toMatchObject({ details: 'execution reverted' })
    expect(asked).toBe(0)
  })
})

/** How each client names a refusal. viem keeps `data` in the error's cause, ethers in `error` or `info.error`, web3.js in `cause`. */
describe.each<[PoolRefusal['code'], viem: string, ethers: string]>([
  ['pool-full', 'LimitExceededRpcError', 'UNKNOWN_ERROR'],
  ['overloaded', 'LimitExceededRpcError', 'UNKNOWN_ERROR'],
  ['quarantined', 'ResourceUnavailableRpcError', 'UNKNOWN_ERROR'],
  ['stopped', 'ResourceUnavailableRpcError', 'UNKNOWN_ERROR'],
  ['sender-queue-full', 'NonceTooHighError', 'UNKNOWN_ERROR'],
  ['nonce-too-high', 'NonceTooHighError', 'UNKNOWN_ERROR'],
  ['nonce-too-low', 'NonceTooLowError', 'NONCE_EXPIRED'],
  ['insufficient-funds', 'InsufficientFundsError', 'INSUFFICIENT_FUNDS'],
  ['underpriced-replacement', 'TransactionRejectedRpcError', 'REPLACEMENT_UNDERPRICED'],
])('%s', (code, viemName, ethersCode) => {
  const data = { reason: code, scope: REFUSAL_REASONS[code].scope }
  beforeAll(() => {
    refused = { code, message: POOL[code] }
  })

  it('in viem', async () => {
    const [account] = testAccounts
    const client = createWalletClient({ account: account!, chain: foundry, transport: http(first.url, once) })
    const sending = client.sendTransaction({
      to: account!.address,
      gas: 21_000n,
      nonce: 0,
      maxFeePerGas: 0n,
      maxPriorityFeePerGas: 0n,
    })
    const failure = (await failureOf(sending)) as BaseError
    expect(failure).toMatchObject({ name: 'TransactionExecutionError', cause: { name: viemName }, details: POOL[code] })
    expect(failure.walk((cause) => (cause as { data?: unknown }).data !== undefined)).toMatchObject({ data })
  })

  it('in ethers', async () => {
    const provider = new JsonRpcProvider(first.url, foundry.id, { staticNetwork: true })
    const failure = (await failureOf(provider.broadcastTransaction(raw))) as { info?: { error?: unknown } }
    expect(failure).toMatchObject({ code: ethersCode })
    expect(ethersCode === 'UNKNOWN_ERROR' ? failure : failure.info).toMatchObject({ error: { message: POOL[code], data } })
    provider.destroy()
  })

  it('in web3.js', async () => {
    const failure = await failureOf((async () => new Web3(first.url).eth.sendSignedTransaction(raw))())
    expect(failure).toMatchObject({ message: `Returned error: ${POOL[code]}`, data })
  })
})

it('a call that the sender cannot pay keeps its words in each client', async () => {
  const to = testAccounts[0]!.address
  const poor = `0x${'9'.repeat(40)}` as const
  const text = `insufficient funds for transfer: address ${poor} have 0 want 1`
  const client = createPublicClient({ chain: foundry, transport: http(first.url, once) })
  expect(await failureOf(client.call({ account: poor, to, value: 1n }))).toMatchObject({
    cause: { name: 'InsufficientFundsError' },
    details: text,
  })
  const provider = new JsonRpcProvider(first.url, foundry.id, { staticNetwork: true })
  expect(await failureOf(provider.estimateGas({ from: poor, to, value: 1n }))).toMatchObject({ code: 'INSUFFICIENT_FUNDS' })
  provider.destroy()
  const { eth } = new Web3(first.url)
  const abi = [{ type: 'function', name: 'f', inputs: [], outputs: [], stateMutability: 'payable' }] as const
  const calling = async () => new eth.Contract(abi, to).methods.f!().call({ from: poor, value: '1' })
  expect(await failureOf(calling())).toMatchObject({ message: `Returned error: ${text}` })
})
