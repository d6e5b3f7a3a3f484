import { ADDRESS, manyAddresses } from '../processes/addresses.ts'
import { HttpFlood, single } from '../processes/http-flood.ts'
import { openSocket, openSockets } from '../processes/socket-flood.ts'
import { type Attack, lanes, paced, type Stage } from './attack.ts'

const balanceOf = ({ prepared: { token } }: Stage): unknown => [{ to: token, data: `0x70a08231${'00'.repeat(31)}01` }, 'latest']

/** `eth_call`s at a fixed rate, distributed over some connections. */
const callsAt =
  (perSecond: number, connections: number, addressOf: (index: number) => string) =>
  async (stage: Stage): Promise<() => Promise<void>> => {
    const text = single('eth_call', balanceOf(stage))
    const floods = Array.from({ length: connections }, (_, i) => {
      const { rpcPort: port } = stage.targets[i % stage.targets.length]!
      return new HttpFlood(stage, { port, connections: 1, localAddress: addressOf(i) })
    })
    return () => paced(perSecond, stage.signal, (i) => void floods[i % floods.length]!.post(text, 1))
  }

/** Calls of one kind over some connections, each sent when the previous one was answered. */
const callsInTurn =
  (connections: number, body: (stage: Stage) => string) =>
  async (stage: Stage): Promise<() => Promise<void>> => {
    const text = body(stage)
    const floods = stage.targets.map(({ rpcPort: port }) => new HttpFlood(stage, { port, connections }))
    return () => lanes(connections * floods.length, stage.signal, (lane) => floods[lane % floods.length]!.post(text, 1))
  }

/** State overrides that fill a body of about 4 MB. */
function manyOverrides({ prepared: { token } }: Stage): string {
  const slots = Object.fromEntries(
    Array.from({ length: 28_000 }, (_, i) => [`0x${i.toString(16).padStart(64, '0')}`, `0x${'11'.repeat(32)}`]),
  )
  return single('eth_call', [{ to: token, data: '0x18160ddd' }, 'latest', { [token]: { stateDiff: slots } }])
}

/** Different code for each of many accounts, which must be compiled. */
const manyCodes = ({ prepared: { code } }: Stage): string => {
  const address = (i: number): string => `0x${(0xc0de00 + i).toString(16).padStart(40, '0')}`
  const overrides = Object.fromEntries(Array.from({ length: 32 }, (_, i) => [address(i), { code }]))
  return single('eth_call', [{ to: address(0), data: '0x06fdde03' }, 'latest', overrides])
}

export const callAttacks: readonly Attack[] = [
  {
    name: '2,000 eth_calls a second',
    what: '2,000 eth_calls a second of a token balance, over 32 connections to 2 validators',
    front: 'lifted',
    inShort: true,
    prepare: callsAt(2_000, 32, () => ADDRESS.attacker),
  },
  {
    name: '2,000 eth_calls a second, default limits, from 64 addresses',
    what: 'the same from 64 addresses, against validators with the limits that a node has by itself',
    front: 'defaults',
    reads: false,
    prepare: callsAt(2_000, 64, (i) => manyAddresses(i)),
  },
  {
    name: 'endless eth_calls of one WebSocket',
    what: '4,096 eth_calls over one WebSocket to each of 2 validators, each of which computes until its gas is out',
    front: 'lifted',
    inShort: true,
    // Calls of other clients take turns with these, however much one address requests.
    reads: true,
    prepare: async (stage) => {
      const text = single('eth_call', [{ to: stage.prepared.endless }, 'latest'])
      return async () => {
        for (const { rpcPort } of stage.targets) {
          const socket = await openSocket(stage, rpcPort)
          for (let i = 0; i < 4_096; i++) socket?.send(text, 'calls sent')
        }
      }
    },
  },
  {
    name: 'endless eth_calls, default limits',
    what: 'endless eth_calls over 64 connections to each of 2 validators with the limits that a node has by itself',
    front: 'defaults',
    prepare: callsInTurn(64, ({ prepared: { endless } }) => single('eth_call', [{ to: endless }, 'latest'])),
  },
  {
    name: 'endless eth_estimateGas',
    what: 'eth_estimateGas of an endless computation over 32 connections to each of 2 validators',
    front: 'lifted',
    prepare: callsInTurn(32, ({ prepared: { endless } }) => single('eth_estimateGas', [{ to: endless }])),
  },
  {
    name: 'eth_calls with 4 MB of overrides',
    what: 'eth_calls that override 28,000 storage slots, over 4 connections to each of 2 validators',
    front: 'lifted',
    growthMbMax: 400,
    prepare: callsInTurn(4, manyOverrides),
  },
  {
    name: 'eth_calls that bring their code',
    what: 'eth_calls that override the code of 32 accounts, over 8 connections to each of 2 validators',
    front: 'lifted',
    growthMbMax: 400,
    prepare: callsInTurn(8, manyCodes),
  },
  {
    name: 'pipelined calls on WebSockets',
    what: '20 WebSockets to 2 validators, each sends eth_getBlockReceipts 200 times a second, answered or not',
    front: 'lifted',
    growthMbMax: 400,
    prepare: async (stage) => {
      const { largeBlock, smallBlocks } = stage.prepared
      const texts = [largeBlock, ...smallBlocks].map((height) => single('eth_getBlockReceipts', [`0x${height.toString(16)}`]))
      return async () => {
        const sockets = await openSockets(stage, 20)
        await paced(4_000, stage.signal, (i) => sockets[i % sockets.length]?.send(texts[i % texts.length]!, 'calls sent'))
      }
    },
  },
]
