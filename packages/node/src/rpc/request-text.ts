import { err, ok, type Result } from '@quoin/protocol'
import type { Awaitable } from '../awaitable.ts'
import { type Refusal, refusal } from './errors.ts'
import { keepIdTexts } from './exact-id.ts'
import type { RpcLimits } from './limits.ts'
import type { CallContext } from './method.ts'

/** One request, or a batch of them. */
export type RequestText =
  | { readonly kind: 'one'; readonly request: unknown }
  | { readonly kind: 'batch'; readonly requests: readonly unknown[] }

type TextLimits = Pick<
  RpcLimits,
  'parseAtOnceBytesMax' | 'requestDepthMax' | 'requestValuesMax' | 'requestBytesMax' | 'batchItemsMax'
>

/**
 * Parses the text of a request or batch. A short text is parsed at once. A long one is scanned first, in time slices: for its nesting, the
 * number of values in each request, and the bounds of a batch's requests. Then each request is parsed separately. So no text blocks the
 * event loop longer than one request of `requestValuesMax` values and `requestBytesMax` bytes does.
 */
export function parseRequests(
  bytes: Buffer,
  call: Pick<CallContext, 'isSliceOver' | 'nextTurn'>,
  limits: TextLimits,
): Awaitable<Result<RequestText, Refusal>> {
  if (bytes.length > limits.parseAtOnceBytesMax) return parseLong(bytes, call, limits)
  const parsed = parse(bytes)
  return parsed.ok ? requestsOf(parsed.value, limits) : parsed
}

async function parseLong(
  bytes: Buffer,
  call: Pick<CallContext, 'isSliceOver' | 'nextTurn'>,
  limits: TextLimits,
): Promise<Result<RequestText, Refusal>> {
  const scan = new TextScan(bytes, limits)
  if (!scan.isBatch && bytes.length > limits.requestBytesMax) return err(tooLong(bytes.length, limits))
  while (!scan.isDone) {
    scan.step(SCAN_BYTES)
    if (call.isSliceOver()) await call.nextTurn()
  }
  if (scan.refusal !== undefined) return err(scan.refusal)
  if (!scan.isBatch) {
    const parsed = parse(bytes)
    return parsed.ok ? ok({ kind: 'one', request: parsed.value }) : parsed
  }
  const requests: unknown[] = []
  for (const { from, to } of scan.items) {
    const parsed = parse(bytes.subarray(from, to))
    if (!parsed.ok) return parsed
    requests.push(parsed.value)
    if (call.isSliceOver()) await call.nextTurn()
  }
  return ok({ kind: 'batch', requests })
}

function requestsOf(value: unknown, limits: TextLimits): Result<RequestText, Refusal> {
  if (!Array.isArray(value)) return ok({ kind: 'one', request: value })
  return value.length > limits.batchItemsMax ? err(tooManyItems(value.length, limits)) : ok({ kind: 'batch', requests: value })
}

/** Parses a request or batch. An id that is a number keeps its text. */
function parse(bytes: Buffer): Result<unknown, Refusal> {
  try {
    const text = bytes.toString()
    const parsed: unknown = JSON.parse(text)
    keepIdTexts(text, parsed)
    return ok(parsed)
  } catch (failure) {
    return err(notJson((failure as Error).message))
  }
}

const notJson = (message: string): Refusal => refusal('parse-error', `request is not valid JSON: ${message}`)

const tooManyItems = (count: number | string, { batchItemsMax }: TextLimits): Refusal =>
  refusal('request-too-large', `batch too large: it has ${count} requests, the limit is ${batchItemsMax}`)

const tooLong = (length: number, { requestBytesMax }: TextLimits): Refusal =>
  refusal('request-too-large', `request too large: it has ${length} bytes, the limit is ${requestBytesMax}`)

/** Bytes that are scanned between two checks of the time slice: a tenth of a millisecond. */
const SCAN_BYTES = 64 * 1024

