import { type Address, type Hash, hexToBytes, LIMITS } from '@quoin/protocol'
import { z } from 'zod'
import type { Schema } from './forms/index.ts'
import * as forms from './forms/index.ts'
import { hexBytes } from './hex.ts'

/** Schemas for parameters of Ethereum's JSON-RPC (ethereum/execution-apis). Each one yields the protocol package's own type. */

/**
 * A schema with a fast path for the usual spellings. Zod takes 2 µs for an address and 4 µs for a block, which is half of the cost of a
 * read.
 */
type WithUsual<S extends z.ZodType> = S & { readonly usual: (value: unknown) => z.output<S> | undefined }

const withUsual = <S extends z.ZodType>(
  form: Schema,
  schema: S,
  usual: (value: unknown) => z.output<S> | undefined,
): WithUsual<S> => Object.assign(withForm(form, schema), { usual })

/** Adds the JSON schema of what a schema reads, where zod cannot derive it: zod sees neither into functions nor the flags of a pattern. */
export const withForm = <S extends z.ZodType>(form: Schema, schema: S): S => Object.assign(schema, { form })

/** Reads a value by the fast path; undefined if the schema has to decide. */
export const usualOf = (schema: z.ZodType, value: unknown): unknown => (schema as Partial<WithUsual<z.ZodType>>).usual?.(value)

const DECIMAL = /^[0-9]{1,16}$/
const QUANTITY = /^0x(0|[1-9a-f][0-9a-f]*)$/i

/** Length of 256 bits in hex, with 0x. Longer texts are refused unread. */
const QUANTITY_CHARS_MAX = 66

const hexQuantity = (above: string) =>
  z
    .string()
    .max(QUANTITY_CHARS_MAX, { error: above, abort: true })
    .regex(QUANTITY, 'must be a hex quantity without leading zeros, such as 0x1f')

const isQuantity = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= QUANTITY_CHARS_MAX && QUANTITY.test(value)

function usualQuantity(value: unknown): number | undefined {
  if (!isQuantity(value)) return undefined
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : undefined
}

/** An integer of at most 53 bits. */
export const quantity = withUsual(
  forms.uint53,
  hexQuantity('is above 2^53 - 1').transform((text, context) => {
    const value = Number(text)
    if (Number.isSafeInteger(value)) return value
    context.addIssue({ code: 'custom', message: 'is above 2^53 - 1' })
    return z.NEVER
  }),
  usualQuantity,
)

export const bigQuantity = withUsual(
  forms.uint256,
  hexQuantity('is above 2^256 - 1').transform((text) => BigInt(text)),
  (value) => (isQuantity(value) ? BigInt(value) : undefined),
)

/** Makes a schema and its fast path from one function, which returns undefined for invalid text. */
function readText<T extends {}>(form: Schema, read: (text: string) => T | undefined, problem: string): WithUsual<z.ZodType<T>> {
  const schema = z.string().transform((text, context): T => {
    const value = read(text)
    if (value !== undefined) return value
    context.addIssue({ code: 'custom', message: problem })
    return z.NEVER
  })
  const usual = (value: unknown) => (typeof value === 'string' ? read(value) : undefined)
  return withUsual(form, schema as unknown as z.ZodType<T>, usual)
}

export const data = readText(forms.bytes, hexBytes, 'must be hex: 0x and an even number of hex digits')

/**
 * A contract's raw storage key, at most `stateKeyBytesMax` bytes. Clients that use slot numbers send quantities, which may have an odd
 * number of digits: those are padded with a leading zero.
 */
export const storageKey = withForm(
  forms.storageKey,
  z
    .string()
    .max(2 + 2 * LIMITS.stateKeyBytesMax, { error: `is longer than ${LIMITS.stateKeyBytesMax} bytes`, abort: true })
    .regex(/^0x[0-9a-f]*$/i, 'must be hex: 0x and hex digits')
    .transform((text) => {
      const digits = text.slice(2).toLowerCase()
      return hexToBytes(`0x${digits.length % 2 === 0 ? '' : '0'}${digits}`)
    }),
)

