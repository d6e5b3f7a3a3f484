import { once } from 'node:events'
import { createServer } from 'node:net'
import { Address, Hash, Height, nobleCrypto, unwrap, verifyAccountProof } from '@quoin/protocol'
import { createPublicClient, type Hex, parseEther, stringToHex, toHex, webSocket } from 'viem'
import { describe, expect, it, vi } from 'vitest'
import { ask, devAccount, devClient, signer } from '../../test/dev-node.ts'
import { shareDevNode, token } from '../../test/shared-dev-node.ts'
import { type DevNode, startDevNode } from './index.ts'

const [alice, bob, carol] = [devAccount(0).address, devAccount(1).address, devAccount(2).address]
const STRANGER = Address('0x00000000000000000000000000000000000abcde')

let node: DevNode
let client: ReturnType<typeof devClient>
const { beginHere, request, deployToken, give, tokens } = shareDevNode((startedClient, started) => {
  client = startedClient
  node = started
})

const transfer = (value: bigint, from = 0, to: Hex = bob) => signer(node.url, from).sendTransaction({ to, value })
const latest = () => client.getBlock()

describe('minHeight', () => {
  const seeing = (minHeight: string) => ask(node.url, { method: 'eth_blockNumber', minHeight })

  it('is waited for, also after the chain went back', async () => {
    for (let i = 0; i < 2; i++) {
      const start = await client.snapshot()
      const waiting = seeing('0x2')
      await client.mine({ blocks: 2 })
      expect(await waiting).toBe('0x2')
      await client.revert({ id: start })
    }
    await expect(seeing('0x1')).rejects.toMatchObject({
      code: -32002,
      data: { reason: 'behind', scope: 'node', height: '0x0', minHeight: '0x1' },
    })
  })
})

describe('blocks', () => {
  it('include each transaction as soon as it is sent', async () => {
    const hash = await transfer(5n)
    expect(await client.getTransactionReceipt({ hash })).toMatchObject({ status: 'success', blockNumber: 1n })
    expect(await client.getBalance({ address: bob })).toBe(parseEther('10000') + 5n)
    expect(await request('eth_sendRawTransactionSync', await raw(1))).toMatchObject({ status: '0x1', blockNumber: '0x2' })
  })

  it('include waiting transactions as soon as the missing nonce arrives', async () => {
    await request('eth_sendRawTransaction', await raw(1))
    expect(await client.getBlockNumber()).toBe(0n)
    await request('eth_sendRawTransaction', await raw(0))
    expect((await latest()).transactions).toHaveLength(2)
  })

  it('are made on request if automine is off', async () => {
    expect(await client.getAutomine()).toBe(true)
    await client.setAutomine(false)
    expect(await client.getAutomine()).toBe(false)
    const hash = await transfer(1n)
    expect(await request('eth_getTransactionByHash', hash)).toMatchObject({ blockNumber: null, from: alice.toLowerCase() })
    expect(await client.getTransactionCount({ address: alice, blockTag: 'pending' })).toBe(1)
    expect(await client.getBlockNumber()).toBe(0n)
    await client.mine({ blocks: 3 })
    expect(await client.getBlockNumber()).toBe(3n)
    expect(await client.getTransactionReceipt({ hash })).toMatchObject({ blockNumber: 1n })
    await transfer(2n)
    await client.setAutomine(true)
    expect(await client.getBlockNumber()).toBe(4n)
  })

  it('are made at an interval, including empty ones, until that is switched off', async () => {
    await client.setIntervalMining({ interval: 1 })
    expect(await client.getAutomine()).toBe(false)
    const hash = await transfer(1n)
    const receipt = await client.waitForTransactionReceipt({ hash, timeout: 5_000 })
    expect(receipt.blockNumber).toBe(1n)
    await client.setIntervalMining({ interval: 0 })
    await expect(request('evm_setIntervalMining', 1_000_000)).rejects.toThrow('at most 86400 s are allowed')
  })

  it('have proofs of their state, also of state that was set, and after going back', async () => {
    /** The balance that the header of the latest block proves. */
    const provenBalance = async (holder: Hex) => {
      const address = Address(holder)
      const { number, hash, stateRoot } = await latest()
      const block = { number: Height(Number(number)), hash: Hash(hash), stateRoot: Hash(stateRoot) }
      const answer = await request('quoin_getProof', address, [], hash)
      return unwrap(verifyAccountProof(nobleCrypto, { block, address, keys: [] }, answer)).account?.balance
    }
    const snapshot = await client.snapshot()
    expect(await provenBalance(STRANGER)).toBeUndefined()
    await client.setBalance({ address: STRANGER, value: 7n })
    await transfer(5n)
    expect(await provenBalance(STRANGER)).toBe(7n)
    expect(await provenBalance(bob)).toBe(parseEther('10000') + 5n)
    await client.revert({ id: snapshot })
    await transfer(6n)
    expect(await provenBalance(STRANGER)).toBeUndefined()
    expect(await provenBalance(bob)).toBe(parseEther('10000') + 6n)
  })

  it('are made some thousands at a time, and no more', async () => {
    await request('hardhat_mine', '0x64', '0x3c')
    const [last, before] = [await latest(), await client.getBlock({ blockNumber: 99n })]
    expect(last.number).toBe(100n)
    expect(last.timestamp - before.timestamp).toBe(60n)
    await expect(request('hardhat_mine', 10_001)).rejects.toThrow('at most 10000 blocks are allowed per request')
  })

  it('lose a transaction that is dropped', async () => {
    await client.setAutomine(false)
    const hash = await transfer(1n)
    await client.dropTransaction({ hash })
    await client.mine({ blocks: 1 })
    expect((await latest()).transactions).toEqual([])
    expect(await request('anvil_dropTransaction', hash)).toBeNull()
  })
})

