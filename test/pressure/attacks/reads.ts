import { manyAddresses } from '../processes/addresses.ts'
import { batch, HttpFlood, single } from '../processes/http-flood.ts'
import { type Attack, lanes, paced, type Stage } from './attack.ts'

/** Calls per batch: a node's default limit. */
const BATCH = 1_000

const hex = (value: number): string => `0x${value.toString(16)}`

/** Batches of one method over some connections to each node, each sent when the previous one was answered. */
const batches =
  (connections: number, calls: number, body: (stage: Stage) => string) =>
  async (stage: Stage): Promise<() => Promise<void>> => {
    const text = body(stage)
    const floods = stage.targets.map(({ rpcPort: port }) => new HttpFlood(stage, { port, connections }))
    return () => lanes(connections * floods.length, stage.signal, (lane) => floods[lane % floods.length]!.post(text, calls))
  }

const receipts = ({ prepared: { smallBlocks } }: Stage): string =>
  batch(BATCH, 'eth_getBlockReceipts', (i) => [hex(smallBlocks[i % smallBlocks.length]!)])

/** An address without an account. */
const stranger = (index: number): string => `0x${(index + 1).toString(16).padStart(40, '0')}`

export const readAttacks: readonly Attack[] = [
  {
    name: 'batches of block receipts',
    what: `batches of ${BATCH} eth_getBlockReceipts, 2 connections to each of 2 validators, the next when the last is answered`,
    front: 'lifted',
    prepare: batches(2, BATCH, receipts),
  },
  {
    name: 'batches of block receipts, default limits',
    what: 'the same against validators with the limits that a node has by itself',
    front: 'defaults',
    prepare: batches(2, BATCH, receipts),
  },
  {
    name: 'batches of fee histories',
    what: `batches of ${BATCH} eth_feeHistory of 1,024 blocks with 100 percentiles, 2 connections to each of 2 validators`,
    front: 'lifted',
    prepare: batches(2, BATCH, () => {
      const percentiles = Array.from({ length: 100 }, (_, i) => i)
      return batch(BATCH, 'eth_feeHistory', () => ['0x400', 'latest', percentiles])
    }),
  },
  {
    name: 'batches of full blocks',
    what: `batches of ${BATCH} eth_getBlockByNumber with all transactions, 2 connections to each of 2 validators`,
    front: 'lifted',
    prepare: batches(2, BATCH, ({ prepared: { largeBlock, smallBlocks } }) => {
      const blocks = [largeBlock, ...smallBlocks]
      return batch(BATCH, 'eth_getBlockByNumber', (i) => [hex(blocks[i % blocks.length]!), true])
    }),
  },
  {
    name: 'batches of log queries',
    what: `batches of ${BATCH} eth_getLogs over the whole chain for 100 addresses that have none, 2 connections to each of 2 validators`,
    front: 'lifted',
    prepare: batches(2, BATCH, () => {
      const address = Array.from({ length: 100 }, (_, i) => stranger(i))
      return batch(BATCH, 'eth_getLogs', () => [{ fromBlock: '0x0', toBlock: 'latest', address }])
    }),
  },
  {
    name: 'batches of nonces of strangers',
    what: `batches of ${BATCH} eth_getTransactionCount of accounts that do not exist, 8 connections to each of 2 validators`,
    front: 'lifted',
    prepare: batches(8, BATCH, () => batch(BATCH, 'eth_getTransactionCount', (i) => [stranger(i), 'latest'])),
  },
  {
    name: 'deeply nested JSON',
    what: 'bodies of 5 MB: arrays nested 2.5 million deep, and arrays of 2.4 million numbers; 2 connections to each of 2 validators',
    front: 'lifted',
    prepare: async (stage) => {
      const texts = [`${'['.repeat(2_500_000)}${']'.repeat(2_500_000)}`, `[${'1,'.repeat(2_400_000)}1]`]
      const floods = stage.targets.map(({ rpcPort: port }) => new HttpFlood(stage, { port, connections: 2 }))
      return () => lanes(4, stage.signal, (lane) => floods[lane % floods.length]!.post(texts[(lane >> 1) % texts.length]!, 1))
    },
  },
  {
    name: 'batches whose client leaves',
    what: `batches of ${BATCH} eth_getBlockReceipts, each over a connection that is closed as soon as the batch is sent; 4 at a time to each of 2 validators`,
    front: 'lifted',
    inShort: true,
    prepare: async (stage) => {
      const text = receipts(stage)
      const floods = stage.targets.map(({ rpcPort: port }) => new HttpFlood(stage, { port, connections: 1 }))
      return () => lanes(4 * floods.length, stage.signal, (lane) => floods[lane % floods.length]!.abandon(text, BATCH))
    },
  },
  {
    name: 'single reads from one address',
    what: 'eth_getBalance one by one over 32 connections to each of 2 validators, as fast as they are answered',
    front: 'defaults',
    prepare: async (stage) => {
      const floods = stage.targets.map(({ rpcPort: port }) => new HttpFlood(stage, { port, connections: 32 }))
      return () =>
        lanes(32 * floods.length, stage.signal, (lane) =>
          floods[lane % floods.length]!.post(single('eth_getBalance', [stranger(lane), 'latest']), 1),
        )
    },
  },
  {
    name: 'single reads from 200 addresses',
    what: 'eth_getBalance at 4,000 a second in all, each address over one connection, to 2 validators',
    front: 'defaults',
    // The node cannot distinguish these addresses from honest ones.
    reads: false,
    prepare: async (stage) => {
      const floods = Array.from({ length: 200 }, (_, i) => {
        const { rpcPort: port } = stage.targets[i % stage.targets.length]!
        return new HttpFlood(stage, { port, connections: 1, localAddress: manyAddresses(i) })
      })
      return () =>
        paced(4_000, stage.signal, (i) => {
          void floods[i % floods.length]!.post(single('eth_getBalance', [stranger(i % 1_000), 'latest']), 1)
        })
    },
  },
  {
    name: 'transactions that are none, in batches',
    what: `batches of ${BATCH} eth_sendRawTransaction of garbage and of wrong signatures, 4 connections to each of 2 validators`,
    front: 'lifted',
    prepare: batches(4, BATCH, (stage) => {
      const { raw } = stage.sign({ secretKey: stage.crypto.sha256(Uint8Array.of(7)) }, 0, { to: stranger(1), gas: 21_000n })
      // The end is the signature's s, which no signature has this large.
      const forged = (i: number): string => `${raw.slice(0, -64)}${'f'.repeat(60)}${i.toString(16).padStart(4, '0')}`
      return batch(BATCH, 'eth_sendRawTransaction', (i) => [i % 2 === 0 ? '0x02c0' : forged(i)])
    }),
  },
]