const QUOTE = 0x22
const COMMA = 0x2c
const OPEN_LIST = 0x5b
const BACKSLASH = 0x5c
const CLOSE_LIST = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09

/** Scans the structure of a JSON text. Assumes that it is valid JSON, because each part is parsed afterwards. */
class TextScan {
  readonly #bytes: Buffer
  readonly #limits: TextLimits
  readonly items: { readonly from: number; readonly to: number }[] = []
  #at: number
  #depth = 0
  #isText = false
  /** Number of values in the current request. */
  #values = 0
  #itemAt = 0
  #hasEnded = false
  readonly isBatch: boolean
  refusal: Refusal | undefined

  constructor(bytes: Buffer, limits: TextLimits) {
    this.#bytes = bytes
    this.#limits = limits
    this.#at = 0
    while (this.#at < bytes.length && isSpace(bytes[this.#at]!)) this.#at++
    this.isBatch = bytes[this.#at] === OPEN_LIST
  }

  get isDone(): boolean {
    return this.refusal !== undefined || this.#at >= this.#bytes.length
  }

  step(count: number): void {
    const end = Math.min(this.#bytes.length, this.#at + count)
    while (this.#at < end && this.refusal === undefined) {
      if (this.#isText) this.#text(end)
      else this.#structure(this.#bytes[this.#at]!)
    }
    if (this.#at < this.#bytes.length || this.refusal !== undefined) return
    if (this.isBatch && !this.#hasEnded) this.refusal = notJson('unexpected end of the batch')
  }

  /** Skips to the end of a string. A backslash escapes the next byte. */
  #text(end: number): void {
    const bytes = this.#bytes
    while (this.#at < end) {
      const byte = bytes[this.#at]
      this.#at += byte === BACKSLASH ? 2 : 1
      if (byte !== QUOTE) continue
      this.#isText = false
      return
    }
  }

  #structure(byte: number): void {
    const at = this.#at++
    if (this.#hasEnded) {
      if (!isSpace(byte)) this.refusal = notJson(`unexpected text after the batch, at byte ${at}`)
    } else if (byte === QUOTE) {
      this.#isText = true
    } else if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
      this.#open(at)
    } else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) {
      this.#close(at, byte)
    } else if (byte === COMMA) {
      this.#comma(at)
    }
  }

  #open(at: number): void {
    this.#depth++
    this.#count()
    if (this.isBatch && this.#depth === 1) this.#itemAt = at + 1
    const { requestDepthMax } = this.#limits
    if (this.#depth > requestDepthMax)
      this.refusal = refusal('request-too-large', `request is nested too deeply: the limit is ${requestDepthMax} levels`)
  }

  #close(at: number, byte: number): void {
    this.#depth--
    if (!this.isBatch || this.#depth > 0) return
    this.#hasEnded = true
    if (byte !== CLOSE_LIST) this.refusal = notJson(`the batch does not end with ], at byte ${at}`)
    this.#item(at)
  }

  #comma(at: number): void {
    this.#count()
    if (!this.isBatch || this.#depth !== 1) return
    this.#item(at)
    this.#itemAt = at + 1
  }

  /** Ends a request of the batch. An empty batch has none. */
  #item(to: number): void {
    const from = this.#itemAt
    this.#values = 0
    const isEmpty = this.#hasEnded && this.items.length === 0 && this.#bytes.subarray(from, to).every(isSpace)
    if (isEmpty) return
    this.items.push({ from, to })
    if (to - from > this.#limits.requestBytesMax) this.refusal = tooLong(to - from, this.#limits)
    if (this.items.length > this.#limits.batchItemsMax)
      this.refusal = tooManyItems(`more than ${this.#limits.batchItemsMax}`, this.#limits)
  }

  #count(): void {
    const { requestValuesMax } = this.#limits
    if (++this.#values > requestValuesMax)
      this.refusal = refusal('request-too-large', `request has too many values: the limit is ${requestValuesMax}`)
  }
}
