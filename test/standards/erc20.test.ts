import fc from 'fast-check'
import { type Address, erc20Abi, getContract, keccak256, parseAbi, toHex } from 'viem'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { runs } from '../long.ts'
import { alice, bob, carol, eventsOf, MAX, revertOf, Stage, ZERO } from './harness.ts'

/** The functions and events of ERC-20 from viem, the errors of ERC-6093, and the test contract's own functions. */
const abi = [
  ...erc20Abi,
  ...parseAbi([
    'error ERC20InsufficientBalance(address sender, uint256 balance, uint256 needed)',
    'error ERC20InvalidSender(address sender)',
    'error ERC20InvalidReceiver(address receiver)',
    'error ERC20InsufficientAllowance(address spender, uint256 allowance, uint256 needed)',
    'error ERC20InvalidApprover(address approver)',
    'error ERC20InvalidSpender(address spender)',
    'function mint(address to, uint256 value)',
    'function burn(address from, uint256 value)',
    'function transferAnyway(address from, address to, uint256 value)',
    'function approveAnyway(address owner, address spender, uint256 value)',
  ]),
] as const

const tokenAt = (address: Address) => getContract({ address, abi, client: stage.client })

let stage: Stage
let token: ReturnType<typeof tokenAt>
const [a, b, c] = [alice.address, bob.address, carol.address]

beforeAll(async () => {
  stage = await Stage.open('token')
})
afterAll(() => stage.close())
beforeEach(async () => {
  token = tokenAt(await stage.deploy('token', ['Gold', 'AU']))
  await stage.done(token.write.mint([a, 100n], { account: alice }))
})

const balances = () => Promise.all([a, b, c].map((owner) => token.read.balanceOf([owner])))

describe('metadata', () => {
  it('returns name, symbol and decimals', async () => {
    expect(await Promise.all([token.read.name(), token.read.symbol(), token.read.decimals()])).toEqual(['Gold', 'AU', 18])
  })
})

describe('transfer', () => {
  it('"Transfers _value amount of tokens to address _to, and MUST fire the Transfer event", and returns true', async () => {
    expect((await token.simulate.transfer([b, 30n], { account: alice })).result).toBe(true)
    const receipt = await stage.done(token.write.transfer([b, 30n], { account: alice }))
    expect(eventsOf(abi, receipt)).toEqual([['Transfer', { from: a, to: b, value: 30n }]])
    expect(await balances()).toEqual([70n, 30n, 0n])
    expect(await token.read.totalSupply()).toBe(100n)
  })

  it('has both addresses of its event indexed and the value in the data', async () => {
    const { logs } = await stage.done(token.write.transfer([b, 30n], { account: alice }))
    const topic = (address: Address) => `0x${address.slice(2).toLowerCase().padStart(64, '0')}`
    expect(logs).toHaveLength(1)
    expect(logs[0]).toMatchObject({
      topics: [keccak256(toHex('Transfer(address,address,uint256)')), topic(a), topic(b)],
      data: toHex(30n, { size: 32 }),
    })
  })

  it('"SHOULD throw if the message caller’s account balance does not have enough tokens to spend"', async () => {
    expect(await revertOf(token.simulate.transfer([b, 101n], { account: alice }))).toEqual([
      'ERC20InsufficientBalance',
      ...[a, 100n, 101n],
    ])
    await stage.failed(token.write.transfer([b, 101n], { account: alice, gas: 1_000_000n }))
    expect(await balances()).toEqual([100n, 0n, 0n])
  })

  it('"Transfers of 0 values MUST be treated as normal transfers and fire the Transfer event"', async () => {
    const receipt = await stage.done(token.write.transfer([b, 0n], { account: carol }))
    expect(eventsOf(abi, receipt)).toEqual([['Transfer', { from: c, to: b, value: 0n }]])
  })

  it('to oneself changes nothing', async () => {
    await stage.done(token.write.transfer([a, 100n], { account: alice }))
    expect(await balances()).toEqual([100n, 0n, 0n])
    expect(await revertOf(token.simulate.transfer([a, 101n], { account: alice }))).toEqual([
      'ERC20InsufficientBalance',
      a,
      100n,
      101n,
    ])
  })

  it('refuses the zero address (ERC-6093)', async () => {
    expect(await revertOf(token.simulate.transfer([ZERO, 1n], { account: alice }))).toEqual(['ERC20InvalidReceiver', ZERO])
    expect(await revertOf(token.simulate.transferAnyway([ZERO, b, 1n]))).toEqual(['ERC20InvalidSender', ZERO])
  })
})

