import { developmentAccounts } from '@quoin/platform'
import { ADDRESS, manyAddresses } from '../processes/addresses.ts'
import { HttpFlood, single } from '../processes/http-flood.ts'
import { RpcClient } from '../processes/rpc-client.ts'
import { type AttackSocket, openSocket, openSockets } from '../processes/socket-flood.ts'
import { type Attack, paced, type Stage } from './attack.ts'

/** Token transfers per second during subscription attacks: each emits a log. */
const LOAD_PER_SECOND = 100
/** More than the longest phase needs. */
const LOAD_TRANSACTIONS = 1_200
const CALL_MS_MAX = 10_000

const subscribe = (...params: readonly unknown[]): string => single('eth_subscribe', params)

/** Token transfers of the deployer to the first target, from another address than the attacker's: the events that subscribers receive. */
async function tokenLoad(stage: Stage): Promise<() => Promise<void>> {
  const { targets, prepared, crypto, sign, signal, tally } = stage
  const [deployer] = developmentAccounts(crypto)
  const client = new RpcClient({ port: targets[0]!.rpcPort, localAddress: manyAddresses(250) })
  const answer = await client.call('eth_getTransactionCount', [deployer!.address, 'pending'], CALL_MS_MAX)
  client.close()
  if (!answer.ok) throw new Error(`cannot get the nonce of the deployer: ${answer.why}`)
  const first = Number(answer.result)
  const data = `0xa9059cbb${'00'.repeat(30)}dead${'00'.repeat(31)}01`
  const texts = Array.from({ length: LOAD_TRANSACTIONS }, (_, i) =>
    single('eth_sendRawTransaction', [sign(deployer!, first + i, { to: prepared.token, data, gas: 120_000n }).raw]),
  )
  const flood = new HttpFlood(
    { ...stage, tally },
    { port: targets[0]!.rpcPort, connections: 1, localAddress: manyAddresses(250) },
  )
  return () =>
    paced(LOAD_PER_SECOND, signal, (i) => {
      if (i < texts.length) void flood.post(texts[i]!, 1)
    })
}

/** Subscriptions over WebSockets, created when the attack begins, and token transfers that they report. */
const subscribers =
  (sockets: number, texts: (stage: Stage) => readonly string[], prepareSocket: (socket: AttackSocket) => void = () => {}) =>
  async (stage: Stage): Promise<() => Promise<void>> => {
    const load = await tokenLoad(stage)
    const subscriptions = texts(stage)
    return async () => {
      for (const socket of await openSockets(stage, sockets)) {
        for (const text of subscriptions) socket.send(text, 'subscriptions asked for')
        prepareSocket(socket)
      }
      await load()
    }
  }

export const subscriptionAttacks: readonly Attack[] = [
  {
    name: 'subscriptions to logs',
    what: `24 WebSockets to 2 validators, each with 128 subscriptions to all logs, and ${LOAD_PER_SECOND} token transfers a second`,
    front: 'lifted',
    inShort: true,
    fillsPool: true,
    prepare: subscribers(24, () => Array.from({ length: 128 }, () => subscribe('logs', {}))),
  },
  {
    name: 'different subscriptions to logs',
    what: `24 WebSockets with 128 subscriptions each, no two with the same addresses and topics, and ${LOAD_PER_SECOND} token transfers a second`,
    front: 'lifted',
    fillsPool: true,
    prepare: async (stage) => {
      const load = await tokenLoad(stage)
      const { token } = stage.prepared
      const topic = (i: number): string => `0x${i.toString(16).padStart(64, '0')}`
      return async () => {
        const sockets = await openSockets(stage, 24)
        for (const [s, socket] of sockets.entries())
          for (let i = 0; i < 128; i++) {
            const others = Array.from({ length: 8 }, (_, k) => topic(1_024 * s + 8 * i + k))
            socket.send(subscribe('logs', { address: token, topics: [null, [null, ...others]] }), 'subscriptions asked for')
          }
        await load()
      }
    },
  },
  {
    name: 'subscribers that do not read',
    what: `64 WebSockets to 2 validators, each with 128 subscriptions to blocks, logs and whole pending transactions, that never read, and ${LOAD_PER_SECOND} token transfers a second`,
    front: 'lifted',
    growthMbMax: 500,
    fillsPool: true,
    prepare: subscribers(
      64,
      () =>
        Array.from(
          { length: 128 },
          (_, i) => [subscribe('logs', {}), subscribe('newHeads'), subscribe('newPendingTransactions', true)][i % 3]!,
        ),
      (socket) => socket.pause(),
    ),
  },
  {
    name: 'subscriptions that come and go',
    what: '8 WebSockets to 2 validators, each subscribes and unsubscribes 500 times a second',
    front: 'lifted',
    prepare: async (stage) => async () => {
      const sockets = await openSockets(stage, 8)
      for (const socket of sockets)
        socket.onText((text) => {
          const id = /"result":"(0x[0-9a-f]+)"/.exec(text)?.[1]
          if (id !== undefined) socket.send(single('eth_unsubscribe', [id]))
        })
      await paced(4_000, stage.signal, (i) => sockets[i % sockets.length]?.send(subscribe('logs', {})))
    },
  },
  {
    name: 'WebSockets that come and go',
    what: '200 WebSockets a second to 2 validators, each with 16 subscriptions, closed after a second',
    front: 'defaults',
    prepare: async (stage) => () =>
      paced(200, stage.signal, (i) => {
        const { rpcPort } = stage.targets[i % stage.targets.length]!
        void openSocket(stage, rpcPort, ADDRESS.attacker).then((socket) => {
          if (socket === undefined) return
          for (let k = 0; k < 16; k++) socket.send(subscribe('newHeads'))
          setTimeout(() => socket.close(), 1_000)
        })
      }),
  },
  {
    name: 'filters that nobody asks for',
    what: 'filters with 100 addresses each, made 500 times a second from 60 addresses at 2 validators, never asked for and never removed',
    front: 'lifted',
    prepare: async (stage) => {
      const floods = Array.from({ length: 60 }, (_, i) => {
        const { rpcPort: port } = stage.targets[i % stage.targets.length]!
        return new HttpFlood(stage, { port, connections: 1, localAddress: manyAddresses(i) })
      })
      const address = Array.from({ length: 100 }, (_, i) => `0x${(i + 1).toString(16).padStart(40, '0')}`)
      const texts = [
        single('eth_newFilter', [{ address }]),
        single('eth_newPendingTransactionFilter', []),
        single('eth_newBlockFilter', []),
      ]
      return () => paced(500, stage.signal, (i) => void floods[i % floods.length]!.post(texts[i % texts.length]!, 1))
    },
  },
]
