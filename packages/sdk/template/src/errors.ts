import { NodesFailedError, SendError, type SendReason } from '@quoin/sdk'
import {
  BaseError,
  type ContractErrorArgs,
  type ContractErrorName,
  ContractFunctionRevertedError,
  decodeErrorResult,
  type Hex,
  isHex,
  UserRejectedRequestError,
} from 'viem'
import { abi } from '../artifacts/board.js'
import { short } from './short.ts'

type Name = ContractErrorName<typeof abi>
type Words = { readonly [name in Name]: (args: ContractErrorArgs<typeof abi, name>) => string }

/** The contract's errors in plain words. An error that is new in the ABI does not compile until it has words. */
const contractWords: Words = {
  EmptyText: () => 'Write what there is to do.',
  TextTooLong: ([length, max]) => `The text has ${length} characters. At most ${max} fit.`,
  UnknownTask: ([id]) => `There is no task ${id}.`,
  AlreadyFinished: ([, finisher]) => `${short(finisher)} has finished this task already.`,
}

const sendWords: { readonly [reason in SendReason]?: string } = {
  expired: 'It was not included in time, and never will be. Try again.',
  cancelled: 'It was cancelled before it left.',
  'nonce-taken': 'Another program sends with the same key, and was faster.',
  'queue-full': 'Too many sends are under way. Wait for some of them.',
  store: 'The browser could not store it.',
}

/** What went wrong, for the user. */
export function explain(error: unknown): string {
  const words = wordsOfContract(error)
  if (words !== undefined) return words
  if (!(error instanceof BaseError)) return error instanceof Error ? error.message : String(error)
  const has = (type: abstract new (...args: never[]) => unknown) => error.walk((cause) => cause instanceof type) !== null
  if (has(UserRejectedRequestError)) return 'You declined it in the wallet.'
  if (has(NodesFailedError)) return 'No node of the chain answers.'
  if (error instanceof SendError) return sendWords[error.reason] ?? error.shortMessage
  return error.shortMessage
}

function wordsOfContract(error: unknown): string | undefined {
  if (!(error instanceof BaseError)) return undefined
  const reverted = error.walk((cause) => cause instanceof ContractFunctionRevertedError)
  if (reverted instanceof ContractFunctionRevertedError && reverted.data !== undefined) {
    const { errorName, args = [] } = reverted.data
    return sayRevert(errorName, args) ?? reverted.reason
  }
  const data = dataIn(error)
  if (data === undefined) return undefined
  try {
    const { errorName, args = [] } = decodeErrorResult({ abi, data })
    return sayRevert(errorName, args)
  } catch {
    // Not one of this contract's errors.
    return undefined
  }
}

const sayRevert = (name: string, args: readonly unknown[]): string | undefined =>
  name in contractWords ? (contractWords[name as Name] as (args: readonly unknown[]) => string)(args) : undefined

/** Revert data where the ABI was not known to who asked. */
function dataIn(error: BaseError): Hex | undefined {
  const found = error.walk((cause) => isHex((cause as { readonly data?: unknown }).data)) as { readonly data: Hex } | null
  return found?.data
}
