import '@quoin/contracts/testing/matchers'
import { encodeFunctionData } from 'viem'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ROLE } from '../contracts/shared/roles.ts'
import { INVOICE } from '../contracts/shared/states.ts'
import { ledgerAbi, nameToBytes } from '../src/ledger.ts'
import { BUYER, CARRIER, DAY, SUPPLIER, stage, type Task } from './stage.ts'

type Stage = Awaited<ReturnType<typeof stage>>
let { chain, who, ledger, token } = {} as Stage
let now = 0n
beforeAll(async () => {
  ;({ chain, who, ledger, token } = await stage())
})
let before: Awaited<ReturnType<Stage['chain']['snapshot']>>
beforeEach(async () => {
  if (before !== undefined) await chain.revert(before)
  before = await chain.snapshot()
  now = chain.block.timestamp
})

const issue = (amount = 100n, due = now + 30n * DAY, from: Task = 'issuer') =>
  ledger.write.issue([SUPPLIER, BUYER, amount, due, nameToBytes('R-1')], { from: who[from] })
const approve = (from: Task = 'approver', id = 1n) => ledger.write.approve([id], { from: who[from] })
const pay = (amount: bigint, from: Task = 'payer', id = 1n) => ledger.write.pay([id, amount], { from: who[from] })
const dispute = (from: Task = 'approver', reason = 'broken') => ledger.write.dispute([1n, reason], { from: who[from] })
const resolve = (amount: bigint, from: Task = 'issuer') => ledger.write.resolve([1n, amount], { from: who[from] })
const cancel = (from: Task = 'issuer') => ledger.write.cancel([1n], { from: who[from] })
const state = async () => (await ledger.read.invoice([1n])).state
const creditUsed = async () => (await ledger.read.credit([SUPPLIER, BUYER]))[1]
const dueIds = async (organisation: bigint) =>
  (await ledger.read.dueBefore([organisation, 2n ** 64n - 1n, 50n]))[0].map(({ id }) => id)

const pageOf = (limit: bigint) =>
  encodeFunctionData({ abi: ledgerAbi, functionName: 'dueBefore', args: [BUYER, 2n ** 64n - 1n, limit] })

describe('an invoice', () => {
  it('is issued, approved and paid in parts, each straight to the account of the supplier', async () => {
    const due = now + 30n * DAY
    expect(await issue(100n, due)).toEmit(ledger, 'Issued', { id: 1n, supplier: SUPPLIER, buyer: BUYER, amount: 100n, due })
    expect(await creditUsed()).toBe(100n)
    await expect(pay(1n)).toRevertWith('InvoiceState', [1n, INVOICE.ISSUED])
    expect(await approve()).toEmit(ledger, 'Approved', { id: 1n })
    expect(await pay(40n)).toEmit(ledger, 'Paid', { id: 1n, amount: 40n, open: 60n })
    expect(await state()).toBe(INVOICE.PART_PAID)
    await expect(pay(61n)).toRevertWith('Overpaid', [1n, 61n, 60n])
    expect(await pay(60n)).toEmit(ledger, 'Paid', { id: 1n, amount: 60n, open: 0n })
    expect(await state()).toBe(INVOICE.PAID)
    expect([await token.read.balanceOf([who.supplierAccount]), await creditUsed()]).toEqual([100n, 0n])
    await expect(pay(1n)).toRevertWith('InvoiceState', [1n, INVOICE.PAID])
    expect([await dueIds(SUPPLIER), await dueIds(BUYER)]).toEqual([[], []])
  })

  it('has an amount, a due date in the future, and two parties that exist', async () => {
    await expect(issue(0n)).toRevertWith('InvalidAmount', [0n])
    const due = chain.block.timestamp + 100n
    await chain.setNextBlockTimestamp(due)
    await expect(issue(1n, due)).toRevertWith('InvalidDue', [due])
    const from = { from: who.issuer }
    const other = (buyer: bigint) => ledger.write.issue([SUPPLIER, buyer, 1n, now + DAY, nameToBytes('')], from)
    await expect(other(SUPPLIER)).toRevertWith('InvalidParties', [SUPPLIER, SUPPLIER])
    await expect(other(9n)).toRevertWith('NoSuchOrganisation', [9n])
    await expect(approve()).toRevertWith('NoSuchInvoice', [1n])
  })

  it('lets only the right roles act', async () => {
    const tasks: readonly Task[] = [
      'issuer',
      'approver',
      'payer',
      'auditor',
      'dispatcher',
      'supplierAdmin',
      'buyerAdmin',
      'owner',
    ]
    const refused = async (
      action: (task: Task) => Promise<unknown>,
      allowed: readonly Task[],
      organisation: bigint,
      role: number,
    ) => {
      for (const task of tasks.filter((one) => !allowed.includes(one)))
        await expect(action(task), task).toRevertWith('MissingRole', [organisation, who[task], role])
    }
    await refused((task) => issue(1n, now + DAY, task), ['issuer'], SUPPLIER, ROLE.ISSUER)
    await issue()
    await refused(approve, ['approver'], BUYER, ROLE.APPROVER)
    await refused(cancel, ['issuer'], SUPPLIER, ROLE.ISSUER)
    await approve()
    await refused((task) => pay(1n, task), ['payer'], BUYER, ROLE.PAYER)
    await refused(dispute, ['approver', 'auditor'], BUYER, ROLE.APPROVER | ROLE.AUDITOR)
    await dispute('auditor')
    await refused((task) => resolve(1n, task), ['issuer'], SUPPLIER, ROLE.ISSUER)
  })

  it('cannot be paid in a dispute; the supplier lowers it to no less than is paid', async () => {
    await issue()
    await approve()
    await pay(40n)
    await expect(dispute('approver', 'x'.repeat(257))).toRevertWith('ReasonTooLong', [257n])
    expect(await dispute()).toEmit(ledger, 'Disputed', { id: 1n, reason: 'broken' })
    await expect(pay(1n)).toRevertWith('InvoiceState', [1n, INVOICE.DISPUTED])
    for (const amount of [39n, 101n]) await expect(resolve(amount)).toRevertWith('InvalidResolution', [1n, amount, 40n, 100n])
    const at = await chain.snapshot()
    await resolve(40n)
    expect([await state(), await creditUsed(), await dueIds(BUYER)]).toEqual([INVOICE.PAID, 0n, []])
    await chain.revert(at)
    await resolve(70n)
    expect([await state(), await creditUsed()]).toEqual([INVOICE.ISSUED, 30n])
    await expect(cancel()).toRevertWith('InvoiceState', [1n, INVOICE.ISSUED])
    await approve()
    expect(await state()).toBe(INVOICE.PART_PAID)
    await pay(30n)
    expect(await state()).toBe(INVOICE.PAID)
  })

  it('is cancelled by its supplier while nothing is paid, or by a resolution to zero', async () => {
    await issue()
    const at = await chain.snapshot()
    expect(await cancel()).toEmit(ledger, 'Cancelled', { id: 1n })
    expect([await state(), await creditUsed(), await dueIds(SUPPLIER)]).toEqual([INVOICE.CANCELLED, 0n, []])
    await chain.revert(at)
    await dispute()
    await resolve(0n)
    expect([await state(), await creditUsed()]).toEqual([INVOICE.CANCELLED, 0n])
    await expect(cancel()).toRevertWith('InvoiceState', [1n, INVOICE.CANCELLED])
  })
})

