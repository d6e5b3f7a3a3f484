import { ADDRESS } from '../processes/addresses.ts'
import { drainedGroup, FUNDED_KEYS, FUNDED_WEI, fundedKey } from '../processes/funded.ts'
import { batch, HttpFlood } from '../processes/http-flood.ts'
import { RpcClient } from '../processes/rpc-client.ts'
import { keyOf, type Unsigned } from '../processes/signer.ts'
import { type Attack, lanes, type Stage } from './attack.ts'

const GAS_MAX = 36_000_000n
/** Nominal on a chain that charges nothing. Below the largest amount that a transaction can name. */
const TIP = 2n ** 255n
const NOBODY = '0x000000000000000000000000000000000000dead'
const BATCH = 250
/** Large transactions per batch, so that a batch stays below the body limit. */
const LARGE_BATCH = 15
const CALL_MS_MAX = 10_000

type Transaction = readonly [key: string, nonce: number, unsigned: Unsigned]

/** Sends signed transactions in batches over 4 connections to 2 nodes, as fast as they are answered, each once. */
async function sendAll(stage: Stage, raws: readonly string[], size: number = BATCH): Promise<() => Promise<void>> {
  const floods = stage.targets.map(({ rpcPort: port }) => new HttpFlood(stage, { port, connections: 2 }))
  const bodies: (readonly [text: string, calls: number])[] = []
  for (let at = 0; at < raws.length; at += size) {
    const part = raws.slice(at, at + size)
    bodies.push([batch(part.length, 'eth_sendRawTransaction', (i) => [part[i]]), part.length])
  }
  let next = 0
  const end = new AbortController()
  stage.signal.addEventListener('abort', () => end.abort())
  return () =>
    lanes(2 * floods.length, end.signal, async (lane) => {
      const body = bodies[next++]
      if (body === undefined) end.abort()
      else await floods[lane % floods.length]!.post(...body)
    })
}

/** Transactions of unfunded keys; each round has its own keys. */
const fresh =
  (transactions: (stage: Stage) => readonly Transaction[], size?: number) =>
  async (stage: Stage): Promise<() => Promise<void>> => {
    const keys = new Map<string, ReturnType<typeof keyOf>>()
    const key = (name: string) => {
      const known = keys.get(name) ?? keyOf(stage.crypto, `pressure ${stage.round} ${name}`)
      keys.set(name, known)
      return known
    }
    return sendAll(
      stage,
      transactions(stage).map(([name, nonce, unsigned]) => stage.sign(key(name), nonce, unsigned).raw),
      size,
    )
  }

/** Transactions of keys that the chain knows, each from its next nonce on. */
const funded =
  (each: number, group: (round: number) => string, unsigned: (stage: Stage, index: number) => Unsigned) =>
  async (stage: Stage): Promise<() => Promise<void>> => {
    const client = new RpcClient({ port: stage.targets[0]!.rpcPort, localAddress: ADDRESS.attacker })
    const raws = await Promise.all(
      Array.from({ length: FUNDED_KEYS }, async (_, i) => {
        const key = fundedKey(stage.crypto, group(stage.round), i)
        const answer = await client.call('eth_getTransactionCount', [key.address, 'latest'], CALL_MS_MAX)
        if (!answer.ok) throw new Error(`no nonce of ${key.address}: ${answer.why}`)
        return Array.from({ length: each }, (_, k) => stage.sign(key, Number(answer.result) + k, unsigned(stage, k)).raw)
      }),
    )
    client.close()
    // One of each key in turn.
    return sendAll(stage, Array.from({ length: each }, (_, k) => raws.map((of) => of[k]!)).flat())
  }

const list = (count: number, of: (index: number) => Transaction): readonly Transaction[] =>
  Array.from({ length: count }, (_, index) => of(index))

/**
 * Valid transactions fill the blocks, whoever sends them. The guarantee is that an honest transaction waits at most two blocks. Four
 * validators on two cores take a second for a full block of thousands of transfers or of 72 million gas of work.
 */
const FULL_BLOCKS = { fillsBlocks: true, noiseMs: 1_500 } as const

const greedy: Unsigned = { to: NOBODY, gas: GAS_MAX, tip: TIP }

