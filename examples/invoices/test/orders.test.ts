import '@quoin/contracts/testing/matchers'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { INVOICE, ORDER } from '../contracts/shared/states.ts'
import { bytesToName, nameToBytes } from '../src/ledger.ts'
import { BUYER, CARRIER, DAY, FUNDS, SUPPLIER, stage, type Task, TERMS } from './stage.ts'

type Stage = Awaited<ReturnType<typeof stage>>
let { chain, who, ledger, token } = {} as Stage
beforeAll(async () => {
  ;({ chain, who, ledger, token } = await stage())
})
let before: Awaited<ReturnType<Stage['chain']['snapshot']>>
beforeEach(async () => {
  if (before !== undefined) await chain.revert(before)
  before = await chain.snapshot()
})

const ID = nameToBytes('order-7')
const place = (terms: Partial<Record<keyof typeof TERMS, bigint | number>> = {}, from: Task = 'payer', id = ID) =>
  ledger.write.place([id, { ...TERMS, ...terms } as typeof TERMS], { from: who[from] })
const accept = (from: Task = 'issuer') => ledger.write.accept([ID], { from: who[from] })
const ship = (from: Task = 'dispatcher') => ledger.write.ship([ID], { from: who[from] })
const confirm = (from: Task = 'approver') => ledger.write.confirm([ID], { from: who[from] })
const compensate = (from: Task = 'stranger') => ledger.write.compensate([ID], { from: who[from] })
const order = async () => ledger.read.order([ID])
const balance = (account: `0x${string}`) => token.read.balanceOf([account])
const held = () => balance(ledger.address)
const creditUsed = async () => (await ledger.read.credit([SUPPLIER, BUYER]))[1]

/** The steps by the state that they start from. */
const STEPS = [place, accept, ship, confirm] as const
const upTo = async (state: number) => {
  for (const step of STEPS.slice(0, state)) await step()
}
const MISSING = { place: [BUYER, 8], accept: [SUPPLIER, 2], ship: [CARRIER, 32], confirm: [BUYER, 4] } as const

