import { type DevNode, startDevNode } from '@quoin/cli/dev'
import {
  memoryStore,
  type Send,
  type SendError,
  type SendRefusedError,
  type SendRevertedError,
  type Store,
  type TrackedSendsOptions,
  trackedSends,
} from '@quoin/sdk'
import {
  ContractFunctionRevertedError,
  createClient,
  createWalletClient,
  custom,
  type EIP1193RequestFn,
  type Hash,
  type Hex,
  http,
  keccak256,
  parseTransaction,
  publicActions,
  RpcRequestError,
  type TransactionReceipt,
} from 'viem'
import { foundry } from 'viem/chains'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Signal } from '../../packages/sdk/test/store/conformance.ts'
import { readContract } from '../contracts/contract.mjs'
import { account } from '../e2e/harness.ts'
import { until } from '../e2e/watch.ts'

const token = readContract('token')
const SUPPLY = 10n ** 24n
const nobody = (index: number) => `0x${(0xdead_0000 + index).toString(16).padStart(40, '0')}` as const

const hashOf = ({ transactionHash }: TransactionReceipt): Hash => transactionHash
const isNoop = (raw: Hex): boolean => {
  const { to, value = 0n, data = '0x' } = parseTransaction(raw)
  return to?.toLowerCase() === account(0).address.toLowerCase() && value === 0n && data === '0x'
}

let node: DevNode
const open: { close(): Promise<void> }[] = []
beforeEach(async () => {
  node = await startDevNode({ port: 0, complain: () => undefined })
})
afterEach(async () => {
  await Promise.all(open.splice(0).map((tracker) => tracker.close()))
  await node.close()
})

const publicClient = () => createClient({ chain: foundry, transport: http(node.url, { retryCount: 0 }) }).extend(publicActions)
const request = (method: string, params: readonly unknown[] = []): Promise<unknown> =>
  (publicClient().request as (args: unknown) => Promise<unknown>)({ method, params })

function sendsOf(index: number, options: Partial<TrackedSendsOptions> = {}) {
  const tracker = trackedSends({
    ...{ client: publicClient(), account: account(index), store: memoryStore(), pollingIntervalMs: 20 },
    ...options,
  })
  open.push(tracker)
  return tracker
}

async function statusesOf(send: Send): Promise<readonly string[]> {
  const statuses: string[] = []
  for await (const { status } of send.updates) statuses.push(status)
  return statuses
}

const deployToken = async (): Promise<`0x${string}`> => {
  const wallet = createWalletClient({ account: account(9), chain: foundry, transport: http(node.url) })
  const hash = await wallet.deployContract({ ...token, args: ['Token', 'TKN', account(0).address, SUPPLY] })
  return (await publicClient().getTransactionReceipt({ hash })).contractAddress!
}

/** A node between which and the client something stands. `next` asks the node. */
type Between = (method: string, params: readonly unknown[], next: () => Promise<unknown>) => Promise<unknown>

function clientThrough(between: Between) {
  const ask = ({ method, params }: { method: string; params?: unknown }) => {
    const list = (params ?? []) as readonly unknown[]
    return between(method, list, () => request(method, list))
  }
  return createClient({ chain: foundry, transport: custom({ request: ask as EIP1193RequestFn }, { retryCount: 0 }) })
}

/** The error that a promise must reject with. */
async function failureOf<E = SendError>(work: Promise<unknown>): Promise<E> {
  const failure = await work.then(
    () => undefined,
    (reason: unknown) => ({ reason }),
  )
  if (failure === undefined) throw new Error('it succeeded')
  return failure.reason as E
}

/** Resolves when the send has this status. */
async function reached(send: Send, wanted: string): Promise<void> {
  for await (const { status } of send.updates) if (status === wanted) return
  throw new Error(`the send ended without ${wanted}`)
}

/** The hash that a send told before it failed. */
async function failedHash(send: Send): Promise<Hash | undefined> {
  let last: Hash | undefined
  for await (const { hash } of send.updates) last = hash ?? last
  return last
}

const nonceOf = (index: number) => publicClient().getTransactionCount({ address: account(index).address })