export const poolAttacks: readonly Attack[] = [
  {
    name: 'fresh keys with the largest gas limit and tip',
    what: '13 keys that the chain does not know send 1,000 transfers of nothing each, with a gas limit of 36 million and a nominal tip of 2²⁵⁵',
    front: 'lifted',
    inShort: true,
    fillsPool: true,
    ...FULL_BLOCKS,
    prepare: fresh(() => list(13_000, (i) => [`greedy ${i % 13}`, Math.floor(i / 13), greedy])),
  },
  {
    name: 'a pool filled by fresh keys',
    what: '48,000 transfers of nothing with a gas limit of 36 million from 13 keys that the chain does not know: as many as the pool has places',
    front: 'lifted',
    fillsPool: true,
    ...FULL_BLOCKS,
    growthMbMax: 500,
    prepare: fresh(() => list(48_000, (i) => [`full ${i % 13}`, Math.floor(i / 13), { ...greedy, tip: 0n }])),
  },
  {
    name: 'ten thousand fresh keys',
    what: '10,000 keys that the chain does not know send one transfer of nothing each, with a gas limit of 36 million',
    front: 'lifted',
    fillsPool: true,
    ...FULL_BLOCKS,
    prepare: fresh(() => list(10_000, (i) => [`many ${i}`, 0, greedy])),
  },
  {
    name: 'keys that have sent before',
    what: '6,000 keys that the chain did not know send five transfers of nothing each, so that all but the first are those of senders that it knows',
    front: 'lifted',
    fillsPool: true,
    ...FULL_BLOCKS,
    growthMbMax: 500,
    prepare: fresh(() => list(30_000, (i) => [`again ${i % 6_000}`, Math.floor(i / 6_000), { to: NOBODY, gas: 21_000n }])),
  },
  {
    name: 'two transactions that take turns',
    what: '60 fresh keys have two transactions of 60 kB each at one nonce, which cannot run yet; both are sent to 2 validators again and again, each time the other one',
    front: 'lifted',
    fillsPool: true,
    growthMbMax: 500,
    prepare: async (stage) => {
      const raws = Array.from({ length: 60 }, (_, i) => {
        const key = keyOf(stage.crypto, `turns ${stage.round} ${i}`)
        return ['aa', 'bb'].map((byte) => stage.sign(key, 1, { to: NOBODY, data: `0x${byte.repeat(60_000)}`, gas: GAS_MAX }).raw)
      })
      const floods = stage.targets.map(({ rpcPort: port }) => new HttpFlood(stage, { port, connections: 1 }))
      const sent = floods.map(() => 0)
      return () =>
        lanes(floods.length, stage.signal, async (lane) => {
          const at = sent[lane]!++
          // The lanes are in different phases, so that the nodes hold different transactions.
          const four = Array.from({ length: 4 }, (_, i) => raws[(7 * at + 15 * lane + i) % raws.length]![(at + lane) % 2]!)
          await floods[lane]!.post(
            batch(4, 'eth_sendRawTransaction', (i) => [four[i]]),
            4,
          )
        })
    },
  },
  {
    name: 'transactions behind a gap',
    what: '12,000 transactions of 50 fresh keys, none of which can run because the first nonce is missing',
    front: 'lifted',
    fillsPool: true,
    prepare: fresh(() => list(12_000, (i) => [`gapped ${i % 50}`, 1 + Math.floor(i / 50), greedy])),
  },
  {
    name: 'replacements',
    what: '20,000 transactions of 20 fresh keys at one nonce each, every one with a higher nominal tip than the last',
    front: 'lifted',
    fillsPool: true,
    prepare: fresh(() => list(20_000, (i) => [`replaced ${i % 20}`, 1, { to: NOBODY, gas: 21_000n, tip: BigInt(1 + i) }])),
  },
  {
    name: 'large transactions',
    what: '400 transactions with 120 kB of data each, of 8 fresh keys',
    front: 'lifted',
    fillsPool: true,
    ...FULL_BLOCKS,
    growthMbMax: 500,
    prepare: fresh(() => {
      const data = `0x${'ab'.repeat(120_000)}`
      return list(400, (i) => [`large ${i % 8}`, Math.floor(i / 8), { to: NOBODY, data, gas: GAS_MAX }])
    }, LARGE_BATCH),
  },
  {
    name: 'senders that drain themselves',
    what: '20 accounts send 500 transfers each, the first of which takes all that the account has, so that the others cannot be paid',
    front: 'lifted',
    fillsPool: true,
    prepare: funded(500, drainedGroup, (_, k) => ({
      to: NOBODY,
      value: k === 0 ? FUNDED_WEI - 1n : FUNDED_WEI / 10n,
      gas: GAS_MAX,
    })),
  },
  {
    name: 'calls that burn 36 million gas',
    what: '160 calls of an endless computation with 36 million gas each, from 20 accounts that the chain knows',
    front: 'lifted',
    inShort: true,
    fillsPool: true,
    ...FULL_BLOCKS,
    prepare: funded(
      8,
      () => 'burners',
      ({ prepared: { endless } }) => ({ to: endless, gas: GAS_MAX, tip: TIP }),
    ),
  },
]