describe('an order', () => {
  it('settles: the deposit goes to the supplier, the rest becomes an approved invoice', async () => {
    const placed = await place()
    const deadline = chain.block.timestamp + 3_600n
    expect(placed).toEmit(ledger, 'Placed', { id: ID, buyer: BUYER, supplier: SUPPLIER, carrier: CARRIER, deadline })
    expect(await held()).toBe(300n)
    expect(await creditUsed()).toBe(0n)
    expect(await accept()).toEmit(ledger, 'Accepted', { id: ID, deadline: chain.block.timestamp + 3_600n })
    expect(await creditUsed()).toBe(700n)
    expect(await ship()).toEmit(ledger, 'Shipped', { id: ID, deadline: chain.block.timestamp + 3_600n })
    expect(await confirm()).toEmit(ledger, 'Settled', { id: ID, invoice: 1n })
    expect(await order()).toEqual({ terms: TERMS, state: ORDER.SETTLED, deadline: 0n, invoice: 1n })
    expect([await held(), await balance(who.supplierAccount), await balance(who.payer)]).toEqual([0n, 300n, FUNDS - 300n])
    const invoice = await ledger.read.invoice([1n])
    expect(invoice).toMatchObject({ amount: 700n, paid: 0n, state: INVOICE.APPROVED, due: chain.block.timestamp + 30n * DAY })
    expect(bytesToName(invoice.ref)).toBe('order-7')
    expect(await creditUsed()).toBe(700n)
    await ledger.write.pay([1n, 700n], { from: who.payer })
    expect(await creditUsed()).toBe(0n)
  })

  it('makes no invoice if the deposit is the whole price, and then needs no credit', async () => {
    await ledger.write.setCreditLimit([SUPPLIER, BUYER, 0n], { from: who.supplierAdmin })
    await place({ deposit: 1_000n })
    for (const step of [accept, ship, confirm]) await step()
    expect(await order()).toMatchObject({ state: ORDER.SETTLED, invoice: 0n })
    expect(await balance(who.supplierAccount)).toBe(1_000n)
  })

  it('needs no deposit', async () => {
    await place({ deposit: 0n })
    for (const step of [accept, ship, confirm]) await step()
    expect(await ledger.read.invoice([1n])).toMatchObject({ amount: 1_000n })
  })

  it.each([1, 2, 3])('is compensated by anyone from its deadline on, not a second before, in state %i', async (state) => {
    await upTo(state)
    const { deadline } = await order()
    await chain.setNextBlockTimestamp(deadline - 1n)
    await expect(compensate()).toRevertWith('TooEarly', [ID, deadline])
    await chain.setNextBlockTimestamp(deadline)
    expect(await compensate()).toEmit(ledger, 'Compensated', { id: ID, state, refund: 300n })
    expect(await order()).toMatchObject({ state: ORDER.COMPENSATED, deadline: 0n, invoice: 0n })
    expect([await held(), await balance(who.buyerAccount), await creditUsed()]).toEqual([0n, 300n, 0n])
  })

  it.each([1, 2, 3])('goes on until a second before its deadline, in state %i', async (state) => {
    const step = STEPS[state]!
    await upTo(state)
    const { deadline } = await order()
    const at = await chain.snapshot()
    await chain.setNextBlockTimestamp(deadline)
    await expect(step()).toRevertWith('TooLate', [ID, deadline])
    await chain.revert(at)
    await chain.setNextBlockTimestamp(deadline - 1n)
    await step()
    expect(await order()).toMatchObject({ state: state + 1 })
  })

  it('lets only the right party make each step', async () => {
    const tasks: readonly Task[] = ['issuer', 'approver', 'payer', 'auditor', 'dispatcher', 'supplierAdmin', 'owner', 'stranger']
    const allowed = { place: 'payer', accept: 'issuer', ship: 'dispatcher', confirm: 'approver' } as const
    const asTask = { place: (task: Task) => place({}, task), accept, ship, confirm }
    for (const name of ['place', 'accept', 'ship', 'confirm'] as const) {
      for (const task of tasks.filter((one) => one !== allowed[name])) {
        const [organisation, role] = MISSING[name]
        await expect(asTask[name](task), `${name} by ${task}`).toRevertWith('MissingRole', [organisation, who[task], role])
      }
      await asTask[name](allowed[name])
    }
  })

  it('takes a repeated step as made, at any later time, and pays nothing twice', async () => {
    for (const [i, step] of STEPS.entries()) {
      await step()
      const after = await order()
      for (const earlier of STEPS.slice(0, i + 1)) expect((await earlier()).logs).toEqual([])
      expect(await order()).toEqual(after)
    }
    expect([await held(), await balance(who.supplierAccount), await balance(who.payer)]).toEqual([0n, 300n, FUNDS - 300n])
    await chain.increaseTime(100_000)
    for (const step of STEPS) expect((await step()).logs).toEqual([])
    await expect(compensate()).toRevertWith('OrderState', [ID, ORDER.SETTLED])
  })

  it('ends once: after a compensation no step works, and another compensation changes nothing', async () => {
    await upTo(2)
    await chain.increaseTime(3_600)
    await compensate()
    expect((await compensate('payer')).logs).toEqual([])
    for (const step of [accept, ship, confirm]) await expect(step()).toRevertWith('OrderState', [ID, ORDER.COMPENSATED])
    expect((await place()).logs).toEqual([])
    expect(await balance(who.buyerAccount)).toBe(300n)
  })

  it('skips no step', async () => {
    await place()
    await expect(ship()).toRevertWith('OrderState', [ID, ORDER.PLACED])
    await expect(confirm()).toRevertWith('OrderState', [ID, ORDER.PLACED])
    await accept()
    await expect(confirm()).toRevertWith('OrderState', [ID, ORDER.ACCEPTED])
  })

  it('takes no other terms under its name', async () => {
    await place()
    await expect(place({ deposit: 301n })).toRevertWith('OtherTerms', [ID])
  })

  it.each([
    [{ price: 0n, deposit: 0n }, 'price'],
    [{ deposit: 1_001n }, 'deposit'],
    [{ supplier: BUYER }, 'supplier'],
    [{ acceptSeconds: 0 }, 'acceptSeconds'],
    [{ shipSeconds: 366 * 86_400 + 1 }, 'shipSeconds'],
    [{ confirmSeconds: 0 }, 'confirmSeconds'],
    [{ paymentDays: 0 }, 'paymentDays'],
    [{ paymentDays: 3_651 }, 'paymentDays'],
  ])('refuses the terms %o', async (terms, member) => {
    await expect(place(terms)).toRevertWith('InvalidTerms', [member])
  })

  it('refuses organisations and orders that do not exist', async () => {
    await expect(place({ carrier: 4n })).toRevertWith('NoSuchOrganisation', [4n])
    await expect(accept()).toRevertWith('NoSuchOrder', [ID])
    await expect(compensate()).toRevertWith('NoSuchOrder', [ID])
    await expect(order()).toRevertWith('NoSuchOrder', [ID])
  })

  it('is accepted within the credit only, to the last token', async () => {
    const limit = (amount: bigint) => ledger.write.setCreditLimit([SUPPLIER, BUYER, amount], { from: who.supplierAdmin })
    await place()
    await limit(699n)
    await expect(accept()).toRevertWith('CreditExceeded', [SUPPLIER, BUYER, 700n, 699n])
    await limit(700n)
    await accept()
    expect(await creditUsed()).toBe(700n)
  })

  it('takes no deposit that the payer does not have or has not allowed', async () => {
    await token.write.approve([ledger.address, 299n], { from: who.payer })
    await expect(place()).toRevertWith('ERC20InsufficientAllowance', [ledger.address, 299n, 300n])
    await expect(order()).toRevertWith('NoSuchOrder')
  })
})
