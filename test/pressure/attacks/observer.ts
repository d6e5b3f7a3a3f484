import { codec, type Hash, Height, Round } from '@quoin/protocol'
import { encodeMessage } from '../../../packages/node/src/engine/messages.ts'
import { encodeTransactionsPayload } from '../../../packages/node/src/mempool/gossip/payload.ts'
import { encodeFrames } from '../../../packages/node/src/network/frames.ts'
import { type PeerId, TransportError } from '../../../packages/node/src/powers.ts'
import { SYNC_LIMITS } from '../../../packages/node/src/sync/limits.ts'
import { statusCodec, syncRequestCodec } from '../../../packages/node/src/sync/messages.ts'
import { joinAsObserver } from '../processes/observer.ts'
import { dialRaw, type RawConnection, YAMUX } from '../processes/raw-peer.ts'
import { keyOf } from '../processes/signer.ts'
import { type Attack, lanes, paced, type Stage, untilAborted } from './attack.ts'

const NOBODY = '0x000000000000000000000000000000000000dead'
/** Transactions that it repeats. */
const REPEATED = 200

export const OBSERVER_ATTACKS = {
  orders: 'observer: known transactions in ever new orders',
  junk: 'observer: transactions that nobody wants',
  lies: 'observer: false answers to block sync',
  asks: 'observer: asks for all blocks, again and again',
  deaf: 'observer: never reads',
  slow: 'observer: windows of one byte',
  streams: 'observer: streams that come and go',
} as const

/** Errors are grouped by kind, without their data. */
const reasonOf = (failure: unknown): string => {
  if (failure instanceof TransportError) return `question ${failure.reason}`
  throw failure
}

function shuffled<T>(items: readonly T[], seed: number): readonly T[] {
  const result = [...items]
  let state = seed >>> 0
  for (let i = result.length - 1; i > 0; i--) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    const other = state % (i + 1)
    ;[result[i], result[other]] = [result[other]!, result[i]!]
  }
  return result
}

const allBlocks = (from: number): Uint8Array =>
  codec.encode(syncRequestCodec, {
    ...{ kind: 'blocks', from: Height(from) },
    ...{ countMax: SYNC_LIMITS.answerBlocksMax, bytesMax: SYNC_LIMITS.answerBytesMax },
  })

/** Sends a request to a peer, and counts the outcome. */
async function ask(
  stage: Stage,
  peer: PeerId,
  transport: Awaited<ReturnType<typeof joinAsObserver>>['transport'],
): Promise<void> {
  try {
    await transport.request(peer, allBlocks(stage.prepared.largeBlock), stage.signal)
    stage.tally.add('answered')
  } catch (failure) {
    stage.tally.add(reasonOf(failure))
    await pauseTurn()
  }
}

const pauseTurn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setTimeout(() => resolve(), 20)))

/** Requests whose answers are not read, on this many streams per connection. */
async function askUnread(stage: Stage, connections: readonly RawConnection[], each: number): Promise<void> {
  const question = encodeFrames([allBlocks(stage.prepared.largeBlock)])
  await lanes(each * connections.length, stage.signal, async (lane) => {
    const { connection, openRequest } = connections[lane % connections.length]!
    if (connection.status !== 'open') {
      stage.tally.add('connection closed by the node')
      return untilAborted(stage.signal)
    }
    const stream = await openRequest().catch(() => undefined)
    if (stream === undefined) {
      stage.tally.add('stream refused')
      return pauseTurn()
    }
    stream.pause()
    stream.send(question)
    stage.tally.add('asked')
    await new Promise<void>((resolve) => stream.addEventListener('close', () => resolve()))
  })
}

