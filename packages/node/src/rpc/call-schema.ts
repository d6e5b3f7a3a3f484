import type { AccountOverride, BlockOverrides, Call, StateOverrides } from '@quoin/execution'
import {
  Address,
  emptyBytes,
  type Height,
  type Hex,
  hexToBytes,
  LIMITS,
  type Nonce,
  type TimeMs,
  U32_MAX,
  type Wei,
  ZERO_ADDRESS,
} from '@quoin/protocol'
import { z } from 'zod'
import { address, bigQuantity, data, hash, quantity } from './schema.ts'

/** Parameters of `eth_call` and `eth_estimateGas`, in the types of the execution package. */

const wei = bigQuantity.transform((value) => value as Wei)

/** More gas than a number holds means: as much as is allowed. */
const gas = bigQuantity.transform((value) => Number(value < MOST_GAS ? value : MOST_GAS))
const MOST_GAS = BigInt(Number.MAX_SAFE_INTEGER)

/** The transaction object. Unknown fields are ignored, and so is the nonce, as geth does. */
export const callObject = z
  .object({
    from: address.optional(),
    to: address.nullish(),
    gas: gas.optional(),
    gasPrice: wei.optional(),
    maxFeePerGas: wei.optional(),
    maxPriorityFeePerGas: wei.optional(),
    value: wei.optional(),
    data: data.optional(),
    input: data.optional(),
    accessList: z.array(z.object({ address, storageKeys: z.array(hash) })).optional(),
  })
  .refine(
    ({ gasPrice, maxFeePerGas }) => gasPrice === undefined || maxFeePerGas === undefined,
    'has both gasPrice and maxFeePerGas',
  )
  .refine(
    ({ input, data: older }) => input === undefined || older === undefined || isSame(input, older),
    'has data and input, and they differ',
  )
  .transform(
    (object): Call => ({
      from: object.from ?? ZERO_ADDRESS,
      to: object.to ?? undefined,
      data: object.input ?? object.data ?? emptyBytes(),
      value: object.value ?? (0n as Wei),
      accessList: object.accessList ?? [],
      gas: object.gas,
      maxFeePerGas: object.gasPrice ?? object.maxFeePerGas ?? (0n as Wei),
    }),
  )

const isSame = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

/** An object whose names are all of one form; entries in the order of the object. */
const entriesOf = <V extends z.ZodType>(form: RegExp, problem: string, value: V) =>
  z.record(z.string(), value).transform((object, context) => {
    const entries = Object.entries(object) as [Hex, z.output<V>][]
    const stranger = entries.find(([name]) => !form.test(name))
    if (stranger === undefined) return entries
    context.addIssue({ code: 'custom', message: `has the name ${stranger[0].slice(0, NAME_CHARS_SHOWN)}, each ${problem}` })
    return z.NEVER
  })
const NAME_CHARS_SHOWN = 100

const RAW_KEY = new RegExp(`^0x([0-9a-f]{2}){0,${LIMITS.stateKeyBytesMax}}$`, 'i')

/** Storage by raw keys. Contracts of this chain choose theirs freely, so that any bytes may be one. */
const storage = entriesOf(
  RAW_KEY,
  `must be a storage key: 0x and hex digits of at most ${LIMITS.stateKeyBytesMax} bytes`,
  data.transform(storedForm),
).transform((entries) => entries.map(([key, value]) => [hexToBytes(key.toLowerCase() as Hex), value] as const))

/**
 * A word, which is what Ethereum's tools write, stands for the number in it: storage holds numbers without leading zeros, and 0 not at all.
 * Anything else is the stored bytes themselves. `eth_getStorageAt` is the way back.
 */
export function storedForm(value: Uint8Array): Uint8Array {
  if (value.length !== 32) return value
  const start = value.findIndex((byte) => byte !== 0)
  return start < 0 ? emptyBytes() : value.subarray(start)
}

const nonce = quantity.refine((value) => value <= U32_MAX, `is above ${U32_MAX}`).transform((value) => value as Nonce)

const accountOverride = z
  .strictObject({
    balance: wei.optional(),
    nonce: nonce.optional(),
    code: data.optional(),
    state: storage.optional(),
    stateDiff: storage.optional(),
  })
  .refine(({ state, stateDiff }) => state === undefined || stateDiff === undefined, 'has both state and stateDiff')
  .transform(({ balance, nonce: count, code, state, stateDiff }): AccountOverride => {
    const changed = stateDiff === undefined ? undefined : ({ kind: 'change', entries: stateDiff } as const)
    return { balance, nonce: count, code, storage: state === undefined ? changed : { kind: 'replace', entries: state } }
  })

/** geth's state overrides, by address. */
export const stateOverrides = entriesOf(/^0x[0-9a-f]{40}$/i, 'must be an address: 0x and 40 hex digits', accountOverride)
  .default([])
  .transform((overrides): StateOverrides => new Map(overrides.map(([key, value]) => [Address(key.toLowerCase()), value])))

const MILLISECONDS = 1_000

/** geth's block overrides, those of them that a contract of this chain can see. */
export const blockOverrides = z
  .strictObject({
    number: quantity.optional(),
    time: quantity
      .refine((seconds) => seconds <= LIMITS.timeMsMax / MILLISECONDS, `is above ${Math.floor(LIMITS.timeMsMax / MILLISECONDS)}`)
      .optional(),
    gasLimit: quantity.optional(),
    feeRecipient: address.optional(),
    baseFeePerGas: wei.optional(),
  })
  .default({})
  .transform(
    ({ number, time, gasLimit, feeRecipient, baseFeePerGas }): BlockOverrides => ({
      number: number as Height | undefined,
      timeMs: time === undefined ? undefined : ((MILLISECONDS * time) as TimeMs),
      gasLimit,
      proposer: feeRecipient,
      baseFee: baseFeePerGas,
    }),
  )