const raw = (nonce: number) =>
  devAccount(0).signTransaction({ chainId: 31_337, nonce, to: bob, value: 1n, gas: 21_000n, gasPrice: 0n })

describe('time', () => {
  it('is set for the next block, exactly', async () => {
    const { timestamp } = await latest()
    await client.setNextBlockTimestamp({ timestamp: timestamp + 1_000n })
    await client.setBalance({ address: carol, value: 1n })
    await transfer(1n)
    expect((await latest()).timestamp).toBe(timestamp + 1_000n)
    await expect(client.setNextBlockTimestamp({ timestamp: timestamp + 998n })).rejects.toThrow(
      "lower than the previous block's timestamp",
    )
  })

  it('moves forward', async () => {
    const { timestamp } = await latest()
    expect(await request('evm_increaseTime', 3_600)).toBe(3_600)
    await request('evm_mine')
    const moved = (await latest()).timestamp - timestamp
    expect(moved).toBeGreaterThanOrEqual(3_600n)
    expect(moved).toBeLessThan(3_700n)
    await request('evm_mine', toHex(timestamp + 10_000n))
    expect((await latest()).timestamp).toBe(timestamp + 10_000n)
    await request('evm_mine', { blocks: 2 })
    expect((await latest()).number).toBe(4n)
  })

  it('passes from block to block by the interval that was set', async () => {
    await client.setBlockTimestampInterval({ interval: 7 })
    await client.mine({ blocks: 3 })
    const [first, last] = await Promise.all([1n, 3n].map((blockNumber) => client.getBlock({ blockNumber })))
    expect(last!.timestamp - first!.timestamp).toBe(14n)
    await client.removeBlockTimestampInterval()
  })
})

