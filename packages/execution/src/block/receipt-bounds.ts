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
 * What a transaction may leave in its receipt. The journal keeps to it, whoever logs: a receipt that could not be encoded would be found when the
 * transaction is over, and would end its block.
 */
export const RECEIPT_BOUNDS = {
  logsMax: LIMITS.logsPerReceiptMax,
  logDataBytesMax: LIMITS.logDataBytesMax,
  logTopicsMax: LIMITS.logTopicsMax,
  errorDataBytesMax: LIMITS.errorDataBytesMax,
} as const

/** Why a receipt cannot hold a log, in words for the author of the contract. */
export interface LogRefusal {
  readonly message: string
}

/** Whether a receipt that has so many logs can hold one more. */
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

/** A receipt at each of the bounds. */
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

// Throws when this module is loaded if the codec's bounds are the narrower ones. Takes a millisecond.
for (const full of fullest) codec.encode(receiptCodec, full)
