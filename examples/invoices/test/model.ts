import { INVOICE, ORDER } from '../contracts/shared/states.ts'
import { DAY, FUNDS, type Task } from './stage.ts'

/** The ledger once more, without the kit, its storage or its index: what a test compares the contract with. All parties and roles are those of the stage. */

export interface ModelInvoice {
  readonly due: bigint
  readonly ref: string
  amount: bigint
  paid: bigint
  state: number
}

export interface ModelOrder {
  readonly price: bigint
  readonly deposit: bigint
  state: number
  deadline: bigint
  invoice: bigint
}

export type Action = { readonly by: Task } & (
  | { readonly kind: 'issue'; readonly amount: bigint; readonly inSeconds: bigint }
  | { readonly kind: 'approve' | 'cancel' | 'dispute'; readonly id: number }
  | { readonly kind: 'pay' | 'resolve'; readonly id: number; readonly amount: bigint }
  | { readonly kind: 'place'; readonly name: number; readonly price: bigint; readonly deposit: bigint }
  | { readonly kind: 'accept' | 'ship' | 'confirm' | 'compensate'; readonly name: number }
)

export const STEP_SECONDS = 3_600n
export const PAYMENT_DAYS = 30n

const OF_ORDER = ['accept', 'ship', 'confirm'] as const

/** Which account of the stage has which role. */
const MAY: Readonly<Record<Action['kind'], readonly Task[] | 'anyone'>> = {
  ...{ issue: ['issuer'], cancel: ['issuer'], resolve: ['issuer'], accept: ['issuer'] },
  ...{ approve: ['approver'], dispute: ['approver', 'auditor'], confirm: ['approver'] },
  ...{ pay: ['payer'], place: ['payer'], ship: ['dispatcher'], compensate: 'anyone' },
}

export class Model {
  readonly invoices: ModelInvoice[] = []
  readonly orders = new Map<number, ModelOrder>()
  readonly balances = { payer: FUNDS, supplierAccount: 0n, buyerAccount: 0n, ledger: 0n }
  readonly creditLimit: bigint

  constructor(creditLimit: bigint) {
    this.creditLimit = creditLimit
  }

  /** Makes an action at a block's time. Returns the name of the error with which the contract must refuse it. */
  act(action: Action, now: bigint): string | undefined {
    const { kind, by } = action
    switch (kind) {
      case 'issue':
        if (by !== 'issuer') return 'MissingRole'
        if (action.amount === 0n) return 'InvalidAmount'
        if (action.inSeconds <= 0n) return 'InvalidDue'
        this.#add(action.amount, now + action.inSeconds, 'issued', INVOICE.ISSUED)
        return undefined
      case 'place':
        return this.#place(action, now)
      case 'accept':
      case 'ship':
      case 'confirm':
      case 'compensate':
        return this.#step(kind, action, now)
      default:
        return this.#change(action)
    }
  }

  /** The unpaid of all invoices, and what accepted and shipped orders have reserved. */
  get creditUsed(): bigint {
    const unpaid = this.invoices.map(({ state, amount, paid }) => (state === INVOICE.CANCELLED ? 0n : amount - paid))
    const reserved = [...this.orders.values()].map(({ state, price, deposit }) =>
      state === ORDER.ACCEPTED || state === ORDER.SHIPPED ? price - deposit : 0n,
    )
    return [...unpaid, ...reserved].reduce((a, b) => a + b, 0n)
  }

  /** Deposits of orders that have not ended. */
  get held(): bigint {
    return [...this.orders.values()].reduce((sum, { state, deposit }) => (state < ORDER.SETTLED ? sum + deposit : sum), 0n)
  }

  /** Numbers of the unpaid invoices with a due date in a range, sorted. */
  due(from: bigint, before: bigint): readonly bigint[] {
    return this.invoices
      .map(({ due, state }, i) => ({ id: BigInt(i + 1), due, state }))
      .filter(({ due, state }) => due >= from && due < before && state !== INVOICE.PAID && state !== INVOICE.CANCELLED)
      .sort((a, b) => Number(a.due - b.due) || Number(a.id - b.id))
      .map(({ id }) => id)
  }