describe('invoices by due date', () => {
  const between = (organisation: bigint, from: bigint, fromId: bigint, to: bigint, limit: bigint) =>
    ledger.read.dueBetween([organisation, from, fromId, to, limit])

  it('come in pages of bounded gas, with equal dates in the order of their numbers', async () => {
    const dues = [5n, 3n, 3n, 9n, 3n, 7n].map((days) => now + days * DAY)
    for (const due of dues) await issue(1n, due)
    await ledger.write.setRoles([CARRIER, who.dispatcher, ROLE.ISSUER], { from: who.carrierAdmin })
    await ledger.write.issue([CARRIER, BUYER, 1n, now + 4n * DAY, nameToBytes('freight')], { from: who.dispatcher })
    const [all, ...end] = await between(BUYER, 0n, 0n, 2n ** 64n - 1n, 50n)
    expect(all.map(({ id }) => id)).toEqual([2n, 3n, 5n, 7n, 1n, 6n, 4n])
    expect(end).toEqual([0n, 0n])
    expect(await dueIds(SUPPLIER)).toEqual([2n, 3n, 5n, 1n, 6n, 4n])
    expect(await dueIds(CARRIER)).toEqual([7n])
    const [first, nextDue, nextId] = await between(BUYER, 0n, 0n, now + 7n * DAY, 2n)
    expect([first.map(({ id }) => id), nextDue, nextId]).toEqual([[2n, 3n], dues[4], 5n])
    const [second, ...next] = await between(BUYER, nextDue, nextId, now + 7n * DAY, 3n)
    // The end is exclusive, and the last page says that it is the last.
    expect([second.map(({ id }) => id), next]).toEqual([
      [5n, 7n, 1n],
      [0n, 0n],
    ])
  })

  it('allow at most 50 a page, which costs the same among hundreds', async () => {
    for (const limit of [0n, 51n]) await expect(between(BUYER, 0n, 0n, 1n, limit)).toRevertWith('PageTooLarge', [limit, 50n])
    const simulated = () => chain.estimateGas({ to: ledger.address, data: pageOf(50n), from: who.stranger })
    for (let i = 0; i < 51; i++) await issue(1n, now + DAY + BigInt((i * 37) % 100))
    const few = await simulated()
    for (let i = 0; i < 150; i++) await issue(1n, now + DAY + BigInt((i * 61) % 100))
    const many = await simulated()
    expect(Number(many)).toBeLessThan(Number(few) * 1.2)
    console.log(`a page of 50: ${few} gas of 51 invoices, ${many} of 201`)
  })
})
