import { connect, type Socket } from 'node:net'
import { pause } from '../../../packages/node/src/abort.ts'
import { systemClock } from '../../../packages/node/src/system-clock.ts'
import { ADDRESS, manyAddresses } from '../processes/addresses.ts'
import { single } from '../processes/http-flood.ts'
import { keyOf } from '../processes/signer.ts'
import { type Attack, lanes, paced, type Stage } from './attack.ts'

const upgrade = (fields: string): string =>
  `GET / HTTP/1.1\r\n${fields}Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`
const HERE = 'Host: 127.0.0.1\r\n'
/** Prevents an endless loop if a node closes at once. */
const AGAIN_MS = 100
const PIPELINED = 2_000

/** Opens a connection, counts its outcome, and passes it to `use`. Resolves some time after it is closed. */
function opened({ signal, tally }: Stage, port: number, localAddress: string, use: (socket: Socket) => void): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, localAddress, noDelay: true })
    const leave = (): void => void socket.destroy()
    socket.on('connect', () => use(socket))
    socket.on('data', (data: Buffer) => {
      const status = /^HTTP\/1\.1 (\d+)/.exec(data.toString('latin1', 0, 16))?.[1]
      if (status !== undefined) tally.add(`HTTP ${status}`)
    })
    socket.on('error', (failure: NodeJS.ErrnoException) => {
      if (!signal.aborted) tally.add(failure.code ?? 'broken')
    })
    socket.on('close', () => {
      signal.removeEventListener('abort', leave)
      void pause(systemClock, AGAIN_MS).then(resolve)
    })
    signal.addEventListener('abort', leave, { once: true })
    if (signal.aborted) leave()
  })
}

/** A WebSocket frame of a client, masked with zeros. */
const frame = (opcode: number, isFinal: boolean, payload: string): Buffer =>
  Buffer.concat([Buffer.of((isFinal ? 0x80 : 0) | opcode, 0x80 | payload.length, 0, 0, 0, 0), Buffer.from(payload)])

/** A transaction that waits forever for an earlier one, and is known to the node. */
async function waiting(stage: Stage): Promise<string> {
  const raw = stage.sign(keyOf(stage.crypto, `waits ${stage.round}`), 1, { to: `0x${'00'.repeat(19)}01`, gas: 21_000n }).raw
  await fetch(`http://127.0.0.1:${stage.targets[0]!.rpcPort}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: single('eth_sendRawTransaction', [raw]),
  })
  return single('eth_sendRawTransactionSync', [raw, 30_000])
}

/** Uses of connections that no client library makes. */
export const wireAttacks: readonly Attack[] = [
  {
    name: 'WebSockets that are refused, and reset',
    what: '50 connections a second to 2 validators ask for a WebSocket of another host, and are reset before they are answered',
    front: 'defaults',
    inShort: true,
    prepare: async (stage) => () =>
      paced(50, stage.signal, (i) => {
        const { rpcPort } = stage.targets[i % stage.targets.length]!
        void opened(stage, rpcPort, ADDRESS.attacker, (socket) => {
          socket.write(upgrade('Host: evil.example\r\n'))
          setTimeout(() => socket.resetAndDestroy(), i % 5)
        })
      }),
  },
  {
    name: 'requests that do not wait for answers',
    what: `40 connections to one validator, each with a call that waits and ${PIPELINED} GETs behind it in one packet; closed ones are opened again`,
    front: 'defaults',
    prepare: async (stage) => {
      const [{ rpcPort }] = stage.targets as [Stage['targets'][number]]
      const body = await waiting(stage)
      const post = `POST / HTTP/1.1\r\n${HERE}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
      const text = post + `GET / HTTP/1.1\r\n${HERE}\r\n`.repeat(PIPELINED)
      return () => lanes(40, stage.signal, () => opened(stage, rpcPort, ADDRESS.attacker, (socket) => socket.write(text)))
    },
  },
  {
    name: 'messages in frames of one byte',
    what: '140 WebSockets to one validator, each with a message in 126,000 frames that does not end',
    front: 'defaults',
    prepare: async (stage) => {
      const [{ rpcPort }] = stage.targets as [Stage['targets'][number]]
      const frames = Buffer.concat([frame(1, false, '['), ...Array.from({ length: 126_000 }, () => frame(0, false, ' '))])
      return () =>
        lanes(140, stage.signal, () =>
          opened(stage, rpcPort, ADDRESS.attacker, (socket) => {
            socket.write(upgrade(HERE))
            socket.once('data', () => socket.write(frames))
          }),
        )
    },
  },
  {
    name: 'calls that wait, on all places',
    what: '132 WebSockets to one validator, each with 64 waits for the receipt of a transaction that cannot run',
    front: 'defaults',
    prepare: async (stage) => {
      const [{ rpcPort }] = stage.targets as [Stage['targets'][number]]
      const text = await waiting(stage)
      const length = Buffer.alloc(2)
      length.writeUInt16BE(text.length)
      const message = Buffer.concat([Buffer.of(0x81, 0x80 | 126), length, Buffer.alloc(4), Buffer.from(text)])
      const messages = Buffer.concat(Array.from({ length: 64 }, () => message))
      return () =>
        lanes(132, stage.signal, () =>
          opened(stage, rpcPort, ADDRESS.attacker, (socket) => {
            socket.write(upgrade(HERE))
            socket.once('data', () => socket.write(messages))
          }),
        )
    },
  },
  {
    name: 'idle WebSockets, each from an address of its own',
    what: '1,030 WebSockets to one validator from as many addresses, of which twenty listen to new blocks; closed ones are opened again',
    front: 'defaults',
    prepare: async (stage) => {
      const [{ rpcPort }] = stage.targets as [Stage['targets'][number]]
      const text = single('eth_subscribe', ['newHeads'])
      return () =>
        lanes(1_030, stage.signal, (lane) =>
          opened(stage, rpcPort, manyAddresses(1 + lane), (socket) => {
            socket.write(upgrade(HERE))
            if (lane < 20) socket.once('data', () => socket.write(frame(1, true, text)))
          }),
        )
    },
  },
  {
    name: 'bodies that stop, of one address',
    what: '480 connections to one validator from one address, each with 285 kB of a body of 5 MB; closed ones are opened again',
    front: 'defaults',
    prepare: async (stage) => {
      const [{ rpcPort }] = stage.targets as [Stage['targets'][number]]
      const head = `POST / HTTP/1.1\r\n${HERE}Content-Type: application/json\r\nContent-Length: 5000000\r\n\r\n`
      const text = head + ' '.repeat(285_000)
      return () => lanes(480, stage.signal, () => opened(stage, rpcPort, ADDRESS.attacker, (socket) => socket.write(text)))
    },
  },
]