describe('a tracked send', () => {
  it('is included, and tells how', async () => {
    const send = sendsOf(0).sendTransaction({ to: nobody(0), value: 7n })
    expect(send.status).toBe('queued')
    expect('then' in send).toBe(false)
    const receipt = await send.receipt
    expect(receipt.status).toBe('success')
    expect(await send.hash()).toBe(receipt.transactionHash)
    expect(await statusesOf(send)).toEqual(['queued', 'signed', 'sent', 'included'])
    expect(await publicClient().getBalance({ address: nobody(0) })).toBe(7n)
  })

  it('goes in the order of the calls, with one estimate for calls of a kind', async () => {
    const address = await deployToken()
    const asked: string[] = []
    const client = clientThrough((method, _, next) => {
      asked.push(method)
      return next()
    })
    const sends = sendsOf(0, { client, inFlightMax: 16 })
    const all = Array.from({ length: 50 }, (_, i) =>
      sends.writeContract({ address, abi: token.abi, functionName: 'transfer', args: [nobody(1), BigInt(i + 1)] }),
    )
    const receipts = await Promise.all(all.map(({ receipt }) => receipt))
    const places = receipts.map(({ blockNumber, transactionIndex }) => Number(blockNumber) * 1_000 + transactionIndex)
    expect(places).toEqual(places.toSorted((a, b) => a - b))
    expect(asked.filter((method) => method === 'eth_estimateGas')).toHaveLength(1)
    expect(await nonceOf(0)).toBe(50)
  })

  it('waits for the earlier sends that it needs', async () => {
    const address = await deployToken()
    const [owner, spender] = [sendsOf(0), sendsOf(1)]
    await request('evm_setAutomine', [false])
    const give = owner.writeContract({ address, abi: token.abi, functionName: 'transfer', args: [account(1).address, 9n] })
    await reached(give, 'sent')
    await request('evm_mine')
    await give.receipt
    // The second call of this key needs what the first one does: its estimate reverts until then.
    await request('evm_setAutomine', [true])
    const all = [
      spender.writeContract({ address, abi: token.abi, functionName: 'approve', args: [account(1).address, 9n] }),
      spender.writeContract({ address, abi: token.abi, functionName: 'transferFrom', args: [account(1).address, nobody(2), 9n] }),
      spender.sendTransaction({ to: nobody(2), value: 1n }),
    ]
    for (const { receipt } of all) expect((await receipt).status).toBe('success')
  })

  it('fails with the decoded reason when it reverts', async () => {
    const address = await deployToken()
    const sends = sendsOf(1)
    const call = { address, abi: token.abi, functionName: 'transfer', args: [nobody(1), 5n] } as const
    // Before a signature: the nonce is not used.
    const refused = await failureOf<SendRefusedError>(sends.writeContract(call).receipt)
    expect(refused).toMatchObject({ name: 'SendRefusedError', reason: 'refused', refusal: 'reverted' })
    expect(
      (refused.walk((cause) => cause instanceof ContractFunctionRevertedError) as ContractFunctionRevertedError).data?.errorName,
    ).toBe('ERC20InsufficientBalance')
    expect(await nonceOf(1)).toBe(0)
    // In a block.
    const send = sends.writeContract({ ...call, gas: 500_000n })
    const reverted = await failureOf<SendRevertedError>(send.receipt)
    expect(reverted).toMatchObject({ name: 'SendRevertedError', reason: 'reverted', receipt: { status: 'reverted' } })
    expect(
      (reverted.walk((cause) => cause instanceof ContractFunctionRevertedError) as ContractFunctionRevertedError).data?.errorName,
    ).toBe('ERC20InsufficientBalance')
    expect(await statusesOf(send)).toEqual(['queued', 'signed', 'sent', 'failed'])
  })

  it('is refused by the chain at once, and others go on', async () => {
    const sends = sendsOf(0)
    const send = sends.sendTransaction({ to: nobody(0), value: 10n ** 30n, gas: 30_000n })
    const next = sends.sendTransaction({ to: nobody(0), value: 1n, gas: 30_000n })
    expect(await failureOf(send.receipt)).toMatchObject({ name: 'SendRefusedError', refusal: 'insufficient-funds' })
    expect((await next.receipt).status).toBe('success')
    // A transfer of nothing took the place of the refused one.
    expect(await nonceOf(0)).toBe(2)
  })

  it('refuses accounts that sign elsewhere, too many sends, and sends after the close', async () => {
    expect(() => sendsOf(0, { account: { address: nobody(0), type: 'json-rpc' } })).toThrow('signs in a wallet')
    const sends = sendsOf(0, { queuedMax: 1, client: clientThrough(() => new Promise(() => undefined)) })
    const first = sends.sendTransaction({ to: nobody(0) })
    expect(await failureOf(sends.sendTransaction({ to: nobody(0) }).receipt)).toMatchObject({ reason: 'queue-full' })
    await sends.close()
    expect(await failureOf(first.receipt)).toMatchObject({ reason: 'closed' })
    expect(await failureOf(sends.sendTransaction({ to: nobody(0) }).receipt)).toMatchObject({ reason: 'closed' })
  })
})