describe('going back', () => {
  it('undoes blocks, balances, receipts, logs, code, the pool and time', async () => {
    const address = await deployToken()
    await give(address, 10n)
    const id = await client.snapshot()
    const [head, before] = [await latest(), await client.getLogs({ fromBlock: 0n })]
    const hash = await give(address, 20n)
    await request('evm_increaseTime', 100_000)
    await client.setAutomine(false)
    await transfer(1n)
    await client.revert({ id })
    expect(await latest()).toEqual(head)
    expect(await tokens(address, bob)).toBe(10n)
    expect(await client.getLogs({ fromBlock: 0n })).toEqual(before)
    expect(await request('eth_getTransactionReceipt', hash)).toBeNull()
    expect(await request('eth_getTransactionByHash', hash)).toBeNull()
    expect(await request('txpool_status')).toEqual({ pending: '0x0', queued: '0x0' })
    await client.setAutomine(true)
    // After going back, the same transaction has the same hash.
    expect(await give(address, 20n)).toBe(hash)
    expect(await tokens(address, bob)).toBe(30n)
    expect((await latest()).timestamp - head.timestamp).toBeLessThan(1_000n)
  })

  it('restores the transactions in the pool', async () => {
    await client.setAutomine(false)
    await client.impersonateAccount({ address: STRANGER })
    await client.setBalance({ address: STRANGER, value: parseEther('1') })
    const hash = await transfer(1n)
    const impersonated = await client.sendTransaction({ account: STRANGER, to: bob, value: 1n })
    await client.stopImpersonatingAccount({ address: STRANGER })
    const id = await client.snapshot()
    await client.mine({ blocks: 1 })
    await client.revert({ id })
    expect(await client.getBlockNumber()).toBe(1n)
    await client.mine({ blocks: 1 })
    expect((await latest()).transactions).toEqual([hash, impersonated])
  })

  it('uses up the snapshot and those after it', async () => {
    const [first, second] = [await client.snapshot(), await client.snapshot()]
    expect(await request('evm_revert', first)).toBe(true)
    expect(await request('evm_revert', first)).toBe(false)
    expect(await request('evm_revert', second)).toBe(false)
    expect(await request('evm_revert', '0xffff')).toBe(false)
  })

  it('keeps reads of past blocks right', async () => {
    const address = await deployToken()
    await give(address, 1n)
    const id = await client.snapshot()
    await give(address, 100n)
    await client.revert({ id })
    await give(address, 2n)
    expect(await tokens(address, bob, 1n)).toBe(0n)
    expect(await tokens(address, bob, 2n)).toBe(1n)
    expect(await tokens(address, bob, 3n)).toBe(3n)
    expect(await client.getBalance({ address: bob, blockNumber: 0n })).toBe(parseEther('10000'))
  })

  it('forgets codes, so that the first contract with one costs its full price again', async () => {
    const deploy = async () => {
      const hash = await signer(node.url, 0).deployContract({ ...token, args: ['Token', 'TKN', alice, 1n] })
      return (await client.getTransactionReceipt({ hash })).gasUsed
    }
    const id = await client.snapshot()
    const [first, second] = [await deploy(), await deploy()]
    expect(second).toBeLessThan(first)
    await client.revert({ id })
    expect([await deploy(), await deploy()]).toEqual([first, second])
  })

  it('goes to block 0 at once, and forgets snapshots', async () => {
    await transfer(1n)
    await client.impersonateAccount({ address: STRANGER })
    const id = await client.snapshot()
    await client.reset()
    expect(await client.getBlockNumber()).toBe(0n)
    expect(await request('evm_revert', id)).toBe(false)
    expect(await request('eth_accounts')).toHaveLength(10)
    await expect(request('anvil_reset', { forking: { jsonRpcUrl: 'http://127.0.0.1:1' } })).rejects.toThrow('cannot fork')
    await beginHere()
  })

  it('closes streams that have seen discarded blocks, and refuses their cursors', async () => {
    const connection = await createPublicClient({ transport: webSocket(node.url.replace('http', 'ws')) }).transport.getRpcClient()
    const { socket } = connection
    const received: { readonly id?: number; readonly result?: string; readonly params?: unknown }[] = []
    socket.addEventListener('message', ({ data }) => received.push(JSON.parse(String(data))))
    const subscribe = (id: number, from: object) =>
      socket.send(JSON.stringify({ jsonrpc: '2.0', id, method: 'quoin_subscribe', params: [{ stream: 'blocks', from }] }))
    await client.mine({ blocks: 2 })
    const id = await client.snapshot()
    await client.mine({ blocks: 2 })
    const poll = (from: object) =>
      request('quoin_getStream', { stream: 'blocks', from }) as Promise<{ cursor: string; items: unknown[] }>
    const [kept, discarded] = [await poll({ block: 2 }), await poll({ block: 4 })]
    subscribe(1, { block: 4 })
    await vi.waitUntil(() => received.length === 2, { timeout: 5_000 })
    expect(received[1]?.params).toMatchObject({ result: { sequence: 1, height: 4 } })
    await client.revert({ id })
    await vi.waitUntil(() => received.length === 3, { timeout: 5_000 })
    expect(received[2]?.params).toMatchObject({ subscription: received[0]?.result, closed: { reason: 'cursor-unknown' } })
    const refusal = { code: -32602, data: { reason: 'cursor-unknown', scope: 'chain' } }
    for (const cursor of [discarded.cursor, kept.cursor]) await expect(poll({ cursor })).rejects.toMatchObject(refusal)
    // Other blocks at the same heights.
    await client.setNextBlockTimestamp({ timestamp: (await latest()).timestamp + 100n })
    await client.mine({ blocks: 2 })
    await expect(poll({ cursor: discarded.cursor })).rejects.toMatchObject(refusal)
    expect((await poll({ block: 3 })).items).toHaveLength(2)
    connection.close()
  })

  it('leaves subscriptions to pending transactions as they are', async () => {
    const socket = createPublicClient({ transport: webSocket(node.url.replace('http', 'ws')) })
    const seen: Hex[] = []
    let onSeen: () => void = () => {}
    const stop = socket.watchPendingTransactions({
      onTransactions: (hashes) => {
        seen.push(...hashes)
        onSeen()
      },
    })
    // viem does not tell when the subscription is active. This request follows it on the same socket.
    await socket.getBlockNumber()
    const id = await client.snapshot()
    const first = await transfer(1n)
    await client.revert({ id })
    const second = await transfer(2n)
    await new Promise<void>((resolve) => {
      onSeen = () => {
        if (seen.length === 2) resolve()
      }
      onSeen()
    })
    expect(seen).toEqual([first, second])
    stop()
    await (await socket.transport.getRpcClient()).close()
  })

  it('reports the following blocks to filters', async () => {
    const address = await deployToken()
    const filters = {
      logs: await request('eth_newFilter', { address }),
      blocks: await request('eth_newBlockFilter'),
      transactions: await request('eth_newPendingTransactionFilter'),
    }
    const id = await client.snapshot()
    await give(address, 1n)
    await give(address, 2n)
    expect(await request('eth_getFilterChanges', filters.logs)).toHaveLength(2)
    expect(await request('eth_getFilterChanges', filters.blocks)).toHaveLength(2)
    await client.revert({ id })
    expect(await request('eth_getFilterChanges', filters.logs)).toEqual([])
    const hash = await give(address, 3n)
    expect(await request('eth_getFilterChanges', filters.logs)).toMatchObject([{ transactionHash: hash, blockNumber: '0x2' }])
    expect(await request('eth_getFilterChanges', filters.blocks)).toEqual([(await latest()).hash])
    expect(await request('eth_getFilterChanges', filters.transactions)).toHaveLength(3)
  })
})

