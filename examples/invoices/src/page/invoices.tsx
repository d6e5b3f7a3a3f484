import { useContractState } from '@quoin/sdk/react'
import { useState } from 'react'
import { INVOICE } from '../../contracts/shared/states.ts'
import { bytesToName, ledgerAbi, nameToBytes } from '../ledger.ts'
import { useActing } from './acting.tsx'
import { explain } from './errors.ts'
import { centsOf, day, money, nameOf } from './format.ts'
import { Field, useSending } from './sending.tsx'

const PAGE = 10n
/** Beyond every due date. */
const END = 2n ** 63n
const STATES = Object.fromEntries(Object.entries(INVOICE).map(([name, state]) => [state, name.toLowerCase().replace('_', ' ')]))

/** The unpaid invoices of the acting organisation by due date, live. */
export function Invoices() {
  const { party, organisation } = useActing()
  return (
    <section className="card" aria-labelledby="invoices-title">
      <h2 id="invoices-title">Unpaid invoices by due date</h2>
      <table>
        <thead>
          <tr>
            <th>Due</th>
            <th>Invoice</th>
            <th className="amount">Open</th>
            <th>State</th>
          </tr>
        </thead>
        <Rows key={`${organisation}`} from={0n} fromId={0n} />
      </table>
      {party === 'supplier' && <Issue />}
    </section>
  )
}

/** A page of invoices, and the next one once it is asked for. Each page is one bounded call, and stays fresh by itself. */
function Rows({ from, fromId }: { readonly from: bigint; readonly fromId: bigint }) {
  const { ledger, organisation } = useActing()
  const [hasMore, showMore] = useState(false)
  const { data, error } = useContractState({
    ...{ abi: ledgerAbi, address: ledger.address, functionName: 'dueBetween' },
    args: [organisation, from, fromId, END, PAGE],
  })
  const [invoices, nextDue, nextId] = data ?? [[], 0n, 0n]
  return (
    <>
      <tbody>
        {error !== null && (
          <tr>
            <td colSpan={4} className="error" role="alert">
              {explain(error)}
            </td>
          </tr>
        )}
        {data !== undefined && invoices.length === 0 && fromId === 0n && (
          <tr>
            <td colSpan={4} className="hint">
              Nothing is unpaid.
            </td>
          </tr>
        )}
        {invoices.map((invoice) => (
          <Row key={`${invoice.id}`} invoice={invoice} />
        ))}
        {nextId > 0n && !hasMore && (
          <tr>
            <td colSpan={4}>
              <button type="button" className="quiet" onClick={() => showMore(true)}>
                More
              </button>
            </td>
          </tr>
        )}
      </tbody>
      {nextId > 0n && hasMore && <Rows key={`${nextDue} ${nextId}`} from={nextDue} fromId={nextId} />}
    </>
  )
}

interface Invoice {
  readonly id: bigint
  readonly supplier: bigint
  readonly buyer: bigint
  readonly amount: bigint
  readonly paid: bigint
  readonly due: bigint
  readonly state: number
  readonly ref: `0x${string}`
}

function Row({ invoice }: { readonly invoice: Invoice }) {
  const { organisation } = useActing()
  const { id, supplier, buyer, amount, paid, due, state, ref } = invoice
  const isBuyer = buyer === organisation
  const hasActions = isBuyer || state === INVOICE.DISPUTED
  return (
    <>
      <tr data-testid={`invoice-${id}`}>
        <td className="day">{day(due)}</td>
        <td className="name">
          {bytesToName(ref)} <small>{isBuyer ? `from ${nameOf(supplier)}` : `to ${nameOf(buyer)}`}</small>
        </td>
        <td className="amount">
          {money(amount - paid)}
          {paid > 0n && <small> of {money(amount)}</small>}
        </td>
        <td>
          <span className={`state state-${state}`}>{STATES[state]}</span>
        </td>
      </tr>
      {hasActions && (
        <tr className="actions">
          <td colSpan={4}>
            <Actions invoice={invoice} isBuyer={isBuyer} />
          </td>
        </tr>
      )}
    </>
  )
}

