import { type ContextOf, encodeUtf8, mapping, part, table, value } from '@quoin/contracts'
import { INVOICES_EVENTS, INVOICES_FUNCTIONS } from '../shared/abi.ts'
import { ROLE } from '../shared/roles.ts'
import { INVOICE } from '../shared/states.ts'
import { onlyMember, organisationOf, organisations } from './organisations.ts'
import { collect, paymentToken } from './token.ts'

const PAGE_MAX = 50n
const REASON_BYTES_MAX = 256
const [ISSUED, APPROVED, PART_PAID] = [BigInt(INVOICE.ISSUED), BigInt(INVOICE.APPROVED), BigInt(INVOICE.PART_PAID)]
const [PAID, DISPUTED, CANCELLED] = [BigInt(INVOICE.PAID), BigInt(INVOICE.DISPUTED), BigInt(INVOICE.CANCELLED)]
const [ADMIN, ISSUER, APPROVER] = [BigInt(ROLE.ADMIN), BigInt(ROLE.ISSUER), BigInt(ROLE.APPROVER)]
const [PAYER, AUDITOR] = [BigInt(ROLE.PAYER), BigInt(ROLE.AUDITOR)]

const book = part({
  uses: [organisations, paymentToken],
  abi: INVOICES_EVENTS,
  state: {
    invoiceCount: value('uint64'),
    invoices: mapping('uint64', {
      ...{ supplier: 'uint64', buyer: 'uint64', amount: 'uint256', paid: 'uint256' },
      ...{ due: 'uint64', state: 'uint8', ref: 'bytes32' },
    } as const),
    /** Unpaid invoices of each organisation, as supplier or buyer, by due date. */
    unpaid: table({ key: { organisation: 'uint64', due: 'uint64', id: 'uint64' }, row: { isBuyer: 'bool' } }),
    creditLimits: mapping('uint64', mapping('uint64', 'uint256')),
    /** By supplier and buyer: what is unpaid of invoices, and what accepted orders have reserved. */
    creditUsed: mapping('uint64', mapping('uint64', 'uint256')),
  },
})

type Context = ContextOf<typeof book>
type ReadContext = ContextOf<typeof book, 'view'>
type Invoice = ReturnType<typeof invoiceOf>

function invoiceOf({ state, revert }: ReadContext, id: bigint) {
  const found = state.invoices.get(id)
  if (found === undefined) throw revert.NoSuchInvoice(id)
  return { id, ...found }
}

function onlyIn({ revert }: ReadContext, { id, state }: Invoice, ...allowed: readonly bigint[]): void {
  if (!allowed.includes(state)) throw revert.InvoiceState(id, state)
}

/** Adds an invoice. Its credit must have been counted before. Returns its number. */
export function addInvoice(context: Context, invoice: Omit<Invoice, 'id' | 'paid'>): bigint {
  const { state, emit } = context
  const { supplier, buyer, amount, due, ref } = invoice
  const id = state.invoiceCount.update((count) => count + 1n)
  state.invoices.set(id, { ...invoice, paid: 0n })
  state.unpaid.put({ organisation: supplier, due, id }, { isBuyer: false })
  state.unpaid.put({ organisation: buyer, due, id }, { isBuyer: true })
  emit.Issued(id, supplier, buyer, amount, due, ref)
  return id
}

/** Writes an invoice. One that has ended leaves the index. */
function save({ state }: Context, { id, ...invoice }: Invoice): void {
  state.invoices.set(id, invoice)
  if (invoice.state !== PAID && invoice.state !== CANCELLED) return
  for (const organisation of [invoice.supplier, invoice.buyer]) state.unpaid.remove({ organisation, due: invoice.due, id })
}

export function useCredit({ state }: Context, supplier: bigint, buyer: bigint, amount: bigint): bigint {
  return state.creditUsed.at(supplier).update(buyer, (used) => used + amount)
}

export function releaseCredit({ state }: Context, supplier: bigint, buyer: bigint, amount: bigint): void {
  state.creditUsed.at(supplier).update(buyer, (used) => used - amount)
}

/**
 * Unpaid invoices of an organisation with due dates from `from` up to but not including `before`, at most `limit`. `nextDue` and `nextId` are where the
 * next page begins, or zero after the last one. So the gas of a call has a bound, however many invoices there are.
 */
