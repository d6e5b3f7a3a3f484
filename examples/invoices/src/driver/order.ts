import type { StreamedEvent } from '@quoin/sdk'
import { type Hex, parseAbi } from 'viem'
import { ORDERS_EVENTS } from '../../contracts/shared/abi.ts'
import { ORDER } from '../../contracts/shared/states.ts'

export const orderEventsAbi = parseAbi(ORDERS_EVENTS)
export type OrderEvent = StreamedEvent<typeof orderEventsAbi>

/** An order that has not ended, as its events tell it. Numbers are plain, so that it can be stored as JSON. */
export interface OpenOrder {
  readonly id: Hex
  readonly buyer: number
  readonly supplier: number
  readonly carrier: number
  /** In the token's smallest unit, as a decimal text. */
  readonly price: string
  readonly deposit: string
  /** `ORDER.PLACED`, `ACCEPTED` or `SHIPPED`. */
  readonly state: number
  /** Seconds since 1970, in block time: from then on the order can only be compensated. */
  readonly deadline: number
}

export const STEPS = ['accept', 'ship', 'confirm', 'compensate'] as const
export type Step = (typeof STEPS)[number]
/** A step that its party decides about. */
export type Decision = Exclude<Step, 'compensate'>

/** The order after an event; undefined when it has ended. */
export function orderAfter(order: OpenOrder | undefined, { eventName, args }: OrderEvent): OpenOrder | undefined {
  switch (eventName) {
    case 'Placed': {
      const { id, buyer, supplier, carrier, price, deposit, deadline } = args
      const parties = { buyer: Number(buyer), supplier: Number(supplier), carrier: Number(carrier) }
      return { id, ...parties, price: `${price}`, deposit: `${deposit}`, state: ORDER.PLACED, deadline: Number(deadline) }
    }
    case 'Accepted':
      return order && { ...order, state: ORDER.ACCEPTED, deadline: Number(args.deadline) }
    case 'Shipped':
      return order && { ...order, state: ORDER.SHIPPED, deadline: Number(args.deadline) }
    case 'Settled':
    case 'Compensated':
      return undefined
  }
}

/** What the order waits for, and whose turn it is: an organisation, or everybody's. `time` is a block's, in seconds. */
export function nextStep(order: OpenOrder, time: number): { readonly step: Step; readonly organisation: number | undefined } {
  if (time >= order.deadline) return { step: 'compensate', organisation: undefined }
  if (order.state === ORDER.PLACED) return { step: 'accept', organisation: order.supplier }
  if (order.state === ORDER.ACCEPTED) return { step: 'ship', organisation: order.carrier }
  return { step: 'confirm', organisation: order.buyer }
}
