/** What the killed program and its test agree on. */
export interface Task {
  readonly url: string
  /** Of the program's store. */
  readonly directory: string
  readonly ledger: `0x${string}`
  readonly token: `0x${string}`
  /** Of the ledger's deployment. */
  readonly block: number
  /** Orders. */
  readonly count: number
}

/** Which step of an order nobody makes: of every four orders one each is not accepted, not shipped, not confirmed, and settles. */
export const abandoned = (k: number): 'accept' | 'ship' | 'confirm' | undefined => (['accept', 'ship', 'confirm'] as const)[k % 4]
export const nameOf = (k: number): string => `order-${k}`

const LONG = 36_000
/** Only the step that nobody makes has a short time. */
export const termsOf = (k: number) => ({
  ...{ buyer: 2n, supplier: 1n, carrier: 3n, price: BigInt(100 + k), deposit: BigInt(40 + k), paymentDays: 30 },
  acceptSeconds: abandoned(k) === 'accept' ? 1 : LONG,
  shipSeconds: abandoned(k) === 'ship' ? 1 : LONG,
  confirmSeconds: abandoned(k) === 'confirm' ? 1 : LONG,
})