describe('an id', () => {
  it('stands for one send, now and after a restart', async () => {
    const store = memoryStore()
    const first = sendsOf(0, { store })
    const call = { to: nobody(0), value: 3n, id: 'pay 7/May' }
    const hashes = await Promise.all(
      [first.sendTransaction(call), first.sendTransaction(call)].map(({ receipt }) => receipt.then(hashOf)),
    )
    await first.close()
    const second = sendsOf(0, { store })
    const again = second.sendTransaction(call)
    expect([...hashes, hashOf(await again.receipt)]).toEqual([hashes[0], hashes[0], hashes[0]])
    expect(hashOf(await (await second.get('pay 7/May'))!.receipt)).toBe(hashes[0])
    expect(await second.get('another')).toBeUndefined()
    expect(await nonceOf(0)).toBe(1)
    for (const other of [
      { ...call, value: 4n },
      { ...call, to: nobody(1) },
      { ...call, data: '0x00' as const },
    ]) {
      expect(await failureOf(second.sendTransaction(other).receipt)).toMatchObject({ reason: 'id-conflict', code: 5720 })
    }
    expect(await nonceOf(0)).toBe(1)
  })

  it('keeps a failure too', async () => {
    const store = memoryStore()
    const call = { to: nobody(0), value: 10n ** 30n, gas: 30_000n, id: 'too much' }
    const first = sendsOf(0, { store })
    await failureOf(first.sendTransaction(call).receipt)
    // The filler must be in a block before the record is finished.
    await first.sendTransaction({ to: nobody(0), value: 1n }).receipt
    await first.close()
    expect(await failureOf(sendsOf(0, { store }).sendTransaction(call).receipt)).toMatchObject({
      name: 'SendRefusedError',
      refusal: 'insufficient-funds',
    })
  })
})

describe('before the signature', () => {
  it('a send can be cancelled, by its handle or a signal', async () => {
    const gate = new Signal()
    const client = clientThrough(async (method, _, next) => {
      if (method === 'eth_estimateGas') await gate.taken()
      return next()
    })
    const sends = sendsOf(0, { client })
    const stop = new AbortController()
    const cancelled = sends.sendTransaction({ to: nobody(0), value: 1n })
    const aborted = sends.sendTransaction({ to: nobody(0), value: 2n, signal: stop.signal })
    const kept = sends.sendTransaction({ to: nobody(0), value: 4n })
    expect(await cancelled.cancel()).toBe(true)
    stop.abort(new Error('enough'))
    expect(await failureOf(cancelled.receipt)).toMatchObject({ reason: 'cancelled' })
    expect(await failureOf(aborted.receipt)).toMatchObject({ reason: 'cancelled' })
    gate.give()
    await kept.receipt
    expect(await kept.cancel()).toBe(false)
    expect(await publicClient().getBalance({ address: nobody(0) })).toBe(4n)
    expect(await nonceOf(0)).toBe(1)
  })

  it('a send expires without a node', async () => {
    const sends = sendsOf(0, { deadlineMs: 10, client: clientThrough(() => Promise.reject(new Error('unreachable'))) })
    expect(await failureOf(sends.sendTransaction({ to: nobody(0) }).receipt)).toMatchObject({
      reason: 'expired',
      hash: undefined,
    })
  })
})

describe('without a node', () => {
  it('a signal ends the wait for earlier sends', async () => {
    const sends = sendsOf(0, { client: clientThrough(() => Promise.reject(new Error('unreachable'))) })
    const stop = new AbortController()
    const waiting = [sends.resume({ signal: stop.signal }), sends.get('x', { signal: stop.signal })].map(failureOf<Error>)
    stop.abort(new Error('enough'))
    for (const failure of await Promise.all(waiting)) expect(failure).toMatchObject({ message: 'enough' })
    expect(await failureOf<Error>(sends.resume(stop))).toMatchObject({ message: 'enough' })
  })
})