function page(context: ReadContext, organisation: bigint, from: bigint, fromId: bigint, before: bigint, limit: bigint) {
  const { state, revert } = context
  if (limit === 0n || limit > PAGE_MAX) throw revert.PageTooLarge(limit, PAGE_MAX)
  const found: Invoice[] = []
  const range = { from: { organisation, due: from, id: fromId }, to: { organisation, due: before }, limit: limit + 1n }
  for (const { due, id } of state.unpaid.keys(range)) {
    if (BigInt(found.length) === limit) return [found, due, id] as const
    found.push(invoiceOf(context, id))
  }
  return [found, 0n, 0n] as const
}

/** Invoices between organisations, and payments of them. */
export const invoices = part({
  uses: [book],
  abi: INVOICES_FUNCTIONS,
  functions: {
    issue(context, supplier, buyer, amount, due, ref) {
      onlyMember(context, supplier, ISSUER)
      if (supplier === buyer) throw context.revert.InvalidParties(supplier, buyer)
      organisationOf(context, buyer)
      if (amount === 0n) throw context.revert.InvalidAmount(amount)
      if (due <= context.block.timestamp) throw context.revert.InvalidDue(due)
      useCredit(context, supplier, buyer, amount)
      return addInvoice(context, { supplier, buyer, amount, due, ref, state: ISSUED })
    },
    approve(context, id) {
      const invoice = invoiceOf(context, id)
      onlyMember(context, invoice.buyer, APPROVER)
      onlyIn(context, invoice, ISSUED)
      save(context, { ...invoice, state: invoice.paid > 0n ? PART_PAID : APPROVED })
      context.emit.Approved(id)
    },
    pay(context, id, amount) {
      const { state, emit, revert } = context
      const invoice = invoiceOf(context, id)
      onlyMember(context, invoice.buyer, PAYER)
      onlyIn(context, invoice, APPROVED, PART_PAID)
      const open = invoice.amount - invoice.paid
      if (amount === 0n) throw revert.InvalidAmount(amount)
      if (amount > open) throw revert.Overpaid(id, amount, open)
      save(context, { ...invoice, paid: invoice.paid + amount, state: amount === open ? PAID : PART_PAID })
      releaseCredit(context, invoice.supplier, invoice.buyer, amount)
      emit.Paid(id, amount, open - amount)
      collect(context, state.organisations.get(invoice.supplier)!.account, amount)
    },
    dispute(context, id, reason) {
      const invoice = invoiceOf(context, id)
      onlyMember(context, invoice.buyer, APPROVER | AUDITOR)
      onlyIn(context, invoice, ISSUED, APPROVED, PART_PAID)
      const bytes = encodeUtf8(reason).length
      if (bytes > REASON_BYTES_MAX) throw context.revert.ReasonTooLong(BigInt(bytes))
      save(context, { ...invoice, state: DISPUTED })
      context.emit.Disputed(id, reason)
    },
    /** Ends a dispute: the supplier keeps the amount or lowers it, to no less than is paid. What is unpaid needs the buyer's approval again. */
    resolve(context, id, amount) {
      const invoice = invoiceOf(context, id)
      onlyMember(context, invoice.supplier, ISSUER)
      onlyIn(context, invoice, DISPUTED)
      const { paid, amount: before } = invoice
      if (amount < paid || amount > before) throw context.revert.InvalidResolution(id, amount, paid, before)
      releaseCredit(context, invoice.supplier, invoice.buyer, before - amount)
      const state = amount > paid ? ISSUED : amount === 0n ? CANCELLED : PAID
      save(context, { ...invoice, amount, state })
      context.emit.Resolved(id, amount)
    },
    cancel(context, id) {
      const invoice = invoiceOf(context, id)
      onlyMember(context, invoice.supplier, ISSUER)
      onlyIn(context, invoice, ISSUED, APPROVED)
      // After a dispute, one that is paid in part waits for approval.
      if (invoice.paid > 0n) throw context.revert.InvoiceState(id, invoice.state)
      releaseCredit(context, invoice.supplier, invoice.buyer, invoice.amount)
      save(context, { ...invoice, state: CANCELLED })
      context.emit.Cancelled(id)
    },
    setCreditLimit(context, supplier, buyer, limit) {
      onlyMember(context, supplier, ADMIN)
      organisationOf(context, buyer)
      context.state.creditLimits.at(supplier).set(buyer, limit)
      context.emit.CreditLimitSet(supplier, buyer, limit)
    },
    invoice: (context, id) => invoiceOf(context, id),
    dueBefore: (context, organisation, before, limit) => page(context, organisation, 0n, 0n, before, limit),
    dueBetween: page,
    credit: ({ state }, supplier, buyer) => [
      state.creditLimits.at(supplier).get(buyer),
      state.creditUsed.at(supplier).get(buyer),
    ],
  },
})