const ADDRESS = /^0x[0-9a-fA-F]{40}$/
const HASH = /^0x[0-9a-fA-F]{64}$/

export const address: WithUsual<z.ZodType<Address>> = readText(
  forms.address,
  (text) => (ADDRESS.test(text) ? (text.toLowerCase() as Address) : undefined),
  'must be an address: 0x and 40 hex digits',
)

export const hash: WithUsual<z.ZodType<Hash>> = readText(
  forms.hash,
  (text) => (HASH.test(text) ? (text.toLowerCase() as Hash) : undefined),
  'must be a hash: 0x and 64 hex digits',
)

const { TAGS } = forms
export type BlockTag = (typeof TAGS)[number]

/** A block named by tag, number or hash. */
export type BlockReference = { readonly tag: BlockTag } | { readonly height: number } | { readonly hash: Hash }

const LATEST = { tag: 'latest' } as const

function usualBlock(value: unknown): typeof LATEST | { readonly height: number } | undefined {
  if (value === 'latest') return LATEST
  const height = usualQuantity(value)
  return height === undefined ? undefined : { height }
}

/** A hash has as many characters as the longest quantity. No block number is that long, so the text says which it is, as in go-ethereum. */
function usualReference(value: unknown): typeof LATEST | { readonly height: number } | { readonly hash: Hash } | undefined {
  const named = usualBlock(value)
  if (named !== undefined) return named
  const blockHash = hash.usual(value)
  return blockHash === undefined ? undefined : { hash: blockHash }
}

const NUMBER_OR_TAG = `a block number in hex or one of ${TAGS.join(', ')}`

const tagOrNumber = z.union([z.enum(TAGS).transform((tag) => ({ tag })), quantity.transform((height) => ({ height }))], {
  error: `must be ${NUMBER_OR_TAG}`,
})

/** A block by number or tag, for `eth_getBlockByNumber` and similar methods (`BlockNumberOrTag` of execution-apis). */
export const blockNumber = withUsual(forms.blockNumber, tagOrNumber, usualBlock)
export type BlockNumber = z.output<typeof blockNumber>

/** A block by number or tag, for methods whose clients also send numbers as such (Otterscan, Erigon). */
export const looseBlockNumber = withForm(
  forms.looseBlockNumber,
  z.union(
    [
      blockNumber,
      z
        .int()
        .nonnegative()
        .transform((height) => ({ height })),
    ],
    {
      error: `must be a number, or ${NUMBER_OR_TAG}`,
    },
  ),
)

/** A block for state methods: a tag, a number, a hash (`BlockNumberOrTagOrHash` of execution-apis), or the object of EIP-1898. Defaults to latest. */
export const blockReference = withUsual(
  forms.blockReference,
  z
    .union(
      [
        tagOrNumber,
        hash.transform((blockHash) => ({ hash: blockHash })),
        z.strictObject({ blockNumber: quantity }).transform(({ blockNumber: height }) => ({ height })),
        // Every block of this chain is canonical, so `requireCanonical` always holds.
        z
          .strictObject({ blockHash: hash, requireCanonical: z.boolean().nullish() })
          .transform((reference) => ({ hash: reference.blockHash })),
      ],
      { error: `must be ${NUMBER_OR_TAG}, a block hash (0x and 64 hex digits), or {"blockHash": …} or {"blockNumber": …}` },
    )
    .default(LATEST),
  usualReference,
)

/** An integer that some clients send as a number and others as a quantity, such as EIP-7966's timeout. */
export const looseInteger = withForm(forms.looseInteger, z.union([z.int().nonnegative(), quantity]))

/** A count as a number, a quantity, or decimal text, as go-ethereum reads that of `eth_feeHistory` (`HexOrDecimal64`). */
export const looseCount = z.union(
  [looseInteger, withForm(forms.decimal15, z.string().regex(DECIMAL).transform(Number).pipe(z.int()))],
  {
    error: 'must be a number, a hex quantity or decimal text',
  },
)
