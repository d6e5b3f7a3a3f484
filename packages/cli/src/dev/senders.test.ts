import { Address, bytesToHex, encodeTransaction } from '@quoin/protocol'
import { type Hex, keccak256, stringToHex } from 'viem'
import { describe, expect, it } from 'vitest'
import { devAccount, type devClient } from '../../test/dev-node.ts'
import { shareDevNode, token } from '../../test/shared-dev-node.ts'
import { impersonatedSignature } from './impersonation.ts'

const [alice, bob, carol] = [devAccount(0).address, devAccount(1).address, devAccount(2).address]
const STRANGER = Address('0x00000000000000000000000000000000000abcde')

let client: ReturnType<typeof devClient>
const { request, deployToken, give, tokens } = shareDevNode((startedClient) => {
  client = startedClient
})

describe('senders', () => {
  it('are the accounts whose keys the node has', async () => {
    const hash = await client.sendTransaction({ account: alice, to: bob, value: 3n })
    const [sent, receipt] = [await client.getTransaction({ hash }), await client.getTransactionReceipt({ hash })]
    expect(sent).toMatchObject({ from: alice.toLowerCase(), to: bob.toLowerCase(), gas: 21_000n, nonce: 0, value: 3n })
    expect(receipt.status).toBe('success')
    expect(sent.r).not.toMatch(/^0xf{64}$/)
    const legacy = await request('eth_sendTransaction', { from: alice, to: bob, gasPrice: '0x1', gas: '0x5208' })
    expect(await client.getTransaction({ hash: legacy as Hex })).toMatchObject({ type: 'legacy', nonce: 1, gasPrice: 1n })
    const listed = { from: alice, to: bob, gasPrice: '0x1', accessList: [{ address: bob, storageKeys: [keccak256('0x')] }] }
    expect(await client.getTransaction({ hash: (await request('eth_sendTransaction', listed)) as Hex })).toMatchObject({
      type: 'eip2930',
      nonce: 2,
    })
  })

  it('get different nonces when they send at the same time', async () => {
    const hashes = await Promise.all([1n, 2n, 3n, 4n].map((value) => client.sendTransaction({ account: bob, to: alice, value })))
    const nonces = await Promise.all(hashes.map(async (hash) => (await client.getTransaction({ hash })).nonce))
    expect(nonces).toEqual([0, 1, 2, 3])
  })

  it('are impersonated, contracts too', async () => {
    const address = await deployToken()
    await give(address, 50n, address)
    await expect(client.sendTransaction({ account: address, to: bob })).rejects.toThrow('anvil_impersonateAccount first')
    await client.impersonateAccount({ address })
    expect(await request('eth_accounts')).toContain(address)
    const hash = await client.writeContract({
      account: address,
      address,
      abi: token.abi,
      functionName: 'transfer',
      args: [carol, 20n],
    })
    expect(await client.getTransaction({ hash })).toMatchObject({ from: address, nonce: 1 })
    expect(await client.getTransactionReceipt({ hash })).toMatchObject({ from: address, status: 'success' })
    expect(await tokens(address, carol)).toBe(20n)
    await client.stopImpersonatingAccount({ address })
    await expect(client.sendTransaction({ account: address, to: bob })).rejects.toThrow('anvil_impersonateAccount first')
    await request('anvil_autoImpersonateAccount', true)
    await client.sendTransaction({ account: STRANGER, to: bob })
    await request('anvil_autoImpersonateAccount', false)
    await expect(client.sendTransaction({ account: STRANGER, to: bob })).rejects.toThrow('anvil_impersonateAccount first')
  })

  it('with equal transactions have different hashes', async () => {
    const senders = [STRANGER, bob, carol] as const
    await request('anvil_autoImpersonateAccount', true)
    const hashes = await Promise.all(
      senders.map((from) => request('eth_sendUnsignedTransaction', { from, to: alice, nonce: '0x0', gas: '0x5208' })),
    )
    await request('anvil_autoImpersonateAccount', false)
    expect(new Set(hashes).size).toBe(3)
    const found = await Promise.all(hashes.map((hash) => client.getTransaction({ hash: hash as Hex })))
    expect(found.map(({ from }) => from)).toEqual(senders.map((sender) => sender.toLowerCase()))
  })

  it('cannot be forged by clients: a raw transaction with the marker signature is refused', async () => {
    await client.impersonateAccount({ address: STRANGER })
    await client.setAutomine(false)
    const hash = await client.sendTransaction({ account: STRANGER, to: bob })
    const marked = await rawOf(hash)
    await client.dropTransaction({ hash })
    await expect(request('eth_sendRawTransaction', marked)).rejects.toThrow('no key could have made this signature')
    await client.stopImpersonatingAccount({ address: STRANGER })
  })

  it('fail before they send where the transaction would fail', async () => {
    const address = await deployToken()
    const call = { account: bob, address, abi: token.abi, functionName: 'transfer', args: [carol, 1n] } as const
    await expect(client.writeContract(call)).rejects.toThrow('ERC20InsufficientBalance')
    const hash = await client.writeContract({ ...call, gas: 3_000_000n })
    expect((await client.getTransactionReceipt({ hash })).status).toBe('reverted')
  })
})

/** Network encoding of a type-2 transaction that waits in the pool. */
async function rawOf(hash: Hex): Promise<Hex> {
  const found = await client.getTransaction({ hash })
  const raw = encodeTransaction(
    {
      ...{ type: 2, chainId: 31_337, nonce: found.nonce, value: found.value, maxFeePerGas: 0n, maxPriorityFeePerGas: 0n },
      ...{ gasLimit: Number(found.gas), to: found.to, data: new Uint8Array(0), accessList: [] },
    } as never,
    { signature: impersonatedSignature(STRANGER), yParity: 0 },
  )
  expect(keccak256(raw)).toBe(hash)
  return bytesToHex(raw)
}

describe('signatures', () => {
  const typedData = {
    domain: { name: 'Mail', version: '1', chainId: 31_337 },
    types: { Letter: [{ name: 'text', type: 'string' }] },
    primaryType: 'Letter',
    message: { text: 'hello' },
  } as const

  it("are those of the account's own key", async () => {
    expect(await client.signMessage({ account: alice, message: 'hello' })).toBe(
      await devAccount(0).signMessage({ message: 'hello' }),
    )
    expect(await request('eth_sign', alice, stringToHex('hello'))).toBe(await devAccount(0).signMessage({ message: 'hello' }))
    const signed = await devAccount(1).signTypedData(typedData)
    expect(await client.signTypedData({ account: bob, ...typedData })).toBe(signed)
  })

  it('are not possible for other accounts', async () => {
    await expect(client.signMessage({ account: STRANGER, message: 'hello' })).rejects.toThrow('has no key for')
    await expect(request('eth_signTypedData_v4', alice, '{')).rejects.toThrow('is not JSON')
    await expect(request('eth_signTypedData_v4', alice, {})).rejects.toThrow('is not EIP-712 typed data')
  })
})
