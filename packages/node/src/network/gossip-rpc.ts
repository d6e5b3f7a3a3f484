import { concatBytes, utf8ToBytes } from '@quoin/protocol'
import { encodeVarint } from './frames.ts'

/**
 * As much of gossipsub's protobuf as is looked at outside of it. An RPC is a list of fields: subscriptions (1), messages (2), control (3); a
 * message has its payload in field 2. Source: https://github.com/libp2p/specs/tree/master/pubsub, `rpc.proto`.
 */
const SUBSCRIPTION_FIELD = 1
const TOPIC_FIELD = 2
const MESSAGE_FIELD = 2
const PAYLOAD_FIELD = 2
/** A field with a length, and the three kinds of numbers. */
const [VARINT, FIXED_64, BYTES, FIXED_32] = [0, 1, 2, 5]
/** Tag of a message in an RPC. */
const MESSAGE_TAG = MESSAGE_FIELD * 8 + BYTES

/** An RPC that subscribes to a topic, as a frame. */
export function subscriptionFrame(topic: string): Uint8Array {
  const name = utf8ToBytes(topic)
  const subscription = concatBytes(Uint8Array.of(1 * 8 + VARINT, 1, TOPIC_FIELD * 8 + BYTES), encodeVarint(name.length), name)
  const rpc = concatBytes(Uint8Array.of(SUBSCRIPTION_FIELD * 8 + BYTES), encodeVarint(subscription.length), subscription)
  return concatBytes(encodeVarint(rpc.length), rpc)
}

interface Field {
  readonly number: number
  /** The field as it stands, with its tag. */
  readonly whole: Uint8Array
  /** What it holds; empty for a number. */
  readonly body: Uint8Array
}

/** An RPC in its parts. */
export interface RpcParts {
  /** Payloads of its messages; an absent one is empty. */
  readonly payloads: readonly Uint8Array[]
  /** It holds something besides messages. */
  readonly hasControl: boolean
}

/** Undefined when it is not well formed, or when it holds more messages than `messagesMax`. */
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

/** Whether an RPC begins with a message. gossipsub writes subscriptions first, in RPCs of their own, and control last. */
export const beginsWithMessage = (rpc: Uint8Array): boolean => rpc[0] === MESSAGE_TAG

/**
 * One RPC as several that hold at most `messagesMax` messages and `bytesMax` bytes each, unless one part alone is larger: an answer to a peer
 * that misses a lot comes as one RPC, larger than any peer takes.
 */
export function splitRpc(rpc: Uint8Array, messagesMax: number, bytesMax: number): readonly Uint8Array[] {
  const pieces: Uint8Array[] = []
  let from = 0
  let messages = 0
  for (let at = 0; at < rpc.length; ) {
    const field = fieldAt(rpc, at)
    // What gossipsub encoded is well formed.
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

/** The last one counts, as protobuf has it. */
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
