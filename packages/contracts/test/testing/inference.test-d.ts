import { type Abi, type ContractEventArgsFromTopics, type ContractEventName, type Hex, parseAbi, type Log as ViemLog } from 'viem'
import { describe, expectTypeOf, it } from 'vitest'
import {
  type Artifact,
  type Chain,
  type Contract,
  createChain,
  type EventArguments,
  type EventName,
  type Receipt,
  type Simulation,
} from '../../src/testing/index.ts'
import '../../src/testing/matchers.ts'
import { expect } from 'vitest'
import { lab, nextLab, passer } from './lab.ts'
import { token } from './token.ts'

const unnamed = parseAbi(['event E(uint256 indexed, address to)', 'event N()'])
const chain = await createChain()
const [alice, bob] = chain.accounts
const coin = await chain.deploy(token, { args: ['Quoin', 'QUO', alice, 1n] })
const contract = await chain.deploy(lab, { args: [1n] })

describe('accounts', () => {
  it('are as many as were asked for', async () => {
    expectTypeOf(alice).toEqualTypeOf<Hex>()
    expectTypeOf(chain.accounts.length).toEqualTypeOf<10>()
    const { accounts } = await createChain({ accounts: 2, balance: 1n })
    expectTypeOf(accounts).toEqualTypeOf<readonly [Hex, Hex]>()
    const some = await createChain({ accounts: 5 as number })
    expectTypeOf(some.accounts).toEqualTypeOf<readonly Hex[]>()
    // @ts-expect-error there is no eleventh account
    expectTypeOf(chain.accounts[10])
  })

  it('do not matter for a parameter that accepts any chain', () => {
    expectTypeOf(chain).toExtend<Chain>()
  })
})

describe('deployment', () => {
  it("takes the constructor's arguments", () => {
    expectTypeOf(coin).toEqualTypeOf<Contract<typeof token.abi>>()
    void chain.deploy(passer)
    void chain.deploy(passer, { from: bob })
    void chain.deploy(nextLab, { args: [] })
    // @ts-expect-error the constructor has arguments
    void chain.deploy(token)
    // @ts-expect-error the supply is missing
    void chain.deploy(token, { args: ['Quoin', 'QUO', alice] })
    // @ts-expect-error the supply is a bigint
    void chain.deploy(token, { args: ['Quoin', 'QUO', alice, 1] })
    // @ts-expect-error there is no constructor
    void chain.deploy(passer, { args: [1n] })
    // @ts-expect-error no such option
    void chain.deploy(passer, { sender: bob })
  })

  it('of an upgrade is the new contract', async () => {
    expectTypeOf(await chain.upgrade(contract, nextLab, { data: '0x' })).toEqualTypeOf<Contract<typeof nextLab.abi>>()
    expectTypeOf(chain.at(nextLab, contract.address)).toEqualTypeOf<Contract<typeof nextLab.abi>>()
  })
})

describe('functions', () => {
  it('are read if they are views', async () => {
    expectTypeOf(await coin.read.balanceOf([alice])).toEqualTypeOf<bigint>()
    expectTypeOf(await coin.read.decimals()).toEqualTypeOf<number>()
    expectTypeOf(await coin.read.name([], { blockNumber: 1n })).toEqualTypeOf<string>()
    expectTypeOf(await contract.read.now({ from: bob })).toEqualTypeOf<readonly [bigint, bigint]>()
    // @ts-expect-error the function writes
    void coin.read.transfer
    // @ts-expect-error no such function
    void coin.read.balanceof
    // @ts-expect-error the owner is missing
    void coin.read.balanceOf()
    // @ts-expect-error an address is a string
    void coin.read.balanceOf([1n])
    // @ts-expect-error a read cannot send value
    void coin.read.name({ value: 1n })
  })

  it('are written to if they are not views', async () => {
    expectTypeOf(await coin.write.transfer([bob, 1n], { from: alice, value: 0n, gas: 1n })).toEqualTypeOf<
      Receipt<typeof token.abi>
    >()
    expectTypeOf(await coin.simulate.transfer([bob, 1n])).toEqualTypeOf<Simulation<boolean>>()
    expectTypeOf(await contract.simulate.deposit({ value: 1n })).toEqualTypeOf<Simulation<undefined>>()
    // @ts-expect-error the function only reads
    void coin.write.balanceOf
    // @ts-expect-error the amount is missing
    void coin.write.transfer([bob])
    // @ts-expect-error the amount is a bigint
    void coin.write.transfer([bob, 1])
    // @ts-expect-error a transaction cannot run on a past block
    void coin.write.transfer([bob, 1n], { blockNumber: 1n })
    // @ts-expect-error `who` is missing
    void contract.write.failWith([1n, { words: [] }])
  })

  it('with the same name are distinguished', async () => {
    void contract.write.add([1n])
    void contract.write.add([1n, 2n])
    expectTypeOf(await contract.simulate.add([1n, 2n])).toEqualTypeOf<Simulation<bigint>>()
    // @ts-expect-error no overload has three parameters
    void contract.write.add([1n, 2n, 3n])
  })

  it('are of any name where the ABI is not known', async () => {
    const unknown = await chain.deploy({} as Artifact<Abi>, { args: [1, 'two'] })
    expectTypeOf(await unknown.read.anything!([1n], { from: alice })).toEqualTypeOf<unknown>()
    expectTypeOf(await unknown.write.anything!()).toEqualTypeOf<Receipt>()
  })
})

