import { encodeVarint } from '../src/network/frames.ts'

const join = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts))

const field = (number: number, body: Uint8Array): Uint8Array =>
  join(Uint8Array.of(8 * number + 2), encodeVarint(body.length), body)

/** A gossipsub RPC with one message and nothing else. */
export const messageRpc = (topic: string, payload: Uint8Array): Uint8Array =>
  field(2, join(field(2, payload), field(4, Buffer.from(topic))))

/** A gossipsub RPC that subscribes to a topic. */
export const subscriptionRpc = (topic: string): Uint8Array => field(1, join(Uint8Array.of(8, 1), field(2, Buffer.from(topic))))

/** The RPC as sent on the wire: prefixed with its length. */
export const rpcFrame = (...rpcs: readonly Uint8Array[]): Uint8Array => {
  const rpc = join(...rpcs)
  return join(encodeVarint(rpc.length), rpc)
}