describe('state', () => {
  it('has the balances, nonces, code and storage that are set', async () => {
    await client.setBalance({ address: STRANGER, value: 77n })
    await client.setNonce({ address: STRANGER, nonce: 9 })
    expect(await client.getBalance({ address: STRANGER })).toBe(77n)
    expect(await client.getTransactionCount({ address: STRANGER })).toBe(9)
    await client.setCode({ address: STRANGER, bytecode: token.bytecode })
    expect(await client.getCode({ address: STRANGER })).toBe(token.bytecode)
    const key = stringToHex(`balance:${bob}`)
    await request('anvil_setStorageAt', STRANGER, key, toHex(42n, { size: 32 }))
    expect(await tokens(STRANGER, bob)).toBe(42n)
    expect(await request('eth_getStorageAt', STRANGER, key, 'latest')).toBe(toHex(42n, { size: 32 }))
    await client.setStorageAt({ address: STRANGER, index: 2, value: toHex(1n, { size: 32 }) })
    expect(await client.getStorageAt({ address: STRANGER, slot: '0x02' })).toBe(toHex(1n, { size: 32 }))
    // Each change has its own block, and past blocks are unchanged.
    expect(await client.getBlockNumber()).toBe(5n)
    expect(await client.getBalance({ address: STRANGER, blockNumber: 0n })).toBe(0n)
    await client.setBalance({ address: alice, value: 0n })
    await expect(transfer(1n)).rejects.toThrow(/insufficient funds/i)
  })

  it('is set once: the block after is as any other', async () => {
    await client.setBalance({ address: bob, value: 5n })
    await transfer(1n)
    await transfer(1n, 0, carol)
    expect(await client.getBalance({ address: bob })).toBe(6n)
  })

  it('does not include pool transactions in such blocks', async () => {
    await client.setAutomine(false)
    const hash = await transfer(1n)
    await client.setBalance({ address: carol, value: 1n })
    expect((await latest()).transactions).toEqual([])
    await expect(client.setNonce({ address: alice, nonce: 4 })).rejects.toThrow('Mine or drop them first')
    await client.mine({ blocks: 1 })
    expect((await latest()).transactions).toEqual([hash])
  })

  it.each([
    ['anvil_setBalance', [STRANGER, toHex(2n ** 240n)], 'is above 2^240 - 1'],
    ['anvil_setBalance', ['0x1', '0x1'], 'must be an address'],
    ['anvil_setCode', [STRANGER, '0x6001'], 'the code for 0x'],
    ['anvil_setNonce', [STRANGER, 2 ** 33], 'is above 4294967295'],
    ['anvil_setStorageAt', [STRANGER, `0x${'00'.repeat(129)}`, '0x01'], 'longer than 128 bytes'],
  ])('%s refuses %j', async (method, params, message) => {
    await expect(request(method, ...params)).rejects.toThrow(message)
    expect(await client.getBlockNumber()).toBe(0n)
  })
})

