import { readFileSync } from 'node:fs'
import { type BuiltContract, formatDiagnostics } from '@quoin/contracts/build'
import { type Chain, ContractRevert, createChain } from '@quoin/contracts/testing'
import { type Address, encodeAbiParameters, getAddress, type Hex, keccak256, stringToHex } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as library from '../packages/contracts/src/kit/host-functions.ts'
import { CHAIN_ID } from '../packages/contracts/src/testing/genesis.ts'
import { Project } from '../packages/contracts/test/build/project.ts'

const page = readFileSync(new URL('../docs/solidity.md', import.meta.url), 'utf8')

/** The page's samples by name. Each begins with the path of its file. */
const samples = new Map(
  [...page.matchAll(/^```ts\n\/\/ contracts\/([\w-]+)\.ts\n(.*?)^```$/gms)].map(([, name = '', text = '']) => [name, text]),
)

let project: Project
let built: Map<string, BuiltContract>
let chain: Chain
let alice: Address
let bob: Address

beforeAll(async () => {
  const files = [...samples].map(([name, text]) => [`contracts/${name}.ts`, text] as const)
  project = new Project(Object.fromEntries(files))
  const result = await project.build(
    files.map(([file]) => file),
    { typeCheck: true },
  )
  if (!result.ok) throw new Error(formatDiagnostics(result.error))
  built = new Map(result.value.map((contract) => [contract.name, contract]))
  chain = await createChain()
  const [first, second] = chain.accounts as readonly Address[]
  alice = first!
  bob = second!
})

afterAll(async () => {
  project?.remove()
  await chain?.close()
})

/** A sample's contract, typed only by an unknown ABI. The build has checked the sample's types. */
async function deploy(name: string, args: readonly unknown[] = []) {
  const deployed = await chain.deploy(built.get(name)!, { args, from: alice } as never)
  return deployed as unknown as {
    readonly address: Address
    readonly read: Record<string, (...parameters: readonly unknown[]) => Promise<unknown>>
    readonly write: Record<string, (...parameters: readonly unknown[]) => Promise<{ readonly logs: readonly unknown[] }>>
    readonly simulate: Record<string, (...parameters: readonly unknown[]) => Promise<{ readonly result: unknown }>>
  }
}

