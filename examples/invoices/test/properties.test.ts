import { ContractRevert } from '@quoin/contracts/testing'
import fc from 'fast-check'
import { beforeAll, expect, it } from 'vitest'
import { ORDER } from '../contracts/shared/states.ts'
import { bytesToName, nameToBytes } from '../src/ledger.ts'
import { type Action, Model, PAYMENT_DAYS, STEP_SECONDS, TASKS_OF_MODEL } from './model.ts'
import { BUYER, DAY, FUNDS, SUPPLIER, stage, type Task, TERMS } from './stage.ts'

const CREDIT = 200n
const RUNS = process.env['QUOIN_TEST_LONG'] === undefined ? 50 : 2_000

const { chain, who, ledger, token } = await stage()
beforeAll(() => ledger.write.setCreditLimit([SUPPLIER, BUYER, CREDIT], { from: who.supplierAdmin }))

/** Makes an action on the chain. Returns the name of the error. */
async function act(action: Action): Promise<string | undefined> {
  const from = { from: who[action.by] }
  const make = (): Promise<unknown> => {
    switch (action.kind) {
      case 'issue': {
        const due = chain.block.timestamp + action.inSeconds
        return ledger.write.issue([SUPPLIER, BUYER, action.amount, due, nameToBytes('issued')], from)
      }
      case 'pay':
      case 'resolve':
        return ledger.write[action.kind]([BigInt(action.id), action.amount], from)
      case 'dispute':
        return ledger.write.dispute([BigInt(action.id), 'why'], from)
      case 'approve':
      case 'cancel':
        return ledger.write[action.kind]([BigInt(action.id)], from)
      case 'place': {
        const { price, deposit } = action
        const terms = { ...TERMS, price, deposit, paymentDays: Number(PAYMENT_DAYS) }
        return ledger.write.place([nameToBytes(`order-${action.name}`), terms], from)
      }
      default:
        return ledger.write[action.kind]([nameToBytes(`order-${action.name}`)], from)
    }
  }
  try {
    await make()
    return undefined
  } catch (error) {
    if (error instanceof ContractRevert) return error.errorName
    throw error
  }
}

/** What the chain shows, in the form of the model. */
async function expectSame(model: Model): Promise<void> {
  for (const [i, invoice] of model.invoices.entries()) {
    const { amount, paid, state, due, ref } = await ledger.read.invoice([BigInt(i + 1)])
    expect({ amount, paid, state, due, ref: bytesToName(ref) }, `invoice ${i + 1}`).toEqual(invoice)
  }
  for (const [name, { state, deadline, invoice }] of model.orders) {
    const found = await ledger.read.order([nameToBytes(`order-${name}`)])
    expect(found, `order ${name}`).toMatchObject({ state, deadline, invoice })
  }
  const { payer, supplierAccount, buyerAccount, ledger: own } = model.balances
  const shown = [who.payer, who.supplierAccount, who.buyerAccount, ledger.address].map((account) =>
    token.read.balanceOf([account]),
  )
  expect(await Promise.all(shown)).toEqual([payer, supplierAccount, buyerAccount, own])
  expect(payer + supplierAccount + buyerAccount + own).toBe(FUNDS)
  expect(own).toBe(model.held)
  expect((await ledger.read.credit([SUPPLIER, BUYER]))[1]).toBe(model.creditUsed)
}

/** All unpaid invoices in a range, read page by page. */
async function pages(organisation: bigint, from: bigint, before: bigint, limit: bigint): Promise<readonly bigint[]> {
  const found: bigint[] = []
  for (let [due, id] = [from, 0n]; ; ) {
    const [invoices, nextDue, nextId] = await ledger.read.dueBetween([organisation, due, id, before, limit])
    found.push(...invoices.map((invoice) => invoice.id))
    if (nextId === 0n) return found
    expect(BigInt(invoices.length)).toBe(limit)
    ;[due, id] = [nextDue, nextId]
  }
}

/** Picks one of what there is, and now and then one that is not there. */
const pick = fc.nat({ max: 11 })
const amount = fc.oneof(fc.bigInt({ min: 0n, max: 120n }), fc.bigInt({ min: 1n, max: 20n }))
/** Mostly the one who may. */
const by = (usual: Task) =>
  fc.oneof({ weight: 9, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(...TASKS_OF_MODEL) })
const action = <K extends Action['kind'], T extends object>(kind: K, usual: Task, rest: { [M in keyof T]: fc.Arbitrary<T[M]> }) =>
  fc.record({ kind: fc.constant(kind), by: by(usual), ...rest }) as unknown as fc.Arbitrary<Action>
const price = fc.oneof({ weight: 6, arbitrary: fc.bigInt({ min: 1n, max: 300n }) }, { weight: 1, arbitrary: fc.constant(0n) })
const shares = fc.constantFrom(0n, 30n, 30n, 100n, 101n)

