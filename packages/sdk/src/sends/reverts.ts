import type { Hex } from 'viem'
import type { KeyReader } from './chain.ts'
import type { Entry } from './entry.ts'
import type { IncludedRecord } from './record.ts'

/**
 * Why an included transaction reverted: its call is repeated on the state after its block, then on the one before. A receipt has no reason. Never
 * rejects.
 */
export async function revertOf(
  reader: KeyReader,
  entry: Entry,
  { call, blockNumber }: IncludedRecord,
): Promise<{ readonly data: Hex | undefined; readonly cause: unknown }> {
  if (call === undefined) return { data: undefined, cause: undefined }
  for (const block of [blockNumber, blockNumber - 1n]) {
    try {
      await reader.call(call, block)
    } catch (failure) {
      const data = dataIn(failure)
      if (data !== undefined) return { data, cause: await explained(entry, failure) }
    }
  }
  return { data: undefined, cause: undefined }
}

/** viem's error of a contract call, if the ABI is known. Loaded when there is one to explain. */
export async function explained({ decoder, call }: Entry, failure: unknown): Promise<unknown> {
  if (decoder === undefined) return failure
  const { getContractError } = await import('viem/utils')
  const { abi, functionName, args } = decoder
  return getContractError(failure as never, { abi, functionName, args, ...(call.to === null ? {} : { address: call.to }) })
}

const CAUSES_MAX = 10

function dataIn(error: unknown): Hex | undefined {
  let next = error as { readonly data?: unknown; readonly cause?: unknown } | undefined
  for (let depth = 0; typeof next === 'object' && next !== null && depth < CAUSES_MAX; depth++) {
    if (typeof next.data === 'string' && next.data.startsWith('0x')) return next.data as Hex
    next = next.cause as typeof next
  }
  return undefined
}
