import { streamContractEvents } from '@quoin/sdk'
import { useStream } from '@quoin/sdk/react'
import { useState } from 'react'
import { nextStep, orderEventsAbi } from '../driver/order.ts'
import { bytesToName, nameToBytes } from '../ledger.ts'
import { useActing } from './acting.tsx'
import { explain } from './errors.ts'
import { centsOf, duration, money, nameOf } from './format.ts'
import { Field, useSending } from './sending.tsx'
import { stepsAhead, type Timeline, timelinesOf } from './timeline.ts'

/** Events on the page: those of about 100 orders. */
const EVENTS_MAX = 500

/** What happens to orders, live. */
export function Orders() {
  const { party, ledger } = useActing()
  const { items, head, error, status } = useStream({
    key: ['orders', ledger.address],
    open: (client, signal) =>
      streamContractEvents(client, { abi: orderEventsAbi, address: ledger.address, from: { block: ledger.block }, signal }),
    limit: EVENTS_MAX,
  })
  const orders = timelinesOf(items)
  // Deadlines are in block time.
  const time = head === undefined ? 0 : Math.floor(head.time / 1_000)
  return (
    <section className="card" aria-labelledby="orders-title">
      <h2 id="orders-title">Orders</h2>
      {party === 'buyer' && status === 'live' && <Place suggestion={`order-${orders.length + 1}`} />}
      {error !== null && (
        <p className="error" role="alert">
          {explain(error)}
        </p>
      )}
      {orders.length === 0 && <p className="hint">{status === 'pending' ? 'Listening …' : 'There are no orders yet.'}</p>}
      <ul className="orders">
        {orders.map((timeline) => (
          <Order key={timeline.id} timeline={timeline} time={time} />
        ))}
      </ul>
    </section>
  )
}

const VERBS = { accept: 'Accept', ship: 'Ship', confirm: 'Confirm delivery', compensate: 'Return the deposit' } as const

function Order({ timeline, time }: { readonly timeline: Timeline; readonly time: number }) {
  const { organisation } = useActing()
  const { writeContract, target, isReady, line } = useSending()
  const { id, order, hasEnded, steps } = timeline
  const name = bytesToName(id)
  const next = hasEnded || time === 0 ? undefined : nextStep(order, time)
  const isMine = next !== undefined && (next.organisation === undefined || next.organisation === Number(organisation))
  return (
    <li data-testid={name}>
      <p>
        <strong>{name}</strong> {nameOf(order.buyer)} from {nameOf(order.supplier)}: {money(BigInt(order.price))}{' '}
        <small className="day">deposit {money(BigInt(order.deposit))}</small>
      </p>
      <ol className="timeline" aria-label={`Steps of ${name}`}>
        {steps.map((step) => (
          <li key={step.name} className={`done ${step.name.toLowerCase()}`}>
            {step.name} <small>block {String(step.block)}</small>
          </li>
        ))}
        {stepsAhead(timeline).map((step) => (
          <li key={step}>{step}</li>
        ))}
      </ol>
      {next !== undefined && (
        <p className="buttons">
          {isMine ? (
            <button
              type="button"
              disabled={!isReady}
              aria-label={`${VERBS[next.step]}: ${name}`}
              onClick={() => writeContract({ ...target, functionName: next.step, args: [id] })}
            >
              {VERBS[next.step]}
            </button>
          ) : (
            <span className="hint">{nameOf(next.organisation ?? 0)}’s turn</span>
          )}
          {next.step !== 'compensate' && <span className="hint">{duration(order.deadline - time)} left</span>}
        </p>
      )}
      {line}
    </li>
  )
}

/** `flour-2` for `flour-1`. */
const following = (name: string): string => name.replace(/\d*$/, (digits) => String(Number(digits) + 1))

/** For the buyer: a new order. Its deposit leaves the buyer's account with it. */
function Place({ suggestion }: { readonly suggestion: string }) {
  const { writeContract, target, isReady, line } = useSending()
  // The first suggestion stays: a field must not change while somebody types.
  const [name, setName] = useState(suggestion)
  const [price, setPrice] = useState('1000')
  const [deposit, setDeposit] = useState('300')
  const [minutes, setMinutes] = useState('10')
  const [cents, held] = [centsOf(price), centsOf(deposit)]
  const place = () => {
    if (cents === undefined || held === undefined) return
    const seconds = Number(minutes) * 60
    const terms = {
      ...{ buyer: 2n, supplier: 1n, carrier: 3n, price: cents, deposit: held, paymentDays: 30 },
      ...{ acceptSeconds: seconds, shipSeconds: seconds, confirmSeconds: seconds },
    }
    setName(following(name))
    writeContract({
      ...target,
      functionName: 'place',
      args: [nameToBytes(name), terms],
    })
  }
  const isComplete = cents !== undefined && held !== undefined && /^\d{1,4}$/.test(minutes) && name !== ''
  return (
    <form
      className="new"
      onSubmit={(event) => {
        event.preventDefault()
        place()
      }}
    >
      <Field label="Order" value={name} onChange={setName} />
      <Field label="Price" value={price} onChange={setPrice} />
      <Field label="Deposit" value={deposit} onChange={setDeposit} />
      <Field label="Minutes a step" value={minutes} onChange={setMinutes} inputMode="numeric" />
      <button type="submit" disabled={!isReady || !isComplete}>
        Place order
      </button>
      {line}
    </form>
  )
}