describe('approve', () => {
  it('"Allows _spender to withdraw from your account multiple times, up to the _value amount", fires Approval, answers true', async () => {
    expect((await token.simulate.approve([b, 50n], { account: alice })).result).toBe(true)
    const receipt = await stage.done(token.write.approve([b, 50n], { account: alice }))
    expect(eventsOf(abi, receipt)).toEqual([['Approval', { owner: a, spender: b, value: 50n }]])
    expect(await token.read.allowance([a, b])).toBe(50n)
    await stage.done(token.write.transferFrom([a, c, 20n], { account: bob }))
    await stage.done(token.write.transferFrom([a, c, 30n], { account: bob }))
    expect(await balances()).toEqual([50n, 0n, 50n])
    expect(await token.read.allowance([a, b])).toBe(0n)
  })

  it('"If this function is called again it overwrites the current allowance with _value", zero too', async () => {
    await stage.done(token.write.approve([b, 50n], { account: alice }))
    await stage.done(token.write.approve([b, 7n], { account: alice }))
    expect(await token.read.allowance([a, b])).toBe(7n)
    const receipt = await stage.done(token.write.approve([b, 0n], { account: alice }))
    expect(eventsOf(abi, receipt)).toEqual([['Approval', { owner: a, spender: b, value: 0n }]])
    expect(await token.read.allowance([a, b])).toBe(0n)
    expect(await revertOf(token.simulate.transferFrom([a, c, 1n], { account: bob }))).toEqual([
      'ERC20InsufficientAllowance',
      ...[b, 0n, 1n],
    ])
  })

  it('is for one spender and one owner', async () => {
    await stage.done(token.write.approve([b, 50n], { account: alice }))
    expect(await Promise.all([token.read.allowance([b, a]), token.read.allowance([a, c])])).toEqual([0n, 0n])
  })

  it('refuses the zero address on either side (ERC-6093)', async () => {
    expect(await revertOf(token.simulate.approve([ZERO, 1n], { account: alice }))).toEqual(['ERC20InvalidSpender', ZERO])
    expect(await revertOf(token.simulate.approveAnyway([ZERO, b, 1n]))).toEqual(['ERC20InvalidApprover', ZERO])
  })
})

describe('transferFrom', () => {
  it('"MUST fire the Transfer event" and answers true; the use of an allowance is no Approval', async () => {
    await stage.done(token.write.approve([b, 50n], { account: alice }))
    expect((await token.simulate.transferFrom([a, c, 20n], { account: bob })).result).toBe(true)
    const receipt = await stage.done(token.write.transferFrom([a, c, 20n], { account: bob }))
    expect(eventsOf(abi, receipt)).toEqual([['Transfer', { from: a, to: c, value: 20n }]])
    expect(await token.read.allowance([a, b])).toBe(30n)
  })

  it('"SHOULD throw unless the _from account has deliberately authorized the sender of the message", itself included', async () => {
    const refusal = (spender: Address) => ['ERC20InsufficientAllowance', spender, 0n, 1n]
    expect(await revertOf(token.simulate.transferFrom([a, c, 1n], { account: bob }))).toEqual(refusal(b))
    expect(await revertOf(token.simulate.transferFrom([a, c, 1n], { account: alice }))).toEqual(refusal(a))
    const receipt = await stage.done(token.write.transferFrom([a, c, 0n], { account: bob }))
    expect(eventsOf(abi, receipt)).toEqual([['Transfer', { from: a, to: c, value: 0n }]])
  })

  it('looks at the allowance, then at the balance', async () => {
    await stage.done(token.write.approve([b, 101n], { account: alice }))
    expect(await revertOf(token.simulate.transferFrom([a, c, 102n], { account: bob }))).toEqual([
      'ERC20InsufficientAllowance',
      b,
      101n,
      102n,
    ])
    expect(await revertOf(token.simulate.transferFrom([a, c, 101n], { account: bob }))).toEqual([
      'ERC20InsufficientBalance',
      a,
      100n,
      101n,
    ])
    await stage.failed(token.write.transferFrom([a, c, 101n], { account: bob, gas: 1_000_000n }))
    expect(await token.read.allowance([a, b])).toBe(101n)
    expect(await revertOf(token.simulate.transferFrom([a, ZERO, 1n], { account: bob }))).toEqual(['ERC20InvalidReceiver', ZERO])
  })

  it('does not use up an allowance without limit', async () => {
    await stage.done(token.write.approve([b, MAX], { account: alice }))
    await stage.done(token.write.transferFrom([a, c, 60n], { account: bob }))
    expect(await token.read.allowance([a, b])).toBe(MAX)
    await stage.done(token.write.approve([b, MAX - 1n], { account: alice }))
    await stage.done(token.write.transferFrom([a, c, 40n], { account: bob }))
    expect(await token.read.allowance([a, b])).toBe(MAX - 41n)
  })
})

