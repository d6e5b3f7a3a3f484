import { concatBytes, utf8ToBytes } from '@quoin/protocol'
import { encodeVarint } from './frames.ts'

/**
 * The part of gossipsub's protobuf format that is needed outside of gossipsub. An RPC is a list of fields: subscriptions (1), messages (2),
 * control (3). A message has its payload in field 2. Source: https://github.com/libp2p/specs/tree/master/pubsub, `rpc.proto`.
 */
const SUBSCRIPTION_FIELD = 1
const TOPIC_FIELD = 2
const MESSAGE_FIELD = 2
const PAYLOAD_FIELD = 2
/** Wire types: length-delimited fields, and the three kinds of numbers. */
const [VARINT, FIXED_64, BYTES, FIXED_32] = [0, 1, 2, 5]
/** Tag of a message in an RPC. */
const MESSAGE_TAG = MESSAGE_FIELD * 8 + BYTES

/** Encodes an RPC that subscribes to a topic, as a frame. */
export function subscriptionFrame(topic: string): Uint8Array {
  const name = utf8ToBytes(topic)
  const subscription = concatBytes(Uint8Array.of(1 * 8 + VARINT, 1, TOPIC_FIELD * 8 + BYTES), encodeVarint(name.length), name)
  const rpc = concatBytes(Uint8Array.of(SUBSCRIPTION_FIELD * 8 + BYTES), encodeVarint(subscription.length), subscription)
  return concatBytes(encodeVarint(rpc.length), rpc)
}

interface Field {
  readonly number: number
  /** The encoded field, including its tag. */
  readonly whole: Uint8Array
  /** Content of the field; empty for a number. */
  readonly body: Uint8Array
}

/** The parts of an RPC. */
export interface RpcParts {
  /** Payloads of its messages; empty if a message has none. */
  readonly payloads: readonly Uint8Array[]
  /** Whether it contains anything other than messages. */
  readonly hasControl: boolean
}

/** Returns undefined if the RPC is malformed or contains more messages than `messagesMax`. */
export function rpcParts(rpc: Uint8Array, messagesMax: number): RpcParts | undefined {
  const payloads: Uint8Array[] = []
  let hasControl = false
  for (let at = 0; at < rpc.length; ) {
    const field = fieldAt(rpc, at)
    if (field === undefined) return undefined
    at += field.whole.length
    if (field.number !== MESSAGE_FIELD) {
      hasControl = true
      continue
    }
    const payload = payloadOf(field.body)
    if (payload === undefined || payloads.length === messagesMax) return undefined
    payloads.push(payload)
  }
  return { payloads, hasControl }
}

/** Whether an RPC begins with a message. gossipsub sends subscriptions first, in RPCs of their own, and writes control last. */
export const beginsWithMessage = (rpc: Uint8Array): boolean => rpc[0] === MESSAGE_TAG

/**
 * Splits an RPC into RPCs of at most `messagesMax` messages and `bytesMax` bytes each, unless a single part is larger. Needed because
 * gossipsub answers a peer that misses a lot with one RPC that is larger than peers accept.
 */
export function splitRpc(rpc: Uint8Array, messagesMax: number, bytesMax: number): readonly Uint8Array[] {
  const pieces: Uint8Array[] = []
  let from = 0
  let messages = 0
  for (let at = 0; at < rpc.length; ) {
    const field = fieldAt(rpc, at)
    // Cannot happen: gossipsub encodes well-formed RPCs.
    if (field === undefined) return [rpc]
    const end = at + field.whole.length
    if (at > from && (end - from > bytesMax || messages === messagesMax)) {
      pieces.push(rpc.subarray(from, at))
      from = at
      messages = 0
    }
    if (field.number === MESSAGE_FIELD) messages++
    at = end
  }
  pieces.push(rpc.subarray(from))
  return pieces
}

/** The last payload field counts, as in protobuf. */
function payloadOf(message: Uint8Array): Uint8Array | undefined {
  let payload = new Uint8Array(0)
  for (let at = 0; at < message.length; ) {
    const field = fieldAt(message, at)
    if (field === undefined) return undefined
    if (field.number === PAYLOAD_FIELD) payload = field.body as Uint8Array<ArrayBuffer>
    at += field.whole.length
  }
  return payload
}

function fieldAt(bytes: Uint8Array, start: number): Field | undefined {
  const tag = varintAt(bytes, start)
  if (tag === undefined) return undefined
  const number = Math.floor(tag.value / 8)
  const kind = tag.value % 8
  const numberBytes = kind === FIXED_32 ? 4 : kind === FIXED_64 ? 8 : kind === VARINT ? varintAt(bytes, tag.end)?.size : undefined
  if (numberBytes !== undefined) return fieldOf(bytes, number, start, tag.end + numberBytes, tag.end + numberBytes)
  if (kind !== BYTES) return undefined
  const length = varintAt(bytes, tag.end)
  return length && fieldOf(bytes, number, start, length.end, length.end + length.value)
}

const fieldOf = (bytes: Uint8Array, number: number, start: number, bodyStart: number, end: number): Field | undefined =>
  end > bytes.length ? undefined : { number, whole: bytes.subarray(start, end), body: bytes.subarray(bodyStart, end) }

function varintAt(
  bytes: Uint8Array,
  start: number,
): { readonly value: number; readonly size: number; readonly end: number } | undefined {
  let value = 0
  for (let size = 1; size <= 10; size++) {
    const byte = bytes[start + size - 1]
    if (byte === undefined) return undefined
    value += (byte & 0x7f) * 2 ** (7 * (size - 1))
    if (byte < 0x80) return { value, size, end: start + size }
  }
  return undefined
}
