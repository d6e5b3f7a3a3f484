import type { Order, Report } from '../messages.ts'

/** A process's end of its channel to the test. */
export function report(message: Report): void {
  if (process.connected) process.send!(message)
}

/** Reports an error that no attack explains. */
export const fail = (failure: unknown): void =>
  report({ kind: 'failed', message: failure instanceof Error ? (failure.stack ?? failure.message) : String(failure) })

/** Handles orders in sequence. The process ends with the channel. */
export function onOrder(take: (order: Order) => Promise<void>): void {
  process.on('message', (order: Order) => {
    take(order).catch(fail)
  })
  process.once('disconnect', () => process.exit())
}
