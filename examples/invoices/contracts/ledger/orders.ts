import { type ContextOf, mapping, part } from '@quoin/contracts'
import { ORDERS_EVENTS, ORDERS_FUNCTIONS } from '../shared/abi.ts'
import { ROLE } from '../shared/roles.ts'
import { INVOICE, ORDER } from '../shared/states.ts'
import { addInvoice, invoices, releaseCredit, useCredit } from './invoices.ts'
import { onlyMember, organisationOf } from './organisations.ts'
import { collect, payOut } from './token.ts'

const STEP_SECONDS_MAX = 366n * 86_400n
const PAYMENT_DAYS_MAX = 3_650n
const DAY_SECONDS = 86_400n
const [PLACED, ACCEPTED, SHIPPED] = [BigInt(ORDER.PLACED), BigInt(ORDER.ACCEPTED), BigInt(ORDER.SHIPPED)]
const [SETTLED, COMPENSATED] = [BigInt(ORDER.SETTLED), BigInt(ORDER.COMPENSATED)]

const desk = part({
  uses: [invoices],
  abi: ORDERS_EVENTS,
  state: {
    terms: mapping('bytes32', {
      ...{ buyer: 'uint64', supplier: 'uint64', carrier: 'uint64', price: 'uint256', deposit: 'uint256' },
      ...{ acceptSeconds: 'uint32', shipSeconds: 'uint32', confirmSeconds: 'uint32', paymentDays: 'uint32' },
    } as const),
    /** Apart from the terms, because it changes with each step. */
    progress: mapping('bytes32', { state: 'uint8', deadline: 'uint64', invoice: 'uint64' }),
  },
})

type ReadContext = ContextOf<typeof desk, 'view'>
type Terms = ReturnType<typeof termsOf>

function termsOf({ state, revert }: ReadContext, id: Uint8Array) {
  const found = state.terms.get(id)
  if (found === undefined) throw revert.NoSuchOrder(id)
  return found
}

function progressOf({ state, revert }: ReadContext, id: Uint8Array) {
  const found = state.progress.get(id)
  if (found === undefined) throw revert.NoSuchOrder(id)
  return found
}

/** Whether the order waits for the step after `before`; false if the step was made already. Throws if it can no longer be made, or not yet. */
function isNext(context: ReadContext, id: Uint8Array, before: bigint): boolean {
  const { state, deadline } = progressOf(context, id)
  if (state === COMPENSATED || state < before) throw context.revert.OrderState(id, state)
  if (state > before) return false
  if (context.block.timestamp >= deadline) throw context.revert.TooLate(id, deadline)
  return true
}

function check(context: ReadContext, terms: Terms): void {
  const { revert } = context
  const { buyer, supplier, carrier, price, deposit, paymentDays } = terms
  for (const organisation of [buyer, supplier, carrier]) organisationOf(context, organisation)
  if (buyer === supplier) throw revert.InvalidTerms('supplier')
  if (price === 0n) throw revert.InvalidTerms('price')
  if (deposit > price) throw revert.InvalidTerms('deposit')
  for (const step of ['acceptSeconds', 'shipSeconds', 'confirmSeconds'] as const)
    if (terms[step] === 0n || terms[step] > STEP_SECONDS_MAX) throw revert.InvalidTerms(step)
  if (paymentDays === 0n || paymentDays > PAYMENT_DAYS_MAX) throw revert.InvalidTerms('paymentDays')
}

const areEqual = (a: Terms, b: Terms): boolean => (Object.keys(a) as (keyof Terms)[]).every((member) => a[member] === b[member])

/**
 * Orders over several transactions: placed, accepted, shipped, confirmed. Each step has a deadline. Before it only the next party can act, from it on
 * only `compensate` works, for anyone. A step that was made already is no error and changes nothing, so that every step can be repeated.
 */