describe('the node', () => {
  it('reports its version and settings', async () => {
    expect(await request('web3_clientVersion')).toBe('anvil/quoin-dev')
    expect(await request('anvil_nodeInfo')).toMatchObject({ currentBlockNumber: '0x0', environment: { chainId: 31_337 } })
    expect(await request('rpc_modules')).toMatchObject({ anvil: '1.0', eth: '1.0' })
    expect(await request('eth_accounts')).toEqual(node.accounts.map(({ address }) => address))
  })

  it('explains why it does not support a method', async () => {
    await expect(request('anvil_setNextBlockBaseFeePerGas', '0x1')).rejects.toThrow('gas is free')
    await expect(client.dumpState()).rejects.toThrow('evm_snapshot')
    await expect(request('anvil_unheardOf')).rejects.toThrow('does not exist')
  })

  it('prints each transaction with sender, gas and the reason of a failure', async () => {
    const texts: string[] = []
    const talking = await startDevNode({ port: 0, print: (text) => texts.push(text) })
    const bobs = devClient(talking.url)
    const deployed = await signer(talking.url, 0).deployContract({ ...token, args: ['Token', 'TKN', alice, 1_000n] })
    const { contractAddress: address } = await bobs.getTransactionReceipt({ hash: deployed })
    const call = { abi: token.abi, address: address!, functionName: 'transfer', args: [carol, 1n] } as const
    const failed = await bobs.writeContract({ account: bob, gas: 3_000_000n, ...call })
    const outOfGas = await bobs.writeContract({ account: bob, gas: 22_000n, ...call })
    await talking.close()
    expect(texts).toEqual([
      expect.stringMatching(new RegExp(`^${deployed}  block 1  [\\d,]+ gas  ok\n  ${alice} → new contract ${address}$`, 'i')),
      expect.stringMatching(
        new RegExp(
          `^${failed}  block 2  [\\d,]+ gas  failed\n  ${bob} → ${address}\n  ERC20InsufficientBalance\\(${bob}, 0, 1\\)$`,
          'i',
        ),
      ),
      expect.stringMatching(
        new RegExp(
          `^${outOfGas}  block 3  22,000 gas  failed\n  .*\n  out of gas: 22000 of the gas limit of 22000 were used$`,
          'i',
        ),
      ),
    ])
  })

  it('prints which nonce a transaction waits for, and includes it when that arrives', async () => {
    const texts: string[] = []
    const talking = await startDevNode({ port: 0, print: (text) => texts.push(text) })
    const alices = signer(talking.url, 0)
    const send = (nonce: number) => alices.sendTransaction({ to: bob, value: 1n, nonce, gas: 21_000n })
    const late = await send(2)
    const [first, second] = [await send(0), await send(1)]
    await talking.close()
    expect(texts.map((text) => text.split('\n')[0])).toEqual([
      `${late}  waits for nonce 0 of its sender`,
      expect.stringContaining(`${first}  block 1`),
      expect.stringContaining(`${second}  block 2`),
      expect.stringContaining(`${late}  block`),
    ])
    expect(texts[0]).toMatch(new RegExp(`${alice} sent it with nonce 2\\. .*clear its activity data$`, 'i'))
  })

  it('rejects with the system error of a port in use', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as { port: number }
    await expect(startDevNode({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
    taken.close()
  })

  it('makes blocks at an interval of milliseconds', async () => {
    const ticking = await startDevNode({ port: 0, blockTimeMs: 10, accounts: 12, balance: 5n, chainId: 77 })
    const watcher = devClient(ticking.url)
    await new Promise<void>((resolve) => {
      const unwatch = watcher.watchBlockNumber({
        poll: true,
        onBlockNumber: (number) => {
          if (number < 5n) return
          unwatch()
          resolve()
        },
      })
    })
    expect(await watcher.getChainId()).toBe(77)
    expect(await watcher.getBalance({ address: devAccount(11).address })).toBe(5n)
    await ticking.close()
  })
})
