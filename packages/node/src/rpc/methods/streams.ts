import { z } from 'zod'
import type { RpcBackend } from '../backend.ts'
import { RpcError } from '../errors.ts'
import * as forms from '../forms/index.ts'
import { JsonText } from '../json-text.ts'
import { type CallContext, type Connection, type Methods, method } from '../method.ts'
import { pollStream } from '../streams/poll.ts'
import { pollRequest, sourceOf, streamRequest } from '../streams/request.ts'
import { positionOfStart } from '../streams/start.ts'

function requireConnection({ connection }: CallContext): Connection {
  if (connection === undefined)
    throw new RpcError('method-not-found', 'notifications not supported: use a WebSocket, or poll with quoin_getStream')
  return connection
}

const unknownStream = (id: string): RpcError =>
  new RpcError('subscription-not-found', `stream not found on this connection: ${id.slice(0, 40)}`)

const sequence = z.int({ error: 'must be the sequence number of a batch' }).nonnegative()

/** Streams of final blocks and their content from any position ([ADR 24](../../../../../docs/adr/0024-streams-from-a-cursor.md)). */
export const streamMethods: Methods<RpcBackend> = {
  quoin_subscribe: method(
    { summary: 'Opens a stream over this WebSocket; answers its id.', params: ['stream'], result: forms.string },
    [streamRequest],
    async (backend: RpcBackend, [{ subject, start }], call) => {
      const connection = requireConnection(call)
      const source = sourceOf(backend.crypto, subject)
      const stream = connection.openStream(source, await positionOfStart(backend, start, source.unit, call))
      // The client must know the id before the first batch arrives.
      call.onEnd(() => setImmediate(() => stream.begin()))
      return stream.id
    },
  ),
  quoin_unsubscribe: method(
    { summary: 'Ends a stream of this WebSocket.', params: ['streamId'], result: forms.flag },
    [z.string()],
    (_: RpcBackend, [id], call) => {
      if (!requireConnection(call).endStream(id)) throw unknownStream(id)
      return true
    },
  ),
  quoin_acknowledge: method(
    { summary: 'Acknowledges the batches of a stream up to a number.', params: ['streamId', 'sequence'], result: forms.flag },
    [z.string(), sequence],
    (_: RpcBackend, [id, number], call) => {
      const stream = requireConnection(call).streamOf(id)
      if (stream === undefined) throw unknownStream(id)
      stream.acknowledge(number)
      return true
    },
  ),
  quoin_getStream: method(
    { summary: 'The next batch of a stream.', params: ['stream'], result: forms.streamBatch },
    [pollRequest],
    async (backend: RpcBackend, [{ subject, ...poll }], call) => {
      const source = sourceOf(backend.crypto, subject)
      const text = await pollStream(backend, { source, ...poll }, call)
      call.hold(text.length)
      return new JsonText(['{', text, '}'])
    },
  ),
}