function Actions({ invoice, isBuyer }: { readonly invoice: Invoice; readonly isBuyer: boolean }) {
  const isDisputed = invoice.state === INVOICE.DISPUTED
  if (!isBuyer) return <Answer invoice={invoice} />
  if (isDisputed) return <p className="hint">{nameOf(invoice.supplier)} must answer the dispute.</p>
  return invoice.state === INVOICE.ISSUED ? <Approve invoice={invoice} /> : <Pay invoice={invoice} />
}

/** For the supplier: the end of a dispute. */
function Answer({ invoice: { id, amount, paid, ref } }: { readonly invoice: Invoice }) {
  const { writeContract, target, isReady, line } = useSending()
  const answer = (kept: bigint) => writeContract({ ...target, functionName: 'resolve', args: [id, kept] })
  return (
    <div className="buttons">
      <button type="button" disabled={!isReady} aria-label={`Keep ${bytesToName(ref)}`} onClick={() => answer(amount)}>
        Keep the amount
      </button>
      <button
        type="button"
        className="quiet"
        disabled={!isReady}
        aria-label={`Waive ${bytesToName(ref)}`}
        onClick={() => answer(paid)}
      >
        Waive {money(amount - paid)}
      </button>
      {line}
    </div>
  )
}

function Approve({ invoice: { id, ref } }: { readonly invoice: Invoice }) {
  const { writeContract, target, isReady, line } = useSending()
  return (
    <div className="buttons">
      <button
        type="button"
        disabled={!isReady}
        aria-label={`Approve ${bytesToName(ref)}`}
        onClick={() => writeContract({ ...target, functionName: 'approve', args: [id] })}
      >
        Approve
      </button>
      <button
        type="button"
        className="quiet"
        disabled={!isReady}
        aria-label={`Dispute ${bytesToName(ref)}`}
        onClick={() => writeContract({ ...target, functionName: 'dispute', args: [id, 'Not as agreed'] })}
      >
        Dispute
      </button>
      {line}
    </div>
  )
}

function Pay({ invoice: { id, amount, paid, ref } }: { readonly invoice: Invoice }) {
  const { writeContract, target, isReady, line } = useSending()
  // What was typed before a payment is not meant for the rest.
  const [typed, setTyped] = useState<{ readonly text: string; readonly paid: bigint }>()
  const text = typed?.paid === paid ? typed.text : money(amount - paid).replaceAll(' ', '')
  const cents = centsOf(text)
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        if (cents !== undefined) writeContract({ ...target, functionName: 'pay', args: [id, cents] })
      }}
    >
      <Field label={`Pay for ${bytesToName(ref)}`} value={text} onChange={(next) => setTyped({ text: next, paid })} />
      <button type="submit" disabled={!isReady || cents === undefined}>
        Pay
      </button>
      {line}
    </form>
  )
}

/** For the supplier: an invoice without an order. */
function Issue() {
  const { organisation } = useActing()
  const { writeContract, target, isReady, line } = useSending()
  const [name, setName] = useState('R-1')
  const [text, setText] = useState('250')
  const [days, setDays] = useState('30')
  const cents = centsOf(text)
  const issue = () => {
    if (cents === undefined) return
    const due = BigInt(Math.floor(Date.now() / 1_000) + Number(days) * 86_400)
    writeContract({ ...target, functionName: 'issue', args: [organisation, 2n, cents, due, nameToBytes(name)] })
  }
  return (
    <form
      className="new"
      onSubmit={(event) => {
        event.preventDefault()
        issue()
      }}
    >
      <Field label="Invoice" value={name} onChange={setName} />
      <Field label="Amount" value={text} onChange={setText} />
      <Field label="Days until due" value={days} onChange={setDays} inputMode="numeric" />
      <button type="submit" disabled={!isReady || cents === undefined || !/^\d{1,4}$/.test(days) || name === ''}>
        Issue to {nameOf(2n)}
      </button>
      {line}
    </form>
  )
}