async function failure(attempt: Promise<unknown>): Promise<ContractRevert> {
  const error: unknown = await attempt.then(
    () => 'it succeeded',
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(ContractRevert)
  return error as ContractRevert
}

describe('the guide for Solidity developers', () => {
  it('has a test for each of its samples, and no other code in TypeScript', () => {
    expect([...samples.keys()].sort()).toEqual([
      'bids',
      'counter',
      'counter-2',
      'faucet',
      'numbers',
      'payer',
      'purse',
      'thief',
      'vault',
      'voucher',
    ])
    expect(page.match(/^```ts$/gm)).toHaveLength(samples.size)
  })

  it('names every function that the kit has of the chain', () => {
    expect(Object.keys(library).filter((name) => !new RegExp(`\\b${name}\\b`).test(page))).toEqual([])
  })

  it('vault: value, errors, require, events', async () => {
    const vault = await deploy('vault')
    const { logs } = await vault.write.deposit!({ value: 10n })
    expect(logs).toHaveLength(1)
    expect((await failure(vault.write.deposit!())).reason).toBe('nothing sent')
    expect(await failure(vault.write.withdraw!([11n]))).toMatchObject({ errorName: 'Insufficient', args: [10n, 11n] })
    await vault.write.withdraw!([4n])
    expect([await vault.read.total!(), await vault.read.balanceOf!([alice])]).toEqual([6n, 6n])
    expect(await chain.balanceOf(vault.address)).toBe(6n)
  })

  it('numbers: no overflow but at the border, wrapping by choice, constants', async () => {
    const numbers = await deploy('numbers')
    expect(await numbers.read.feeOf!([10_000n])).toBe(30n)
    expect(await numbers.read.wrap!([2n ** 256n - 1n, 2n])).toBe(1n)
    expect((await failure(numbers.write.setSmall!([256n]))).reason).toMatch(/^store: .*the integer is out of range for uint8$/)
    await numbers.write.close!()
    expect(await numbers.read.isOpen!()).toBe(false)
  })

  it('bids: structs in storage, sets', async () => {
    const bids = await deploy('bids')
    await bids.write.bid!([7n, 5n], { from: bob })
    expect(await failure(bids.write.bid!([7n, 5n]))).toMatchObject({ errorName: 'TooLow', args: [5n] })
    expect(await bids.read.bidOf!([7n])).toEqual({ bidder: bob, amount: 5n })
    expect(await bids.read.bidders!()).toEqual([bob])
  })

  it('purse: receive, fallback, the balance', async () => {
    const purse = await deploy('purse')
    await chain.send({ to: purse.address, value: 3n })
    expect(await purse.read.balance!()).toBe(3n)
    expect(await failure(chain.send({ to: purse.address, data: '0x01020304' }))).toMatchObject({
      errorName: 'Unknown',
      args: ['0x01020304'],
    })
    await purse.write.sweep!([bob])
    expect(await chain.balanceOf(purse.address)).toBe(0n)
  })

  it('payer: creates, calls with value, reads statically, catches', async () => {
    const payer = await deploy('payer')
    await payer.write.open!([built.get('vault')!.bytecode])
    expect((await payer.simulate.pay!({ value: 9n })).result).toBe(9n)
    await payer.write.pay!({ value: 9n })
    const [done, why] = (await payer.simulate.tryWithdraw!([10n])).result as [boolean, Hex]
    expect(done).toBe(false)
    expect(why).toBe(
      keccak256(stringToHex('Insufficient(uint256,uint256)')).slice(0, 10) +
        encodeAbiParameters([{ type: 'uint256' }, { type: 'uint256' }], [9n, 10n]).slice(2),
    )
    await payer.write.tryWithdraw!([9n])
    expect(await chain.balanceOf(payer.address)).toBe(9n)
  })

  it('faucet and thief: a re-entrant call fails', async () => {
    const faucet = await deploy('faucet')
    await chain.send({ to: faucet.address, value: 100n })
    const thief = await deploy('thief')
    expect((await failure(faucet.write.drip!([thief.address]))).reason).toBe(
      `reentrant call refused: the contract ${faucet.address.toLowerCase()} is on the call stack and the called function is not listed as reentrant`,
    )
    await faucet.write.drip!([bob])
    expect((await failure(faucet.write.drip!([bob]))).errorName).toBe('Served')
    expect(await chain.balanceOf(faucet.address)).toBe(99n)
  })

  it('voucher: typed data as a wallet signs them, packed hashes', async () => {
    const issuer = privateKeyToAccount(`0x${'2a'.repeat(32)}`)
    const voucher = await deploy('voucher', [issuer.address])
    const domain = { name: 'Voucher', chainId: CHAIN_ID, verifyingContract: voucher.address }
    const types = {
      Voucher: [
        { name: 'to', type: 'address' },
        { name: 'amount', type: 'uint256' },
      ],
    } as const
    const message = { to: getAddress(bob), amount: 5n }
    const signature = await issuer.signTypedData({ domain, types, primaryType: 'Voucher', message })
    await voucher.write.redeem!([bob, 5n, signature])
    expect(await voucher.read.redeemed!([bob])).toBe(5n)
    expect((await failure(voucher.write.redeem!([bob, 6n, signature]))).errorName).toBe('Forged')
    const encoded = encodeAbiParameters([{ type: 'address' }, { type: 'uint256' }], [getAddress(bob), 5n])
    expect(await voucher.read.id!([bob, 5n])).toBe(keccak256(`${stringToHex('voucher:')}${encoded.slice(2)}` as Hex))
  })

  it('counter: parts and modifiers', async () => {
    const counter = await deploy('counter')
    await counter.write.add!([5n])
    expect(await failure(counter.write.add!([1n], { from: bob }))).toMatchObject({ errorName: 'NotOwner', args: [bob] })
    expect([await counter.read.count!(), await counter.read.owner!()]).toEqual([5n, alice])
  })

  it('counter-2: a field with a larger type reads through to the old values', async () => {
    const text = samples.get('counter-2')!
    const former = `import { contract, value } from '@quoin/contracts'
export default contract({
  abi: ['function add(uint256 n)', 'function count() view returns (uint256)'],
  state: { count: value('uint32') },
  upgradeAuthority: 'deployer',
  functions: {
    add: ({ state }, n) => { state.count.update((count) => count + n) },
    count: ({ state }) => state.count.get(),
  },
})`
    expect(text).toContain("replacing('count'")
    project.write({ 'contracts/former.ts': former })
    const result = await project.build(['contracts/former.ts'])
    if (!result.ok) throw new Error(formatDiagnostics(result.error))
    built.set('former', result.value[0]!)
    const counter = await deploy('former')
    await counter.write.add!([7n])
    const next = await chain.upgrade(counter, built.get('counter-2')!, { from: alice } as never)
    const upgraded = next as unknown as Awaited<ReturnType<typeof deploy>>
    await upgraded.write.add!([2n ** 40n])
    expect(await upgraded.read.count!()).toBe(2n ** 40n + 7n)
  })
})