const steps = fc.array(
  fc.oneof(
    {
      weight: 2,
      arbitrary: action('issue', 'issuer', { amount, inSeconds: fc.bigInt({ min: 0n, max: 5n }).map((days) => days * DAY) }),
    },
    { weight: 3, arbitrary: action('approve', 'approver', { id: pick }) },
    { weight: 1, arbitrary: action('cancel', 'issuer', { id: pick }) },
    { weight: 1, arbitrary: action('dispute', 'auditor', { id: pick }) },
    { weight: 2, arbitrary: action('resolve', 'issuer', { id: pick, amount }) },
    { weight: 5, arbitrary: action('pay', 'payer', { id: pick, amount }) },
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constant('place' as const), by: by('payer'), name: pick, price, share: shares }),
    },
    { weight: 4, arbitrary: action('accept', 'issuer', { name: pick }) },
    { weight: 4, arbitrary: action('ship', 'dispatcher', { name: pick }) },
    { weight: 4, arbitrary: action('confirm', 'approver', { name: pick }) },
    { weight: 2, arbitrary: action('compensate', 'stranger', { name: pick }) },
    { weight: 2, arbitrary: fc.record({ wait: fc.constantFrom(1, 600, 1_800, 3_597, 3_598, 3_599) }) },
  ),
  { minLength: 1, maxLength: 60, size: 'max' },
)
type Step = typeof steps extends fc.Arbitrary<(infer S)[]> ? S : never

/** A step with the numbers that it picked: those of things that exist at that moment, or one more. */
function resolved(model: Model, one: Exclude<Step, { readonly wait: number }>): Action {
  if ('share' in one) return { ...one, name: one.name % 4, deposit: (one.price * one.share) / 100n }
  if ('id' in one) return { ...one, id: 1 + (one.id % Math.max(1, model.invoices.length + (one.id === 11 ? 1 : 0))) }
  if (!('name' in one)) return one
  const waiting = [...model.orders].filter(([, { state }]) => state < ORDER.SETTLED).map(([name]) => name)
  return { ...one, name: one.name < 9 && waiting.length > 0 ? waiting[one.name % waiting.length]! : one.name % 4 }
}

const print = (value: object): string =>
  JSON.stringify(value, (_, member: unknown) => (typeof member === 'bigint' ? `${member}` : member))

it('any sequence of actions has the effect that a model predicts, and no token is lost or stuck', {
  timeout: 60_000 + RUNS * 1_000,
}, async () => {
  let base = await chain.snapshot()
  const reached = new Map<string, number>()
  const check = async (list: readonly Step[], limit: bigint) => {
    await chain.revert(base)
    base = await chain.snapshot()
    const model = new Model(CREDIT)
    for (const one of list) {
      if ('wait' in one) {
        await chain.increaseTime(one.wait)
        continue
      }
      const made = resolved(model, one)
      // The model is asked about the very time at which the chain makes its block.
      const now = chain.block.timestamp + 1n
      await chain.setNextBlockTimestamp(now)
      const expected = model.act(made.kind === 'issue' ? { ...made, inSeconds: made.inSeconds - 1n } : made, now)
      expect(await act(made), print(made)).toBe(expected)
      const outcome = `${made.kind} ${expected ?? 'done'}`
      reached.set(outcome, (reached.get(outcome) ?? 0) + 1)
    }
    await expectSame(model)
    const now = chain.block.timestamp
    for (const [from, days] of [
      [0n, 30_000n],
      [now, 3n],
      [now + DAY, 0n],
    ] as const)
      for (const organisation of [SUPPLIER, BUYER])
        expect(await pages(organisation, from, from + days * DAY, limit)).toEqual(model.due(from, from + days * DAY))
    await endAll(model)
  }
  await fc.assert(fc.asyncProperty(steps, fc.bigInt({ min: 1n, max: 4n }), check), { numRuns: RUNS })
  console.log(
    [...reached]
      .map(([outcome, count]) => `${outcome} ${count}`)
      .sort()
      .join(', '),
  )
})

/** Once all deadlines have passed, a stranger can end every order, and the ledger holds nothing. */
async function endAll(model: Model): Promise<void> {
  await chain.increaseTime(Number(STEP_SECONDS))
  const now = chain.block.timestamp + 1n
  for (const [name, { state }] of model.orders) {
    if (state === ORDER.SETTLED) continue
    const compensate = { kind: 'compensate', by: 'stranger', name } as const
    expect(await act(compensate)).toBeUndefined()
    expect(model.act(compensate, now)).toBeUndefined()
  }
  await expectSame(model)
  for (const { state } of model.orders.values()) expect([ORDER.SETTLED, ORDER.COMPENSATED]).toContain(state)
  expect(model.balances.ledger).toBe(0n)
}