describe('after the signature', () => {
  it('a signal ends the wait only', async () => {
    await request('evm_setAutomine', [false])
    const sends = sendsOf(0)
    const stop = new AbortController()
    const send = sends.sendTransaction({ to: nobody(0), value: 1n, id: 'x', signal: stop.signal })
    await reached(send, 'sent')
    stop.abort(new Error('enough'))
    expect(await failureOf<Error>(send.receipt)).toMatchObject({ message: 'enough' })
    expect(await send.cancel()).toBe(false)
    await request('evm_mine')
    expect((await (await sends.get('x'))!.receipt).status).toBe('success')
  })

  it('a lost answer, a full pool and an overloaded node only delay it', async () => {
    const faults = ['lost', 'full', 'lost', 'broken']
    const client = clientThrough(async (method, _, next) => {
      if (method !== 'eth_sendRawTransaction') return next()
      const fault = faults.shift()
      if (fault === 'lost') await next()
      if (fault === 'full') throw new RpcRequestError({ body: {}, url: '', error: { code: -32005, message: 'txpool is full' } })
      if (fault !== undefined) throw new Error('the connection was cut')
      return next()
    })
    await request('evm_setAutomine', [false])
    const sends = sendsOf(0, { client })
    const all = [1n, 2n].map((value) => sends.sendTransaction({ to: nobody(0), value }))
    await until('all are in the pool', async () => {
      const { pending } = (await request('txpool_status')) as { pending: string }
      return Number(pending) === 2 && faults.length === 0
    })
    await request('evm_mine')
    for (const { receipt } of all) expect((await receipt).status).toBe('success')
    expect(await nonceOf(0)).toBe(2)
  })

  it('a node that forgot its pool gets it again', async () => {
    await request('evm_setAutomine', [false])
    const send = sendsOf(0).sendTransaction({ to: nobody(0), value: 1n })
    await reached(send, 'sent')
    const hash = await send.hash()
    await request('anvil_dropTransaction', [hash])
    expect(await request('eth_getTransactionByHash', [hash])).toBeNull()
    await until('it is there again', async () => (await request('eth_getTransactionByHash', [hash])) !== null)
    await request('evm_mine')
    expect(hashOf(await send.receipt)).toBe(hash)
  })

  it('a stuck nonce is filled when a block is later than the deadline, and only then it is expired', async () => {
    await request('evm_setAutomine', [false])
    // A node that says yes and forgets what it got for the first nonce.
    let isForgetful = true
    const forgotten: Hex[] = []
    const client = clientThrough(async (method, params, next) => {
      const [raw] = params as readonly Hex[]
      if (method !== 'eth_sendRawTransaction' || !isForgetful || (parseTransaction(raw!).nonce ?? 0) > 0) return next()
      forgotten.push(raw!)
      return keccak256(raw!)
    })
    const sends = sendsOf(0, { client })
    const stuck = sends.sendTransaction({ to: nobody(0), value: 1n, deadlineMs: 20_000 })
    await reached(stuck, 'sent')
    const next = sends.sendTransaction({ to: nobody(0), value: 2n })
    await reached(next, 'sent')
    // Whatever the clock of the client says, no block is late enough.
    await until('it is sent again', async () => forgotten.length === 2)
    expect(forgotten[1]).toBe(forgotten[0])
    expect(stuck.status).toBe('sent')
    await request('evm_increaseTime', [60])
    await request('evm_mine')
    // The no-op leaves, and decides nothing before it is in a block.
    await until('the no-op leaves', async () => forgotten.some(isNoop))
    expect(stuck.status).toBe('sent')
    isForgetful = false
    await until(
      'both are in the pool',
      async () => Number(((await request('txpool_status')) as { pending: string }).pending) === 2,
    )
    await request('evm_mine')
    expect(await failureOf(stuck.receipt)).toMatchObject({ name: 'SendExpiredError', hash: await failedHash(stuck) })
    expect((await next.receipt).status).toBe('success')
    expect(await publicClient().getBalance({ address: nobody(0) })).toBe(2n)
  })

  it('what is included after its deadline is included', async () => {
    await request('evm_setAutomine', [false])
    const held = new Set<Hex>()
    const client = clientThrough(async (method, params, next) => {
      if (method !== 'eth_sendRawTransaction') return next()
      held.add(params[0] as Hex)
      return keccak256(params[0] as Hex)
    })
    const send = sendsOf(0, { client }).sendTransaction({ to: nobody(0), value: 1n, deadlineMs: 20_000 })
    await reached(send, 'sent')
    const [first] = held
    await request('evm_increaseTime', [60])
    await request('evm_mine')
    await until('the no-op leaves', async () => held.size === 2)
    await request('eth_sendRawTransaction', [first])
    await request('evm_mine')
    expect((await send.receipt).status).toBe('success')
  })
})

