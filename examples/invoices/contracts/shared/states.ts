/** States of an invoice. */
export const INVOICE = { ISSUED: 1, APPROVED: 2, PART_PAID: 3, PAID: 4, DISPUTED: 5, CANCELLED: 6 } as const

/** States of an order. It goes from one to the next, or from any of the first three to the last. */
export const ORDER = { PLACED: 1, ACCEPTED: 2, SHIPPED: 3, SETTLED: 4, COMPENSATED: 5 } as const