  #add(amount: bigint, due: bigint, ref: string, state: number): bigint {
    this.invoices.push({ due, ref, amount, paid: 0n, state })
    return BigInt(this.invoices.length)
  }

  #change(action: Extract<Action, { readonly id: number }>): string | undefined {
    const { kind, id, by } = action
    const invoice = this.invoices[id - 1]
    if (invoice === undefined) return 'NoSuchInvoice'
    if (!MAY[kind].includes(by)) return 'MissingRole'
    const { state, amount, paid } = invoice
    const isOpen = state === INVOICE.ISSUED || state === INVOICE.APPROVED || state === INVOICE.PART_PAID
    switch (kind) {
      case 'approve':
        if (state !== INVOICE.ISSUED) return 'InvoiceState'
        invoice.state = paid > 0n ? INVOICE.PART_PAID : INVOICE.APPROVED
        return undefined
      case 'cancel':
        if ((state !== INVOICE.ISSUED && state !== INVOICE.APPROVED) || paid > 0n) return 'InvoiceState'
        invoice.state = INVOICE.CANCELLED
        return undefined
      case 'dispute':
        if (!isOpen) return 'InvoiceState'
        invoice.state = INVOICE.DISPUTED
        return undefined
      case 'resolve':
        if (state !== INVOICE.DISPUTED) return 'InvoiceState'
        if (action.amount < paid || action.amount > amount) return 'InvalidResolution'
        invoice.amount = action.amount
        invoice.state = action.amount > paid ? INVOICE.ISSUED : paid > 0n ? INVOICE.PAID : INVOICE.CANCELLED
        return undefined
      case 'pay':
        if (state !== INVOICE.APPROVED && state !== INVOICE.PART_PAID) return 'InvoiceState'
        if (action.amount === 0n) return 'InvalidAmount'
        if (action.amount > amount - paid) return 'Overpaid'
        if (!this.#move('payer', 'supplierAccount', action.amount)) return 'ERC20InsufficientBalance'
        invoice.paid += action.amount
        invoice.state = invoice.paid === amount ? INVOICE.PAID : INVOICE.PART_PAID
        return undefined
    }
  }

  #place({ by, name, price, deposit }: Extract<Action, { readonly kind: 'place' }>, now: bigint): string | undefined {
    if (by !== 'payer') return 'MissingRole'
    const known = this.orders.get(name)
    if (known !== undefined) return known.price === price && known.deposit === deposit ? undefined : 'OtherTerms'
    if (price === 0n || deposit > price) return 'InvalidTerms'
    if (!this.#move('payer', 'ledger', deposit)) return 'ERC20InsufficientBalance'
    this.orders.set(name, { price, deposit, state: ORDER.PLACED, deadline: now + STEP_SECONDS, invoice: 0n })
    return undefined
  }

  #step(
    kind: (typeof OF_ORDER)[number] | 'compensate',
    { by, name }: { by: Task; name: number },
    now: bigint,
  ): string | undefined {
    const order = this.orders.get(name)
    if (order === undefined) return 'NoSuchOrder'
    const may = MAY[kind]
    if (may !== 'anyone' && !may.includes(by)) return 'MissingRole'
    const { state, price, deposit, deadline } = order
    if (kind === 'compensate') {
      if (state === ORDER.COMPENSATED) return undefined
      if (state === ORDER.SETTLED) return 'OrderState'
      if (now < deadline) return 'TooEarly'
      this.#move('ledger', 'buyerAccount', deposit)
      Object.assign(order, { state: ORDER.COMPENSATED, deadline: 0n })
      return undefined
    }
    const before = OF_ORDER.indexOf(kind) + 1
    if (state === ORDER.COMPENSATED || state < before) return 'OrderState'
    if (state > before) return undefined
    if (now >= deadline) return 'TooLate'
    const rest = price - deposit
    if (kind === 'accept' && rest > 0n && this.creditUsed + rest > this.creditLimit) return 'CreditExceeded'
    if (kind === 'confirm') {
      this.#move('ledger', 'supplierAccount', deposit)
      order.invoice = rest > 0n ? this.#add(rest, now + PAYMENT_DAYS * DAY, `order-${name}`, INVOICE.APPROVED) : 0n
    }
    order.state += 1
    order.deadline = kind === 'confirm' ? 0n : now + STEP_SECONDS
    return undefined
  }

  #move(from: keyof Model['balances'], to: keyof Model['balances'], amount: bigint): boolean {
    if (this.balances[from] < amount) return false
    this.balances[from] -= amount
    this.balances[to] += amount
    return true
  }
}

export const TASKS_OF_MODEL = ['issuer', 'approver', 'payer', 'auditor', 'dispatcher', 'stranger'] as const
