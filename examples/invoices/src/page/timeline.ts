import { ORDER } from '../../contracts/shared/states.ts'
import { type OpenOrder, type OrderEvent, orderAfter } from '../driver/order.ts'

/** What happened to an order. */
export interface Timeline {
  readonly id: `0x${string}`
  /** As it was before it ended. */
  readonly order: OpenOrder
  readonly hasEnded: boolean
  readonly steps: readonly { readonly name: OrderEvent['eventName']; readonly block: bigint }[]
}

/** Orders by their events, the newest first. Events must be in the order of the chain. */
export function timelinesOf(events: readonly OrderEvent[]): readonly Timeline[] {
  const found = new Map<string, Timeline>()
  for (const event of events) {
    const { id } = event.args
    const before = found.get(id)
    const order = orderAfter(before?.order, event)
    const latest = order ?? before?.order
    // An order whose beginning is no longer among the events is left out.
    if (latest === undefined) continue
    const steps = [...(before?.steps ?? []), { name: event.eventName, block: event.blockNumber }]
    found.set(id, { id, order: latest, hasEnded: order === undefined, steps })
  }
  return [...found.values()].toReversed()
}

/** Names of the steps that are still to come if all goes well. */
export const stepsAhead = ({ hasEnded, order }: Timeline): readonly string[] =>
  hasEnded ? [] : ['Accepted', 'Shipped', 'Settled'].slice(order.state - ORDER.PLACED)
