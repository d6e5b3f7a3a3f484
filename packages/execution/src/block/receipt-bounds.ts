import {
  codec,
  emptyBytes,
  err,
  type Gas,
  LIMITS,
  type Log,
  ok,
  type Receipt,
  type Result,
  receiptCodec,
  ZERO_ADDRESS,
  ZERO_HASH,
} from '@quoin/protocol'

/**
 * Limits of a transaction's receipt. The journal enforces them for every log. Without that, a receipt that cannot be encoded
 * would only be found after the transaction, and the whole block would fail.
 */
export const RECEIPT_BOUNDS = {
  logsMax: LIMITS.logsPerReceiptMax,
  logDataBytesMax: LIMITS.logDataBytesMax,
  logTopicsMax: LIMITS.logTopicsMax,
  errorDataBytesMax: LIMITS.errorDataBytesMax,
} as const

/** Why a log was refused, as text for the contract's author. */
export interface LogRefusal {
  readonly message: string
}

/** Whether a receipt with `logsBefore` logs can hold one more. */
export function judgeLog({ topics, data }: Log, logsBefore: number): Result<undefined, LogRefusal> {
  const { logsMax, logDataBytesMax, logTopicsMax } = RECEIPT_BOUNDS
  if (data.length > logDataBytesMax)
    return err({ message: `the event's data takes ${data.length} bytes, at most ${logDataBytesMax} are allowed` })
  if (topics.length > logTopicsMax)
    return err({ message: `the event has ${topics.length} topics, at most ${logTopicsMax} are allowed` })
  if (logsBefore >= logsMax) return err({ message: `a transaction has at most ${logsMax} logs` })
  return ok(undefined)
}

const log: Log = { address: ZERO_ADDRESS, topics: [], data: emptyBytes() }
const receipt: Receipt = {
  status: 1,
  gasUsed: 0 as Gas,
  cumulativeGasUsed: 0 as Gas,
  logs: [],
  errorData: emptyBytes(),
  contractAddress: ZERO_ADDRESS,
  payer: ZERO_ADDRESS,
}

/** A receipt at each limit. */
const fullest: readonly Receipt[] = [
  { ...receipt, logs: new Array<Log>(RECEIPT_BOUNDS.logsMax).fill(log) },
  {
    ...receipt,
    logs: [
      {
        ...log,
        topics: new Array(RECEIPT_BOUNDS.logTopicsMax).fill(ZERO_HASH),
        data: new Uint8Array(RECEIPT_BOUNDS.logDataBytesMax),
      },
    ],
  },
  { ...receipt, errorData: new Uint8Array(RECEIPT_BOUNDS.errorDataBytesMax) },
]

// Fail at module load if the codec's limits are narrower than these. Takes one millisecond.
for (const full of fullest) codec.encode(receiptCodec, full)