describe('events', () => {
  it('are one of the ABI', async () => {
    const [event] = (await coin.write.transfer([bob, 1n])).events
    if (event?.eventName === 'Transfer') {
      expectTypeOf(event.args).toEqualTypeOf<{ from: Hex; to: Hex; value: bigint }>()
      expectTypeOf(event.blockNumber).toEqualTypeOf<bigint>()
    }
    expectTypeOf(event!.eventName).toEqualTypeOf<'Transfer' | 'Approval'>()
    const [approval] = await coin.getEvents.Approval({ owner: alice, value: 1n }, { fromBlock: 1n })
    expectTypeOf(approval!.args.spender).toEqualTypeOf<Hex>()
    // @ts-expect-error no such event
    void coin.getEvents.Minted
    // @ts-expect-error no such argument
    void coin.getEvents.Transfer({ owner: alice })
    // @ts-expect-error the value is a bigint
    void coin.getEvents.Transfer({ value: 1 })
  })

  it('are expected by name and by some of their arguments', async () => {
    const receipt = await coin.write.transfer([bob, 1n])
    expect(receipt).toEmit(coin, 'Transfer', { to: bob })
    // @ts-expect-error no such event
    expect(receipt).toEmit(coin, 'Minted')
    // @ts-expect-error no such argument
    expect(receipt).toEmit(coin, 'Transfer', { owner: bob })
  })
})

describe('a batch', () => {
  it('resolves to the results of its promises', async () => {
    const [receipt, made, four] = await chain.batch(() => [coin.write.transfer([bob, 1n]), chain.deploy(passer), 4])
    expectTypeOf(receipt).toEqualTypeOf<Receipt<typeof token.abi>>()
    expectTypeOf(made).toEqualTypeOf<Contract<typeof passer.abi>>()
    expectTypeOf(four).toExtend<number>()
    // @ts-expect-error the function must not wait
    void chain.batch(async () => [await coin.write.transfer([bob, 1n])])
  })
})

describe('matchers', () => {
  it('of reverts are awaited', () => {
    expectTypeOf(expect(coin.read.name()).toRevert()).toEqualTypeOf<Promise<void>>()
    expectTypeOf(expect(coin.read.name()).not.toRevertWith('Odd', [1n])).toEqualTypeOf<Promise<void>>()
    // @ts-expect-error arguments are a list
    void expect(coin.read.name()).toRevertWith('Odd', 1n)
  })
})

describe('logs', () => {
  it('are what viem takes', async () => {
    const receipt = await coin.write.transfer([bob, 1n])
    expectTypeOf(receipt.logs).toExtend<readonly ViemLog<bigint, number, false>[]>()
    expectTypeOf<EventArguments<typeof token.abi, 'Transfer'>>().toEqualTypeOf<
      ContractEventArgsFromTopics<typeof token.abi, 'Transfer'>
    >()
    expectTypeOf<EventArguments<typeof unnamed, 'E'>>().toEqualTypeOf<ContractEventArgsFromTopics<typeof unnamed, 'E'>>()
    expectTypeOf<EventArguments<typeof unnamed, 'N'>>().toEqualTypeOf<ContractEventArgsFromTopics<typeof unnamed, 'N'>>()
    expectTypeOf<EventName<typeof unnamed>>().toEqualTypeOf<ContractEventName<typeof unnamed>>()
    expectTypeOf<EventName>().toEqualTypeOf<ContractEventName>()
  })
})