export const observerAttacks: readonly Attack[] = [
  {
    name: OBSERVER_ATTACKS.orders,
    what: `a listed node without a vote publishes the same ${REPEATED} transactions, which everybody has, 600 times a second, each time in another order`,
    front: 'network',
    inShort: true,
    fillsPool: true,
    prepare: async (stage) => {
      const { transport } = await joinAsObserver(stage, OBSERVER_ATTACKS.orders)
      // Behind a nonce gap, so that they stay in the pool.
      const raws = Array.from({ length: REPEATED }, (_, i) => {
        const key = keyOf(stage.crypto, `pressure repeated ${stage.round} ${i}`)
        return Buffer.from(stage.sign(key, 1, { to: NOBODY, gas: 21_000n }).raw.slice(2), 'hex')
      })
      return () =>
        paced(600, stage.signal, (i) => {
          stage.tally.add(transport.peers().length === 0 ? 'nobody listens' : 'published')
          transport.publish(encodeTransactionsPayload(shuffled(raws, i)), 'all')
        })
    },
  },
  {
    name: OBSERVER_ATTACKS.junk,
    what: 'a listed node without a vote publishes 100 payloads a second of 200 transactions each, of ever new keys, behind a gap, or with a nonce that is used',
    front: 'network',
    fillsPool: true,
    prepare: async (stage) => {
      const { transport } = await joinAsObserver(stage, OBSERVER_ATTACKS.junk)
      const payloads = Array.from({ length: 200 }, (_, p) => {
        const raws = Array.from({ length: 200 }, (_, i) => {
          const key = keyOf(stage.crypto, `pressure junk ${stage.round} ${p} ${i % 10}`)
          return Buffer.from(stage.sign(key, 2 + i, { to: NOBODY, gas: 21_000n }).raw.slice(2), 'hex')
        })
        return encodeTransactionsPayload(raws)
      })
      return () =>
        paced(100, stage.signal, (i) => {
          stage.tally.add(transport.peers().length === 0 ? 'nobody listens' : 'published')
          transport.publish(payloads[i % payloads.length]!, 'all')
        })
    },
  },
  {
    name: OBSERVER_ATTACKS.lies,
    what: 'a listed node without a vote claims to be 1,000 blocks ahead, ten times a second, and answers questions for blocks with garbage, zeros of 16 MB, cut and old blocks',
    front: 'network',
    prepare: async (stage) => {
      let height = 0
      let lie = 0
      const blocks: Uint8Array[] = [Uint8Array.of(0xff), new Uint8Array(16 * 1024 * 1024), Uint8Array.of(0, 0, 1, 0, 1, 2, 3)]
      const { transport } = await joinAsObserver(stage, OBSERVER_ATTACKS.lies, {
        onRequest: async (_, message) => {
          const request = codec.decode(syncRequestCodec, message)
          if (!request.ok) return undefined
          stage.tally.add(`asked for ${request.value.kind}`)
          if (request.value.kind === 'blocks') return blocks[lie++ % blocks.length]
          height = Math.max(height, request.value.height)
          const { genesisHash, hash } = request.value
          return codec.encode(statusCodec, { genesisHash, height: Height(height + 1_000), hash })
        },
      })
      const [peer] = transport.peers()
      const real = await transport.request(peer!, allBlocks(1), stage.signal)
      blocks.push(real, real.subarray(0, real.length >> 1))
      return () =>
        paced(10, stage.signal, () => {
          stage.tally.add(transport.peers().length === 0 ? 'nobody listens' : 'claimed')
          const claim = encodeMessage({ kind: 'status', height: Height(height + 1_000), round: Round(0) })
          for (const peer of transport.peers()) transport.send(peer, claim)
          const { genesisHash } = stage.prepared
          const status = { genesisHash: genesisHash as Hash, height: Height(height + 1_000), hash: genesisHash as Hash }
          const question = codec.encode(syncRequestCodec, { kind: 'status', ...status })
          for (const peer of transport.peers())
            transport.request(peer, question, stage.signal).catch((failure: unknown) => stage.tally.add(reasonOf(failure)))
        })
    },
  },
  {
    name: OBSERVER_ATTACKS.asks,
    what: 'a listed node without a vote asks every validator for 1 MB of blocks on 8 streams at a time, and reads the answers',
    front: 'network',
    prepare: async (stage) => {
      const { transport } = await joinAsObserver(stage, OBSERVER_ATTACKS.asks)
      const peers = transport.peers()
      return () => lanes(8 * peers.length, stage.signal, (lane) => ask(stage, peers[lane % peers.length]!, transport))
    },
  },
  {
    name: OBSERVER_ATTACKS.deaf,
    what: 'a listed node without a vote opens every stream, asks for 1 MB of blocks on 8 streams at a time, and then reads nothing from its socket',
    front: 'network',
    prepare: async (stage) => {
      const connections = await dialRaw(stage, OBSERVER_ATTACKS.deaf)
      for (const { openOrdered, subscribe } of connections) {
        await openOrdered()
        await subscribe()
      }
      return async () => {
        const asking = askUnread(stage, connections, 8)
        // The requests are sent first.
        setTimeout(() => {
          for (const { socket } of connections) socket.pause()
        }, 200)
        await asking
      }
    },
  },
  {
    name: OBSERVER_ATTACKS.slow,
    what: 'a listed node without a vote asks for 1 MB of blocks on 8 streams at a time and opens the window of each stream by one byte 50 times a second',
    front: 'network',
    prepare: async (stage) => {
      const connections = await dialRaw(stage, OBSERVER_ATTACKS.slow)
      const windows = new Set<() => void>()
      for (const { multiplexer, openOrdered, subscribe } of connections) {
        await openOrdered()
        await subscribe()
        const send = multiplexer.sendFrame.bind(multiplexer)
        multiplexer.sendFrame = (header, data) => {
          if (header.type !== YAMUX.windowUpdate) return send(header, data)
          const { streamID } = header
          windows.add(() => {
            if (multiplexer.status !== 'open') return stage.tally.add('windows of a session that ended')
            send({ type: YAMUX.windowUpdate, flag: 0, streamID, length: 1 })
            stage.tally.add('windows opened by a byte')
          })
          // The first one opens the stream; ends and resets pass unchanged.
          return header.flag === 0 ? true : send({ ...header, length: 0 })
        }
      }
      return async () => {
        const asking = askUnread(stage, connections, 8)
        await paced(50, stage.signal, () => {
          for (const open of windows) open()
        })
        await asking
      }
    },
  },
  {
    name: OBSERVER_ATTACKS.streams,
    what: 'a listed node without a vote opens and resets 2,000 streams a second with every validator, and sends as many pings',
    front: 'network',
    prepare: async (stage) => {
      const connections = await dialRaw(stage, OBSERVER_ATTACKS.streams)
      for (const { openOrdered, multiplexer } of connections) {
        await openOrdered()
        // Our multiplexer would end the connection on answers to pings that it did not send.
        multiplexer.handlePingResponse = () => {}
      }
      return () => {
        // The dialler uses odd ids; these are higher than those in use.
        let streamID = 1_000_001
        return paced(2_000, stage.signal, (i) => {
          streamID += 2
          for (const { multiplexer, connection } of connections) {
            if (connection.status !== 'open') {
              stage.tally.add('connection closed by the node')
              continue
            }
            stage.tally.add('streams opened')
            multiplexer.sendFrame({ type: YAMUX.windowUpdate, flag: YAMUX.syn, streamID, length: 0 })
            multiplexer.sendFrame({ type: YAMUX.windowUpdate, flag: YAMUX.rst, streamID, length: 0 })
            multiplexer.sendFrame({ type: YAMUX.ping, flag: YAMUX.syn, streamID: 0, length: i })
          }
        })
      }
    },
  },
]