describe('mint and burn', () => {
  it('"SHOULD trigger a Transfer event with the _from address set to 0x0 when tokens are created"', async () => {
    const receipt = await stage.done(token.write.mint([b, 5n], { account: alice }))
    expect(eventsOf(abi, receipt)).toEqual([['Transfer', { from: ZERO, to: b, value: 5n }]])
    expect(await token.read.totalSupply()).toBe(105n)
    expect(await revertOf(token.simulate.mint([ZERO, 5n]))).toEqual(['ERC20InvalidReceiver', ZERO])
  })

  it('destroys tokens of an account', async () => {
    const receipt = await stage.done(token.write.burn([a, 40n], { account: alice }))
    expect(eventsOf(abi, receipt)).toEqual([['Transfer', { from: a, to: ZERO, value: 40n }]])
    expect(await Promise.all([token.read.totalSupply(), token.read.balanceOf([a])])).toEqual([60n, 60n])
    expect(await revertOf(token.simulate.burn([a, 61n]))).toEqual(['ERC20InsufficientBalance', a, 60n, 61n])
    expect(await revertOf(token.simulate.burn([ZERO, 1n]))).toEqual(['ERC20InvalidSender', ZERO])
  })

  it('says so when the supply would be beyond uint256', async () => {
    await stage.done(token.write.mint([b, MAX - 100n], { account: alice }))
    expect(await token.read.totalSupply()).toBe(MAX)
    expect(await revertOf(token.simulate.mint([b, 1n]))).toBe('RangeError: the total supply would be beyond uint256')
    await stage.done(token.write.transfer([b, 100n], { account: alice }))
    expect(await token.read.balanceOf([b])).toBe(MAX)
  })
})

describe('a token', () => {
  it('matches a simple model after any operations', async () => {
    const who = fc.constantFrom(0, 1, 2)
    const amount = fc.bigInt({ min: 0n, max: 120n })
    const step = fc.record({
      kind: fc.constantFrom('transfer', 'approve', 'transferFrom', 'mint', 'burn'),
      by: who,
      from: who,
      to: who,
      amount,
    })
    const accounts = [alice, bob, carol]
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 25 }), async (steps) => {
        const model = { balances: [0n, 0n, 0n], allowances: new Map<string, bigint>() }
        const fresh = tokenAt(await stage.deploy('token', ['T', 'T']))
        for (const { kind, by, from, to, amount: value } of steps) {
          const [account, f, t] = [accounts[by]!, accounts[from]!.address, accounts[to]!.address]
          const sent = { account, gas: 1_000_000n } as const
          const spent = kind === 'transferFrom' ? from : kind === 'burn' ? from : by
          const allowed = model.allowances.get(`${from}:${by}`) ?? 0n
          const fails =
            (['transfer', 'transferFrom', 'burn'].includes(kind) && model.balances[spent]! < value) ||
            (kind === 'transferFrom' && allowed < value)
          const hash = {
            transfer: () => fresh.write.transfer([t, value], sent),
            approve: () => fresh.write.approve([t, value], sent),
            transferFrom: () => fresh.write.transferFrom([f, t, value], sent),
            mint: () => fresh.write.mint([t, value], sent),
            burn: () => fresh.write.burn([f, value], sent),
          }[kind]!()
          await (fails ? stage.failed(hash) : stage.done(hash))
          if (fails) continue
          if (kind === 'approve') model.allowances.set(`${by}:${to}`, value)
          if (kind === 'transferFrom') model.allowances.set(`${from}:${by}`, allowed - value)
          if (['transfer', 'transferFrom', 'burn'].includes(kind)) model.balances[spent]! -= value
          if (['transfer', 'transferFrom', 'mint'].includes(kind)) model.balances[to]! += value
        }
        expect(await Promise.all([a, b, c].map((owner) => fresh.read.balanceOf([owner])))).toEqual(model.balances)
        expect(await fresh.read.totalSupply()).toBe(model.balances.reduce((sum, balance) => sum + balance))
        for (const [key, value] of model.allowances) {
          const [owner, spender] = key.split(':').map((i) => accounts[Number(i)]!.address) as [Address, Address]
          expect(await fresh.read.allowance([owner, spender])).toBe(value)
        }
      }),
      { numRuns: runs(8) },
    )
  })
})