export const orders = part({
  uses: [desk],
  abi: ORDERS_FUNCTIONS,
  functions: {
    /** The caller pays the deposit, which the ledger holds until the order ends. */
    place(context, id, terms) {
      const { state, block, self, emit, revert } = context
      onlyMember(context, terms.buyer, BigInt(ROLE.PAYER))
      const known = state.terms.get(id)
      if (known !== undefined) {
        if (!areEqual(known, terms)) throw revert.OtherTerms(id)
        return
      }
      check(context, terms)
      const { buyer, supplier, carrier, price, deposit, acceptSeconds } = terms
      const deadline = block.timestamp + acceptSeconds
      state.terms.set(id, terms)
      state.progress.set(id, { state: PLACED, deadline, invoice: 0n })
      emit.Placed(id, buyer, supplier, carrier, price, deposit, deadline)
      if (deposit > 0n) collect(context, self, deposit)
    },
    /** Reserves what the deposit does not cover in the supplier's credit for the buyer. */
    accept(context, id) {
      const { state, block, emit, revert } = context
      const { supplier, buyer, price, deposit, shipSeconds } = termsOf(context, id)
      onlyMember(context, supplier, BigInt(ROLE.ISSUER))
      if (!isNext(context, id, PLACED)) return
      const used = useCredit(context, supplier, buyer, price - deposit)
      const limit = state.creditLimits.at(supplier).get(buyer)
      if (price > deposit && used > limit) throw revert.CreditExceeded(supplier, buyer, used, limit)
      const deadline = block.timestamp + shipSeconds
      state.progress.set(id, { state: ACCEPTED, deadline, invoice: 0n })
      emit.Accepted(id, deadline)
    },
    ship(context, id) {
      const { state, block, emit } = context
      const { carrier, confirmSeconds } = termsOf(context, id)
      onlyMember(context, carrier, BigInt(ROLE.DISPATCHER))
      if (!isNext(context, id, ACCEPTED)) return
      const deadline = block.timestamp + confirmSeconds
      state.progress.set(id, { state: SHIPPED, deadline, invoice: 0n })
      emit.Shipped(id, deadline)
    },
    /** The carrier hands the goods over against this. The deposit goes to the supplier, and the reserved rest becomes an approved invoice. */
    confirm(context, id) {
      const { state, block, emit } = context
      const { supplier, buyer, price, deposit, paymentDays } = termsOf(context, id)
      onlyMember(context, buyer, BigInt(ROLE.APPROVER))
      if (!isNext(context, id, SHIPPED)) return
      const due = block.timestamp + paymentDays * DAY_SECONDS
      const rest = { supplier, buyer, amount: price - deposit, due, ref: id, state: BigInt(INVOICE.APPROVED) }
      const invoice = rest.amount > 0n ? addInvoice(context, rest) : 0n
      state.progress.set(id, { state: SETTLED, deadline: 0n, invoice })
      emit.Settled(id, invoice)
      if (deposit > 0n) payOut(context, organisationOf(context, supplier).account, deposit)
    },
    /** From the deadline of a step on, anyone may end the order: the deposit goes back to the buyer, and the reserved credit is released. */
    compensate(context, id) {
      const { state, block, emit, revert } = context
      const { supplier, buyer, price, deposit } = termsOf(context, id)
      const { state: step, deadline } = progressOf(context, id)
      if (step === COMPENSATED) return
      if (step === SETTLED) throw revert.OrderState(id, step)
      if (block.timestamp < deadline) throw revert.TooEarly(id, deadline)
      if (step !== PLACED) releaseCredit(context, supplier, buyer, price - deposit)
      state.progress.set(id, { state: COMPENSATED, deadline: 0n, invoice: 0n })
      emit.Compensated(id, step, deposit)
      if (deposit > 0n) payOut(context, organisationOf(context, buyer).account, deposit)
    },
    order: (context, id) => ({ terms: termsOf(context, id), ...progressOf(context, id) }),
  },
})