describe('other software with the same key', () => {
  const other = () => createWalletClient({ account: account(0), chain: foundry, transport: http(node.url) })

  it('takes a nonce that nobody has seen: the send is signed again', async () => {
    const sends = sendsOf(0)
    await sends.sendTransaction({ to: nobody(0), value: 1n }).receipt
    await other().sendTransaction({ to: nobody(1), value: 1n })
    const send = sends.sendTransaction({ to: nobody(0), value: 2n })
    expect((await send.receipt).status).toBe('success')
    expect(await statusesOf(send)).toEqual(['queued', 'signed', 'queued', 'signed', 'sent', 'included'])
    expect(await publicClient().getBalance({ address: nobody(0) })).toBe(3n)
  })

  it('takes a nonce of a send that was out: it fails for good, and the next goes on', async () => {
    await request('evm_setAutomine', [false])
    const sends = sendsOf(0)
    const send = sends.sendTransaction({ to: nobody(0), value: 1n })
    await reached(send, 'sent')
    await request('anvil_dropTransaction', [await send.hash()])
    const by = await other().sendTransaction({ to: nobody(1), value: 1n, nonce: 0, gas: 30_000n })
    await request('evm_mine')
    expect(await failureOf(send.receipt)).toMatchObject({ name: 'NonceTakenError', nonce: 0, by })
    await request('evm_setAutomine', [true])
    expect((await sends.sendTransaction({ to: nobody(0), value: 2n }).receipt).status).toBe('success')
    expect(await publicClient().getBalance({ address: nobody(0) })).toBe(2n)
  })
})

describe('a nonce that other software lost', () => {
  it('is filled in time', async () => {
    await request('evm_setAutomine', [false])
    const other = createWalletClient({ account: account(0), chain: foundry, transport: http(node.url) })
    const lost = await other.sendTransaction({ to: nobody(1), value: 1n, gas: 30_000n })
    const send = sendsOf(0).sendTransaction({ to: nobody(0), value: 1n, deadlineMs: 60_000 })
    await reached(send, 'sent')
    await request('anvil_dropTransaction', [lost])
    await request('evm_increaseTime', [40])
    await request('evm_mine')
    await until(
      'both are in the pool',
      async () => Number(((await request('txpool_status')) as { pending: string }).pending) === 2,
    )
    await request('evm_mine')
    expect((await send.receipt).status).toBe('success')
    expect(await nonceOf(0)).toBe(2)
  })
})

describe('two trackers of one key', () => {
  it('send through the one that owns it, and the other takes over', async () => {
    const store = memoryStore()
    const [a, b] = [sendsOf(0, { store }), sendsOf(0, { store })]
    await a.sendTransaction({ to: nobody(0), value: 1n }).receipt
    const handed = Array.from({ length: 10 }, () => b.sendTransaction({ to: nobody(0), value: 1n }))
    for (const { receipt } of handed) expect((await receipt).status).toBe('success')
    await request('evm_setAutomine', [false])
    const last = b.sendTransaction({ to: nobody(0), value: 1n })
    await reached(last, 'signed')
    await a.close()
    const after = b.sendTransaction({ to: nobody(0), value: 1n })
    await reached(after, 'sent')
    await request('evm_mine')
    for (const { receipt } of [last, after]) expect((await receipt).status).toBe('success')
    expect(await publicClient().getBalance({ address: nobody(0) })).toBe(13n)
    expect(await nonceOf(0)).toBe(13)
  })

  it('resume what another one left', async () => {
    const store: Store = memoryStore()
    await request('evm_setAutomine', [false])
    const first = sendsOf(0, { store })
    const left = first.sendTransaction({ to: nobody(0), value: 1n, id: 'left' })
    await reached(left, 'sent')
    const hash = await left.hash()
    await first.close()
    expect(await failureOf(left.receipt)).toMatchObject({ reason: 'closed' })
    await request('anvil_dropTransaction', [hash])
    const resumed = await sendsOf(0, { store }).resume()
    expect(resumed.map(({ id }) => id)).toEqual(['left'])
    await reached(resumed[0]!, 'sent')
    await request('evm_mine')
    expect((await resumed[0]!.receipt).status).toBe('success')
  })
})
