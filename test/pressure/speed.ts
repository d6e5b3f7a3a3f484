import { pause } from '../../packages/node/src/abort.ts'
import { loadCrypto } from '../../packages/node/src/crypto/load.ts'
import { systemClock } from '../../packages/node/src/system-clock.ts'
import type { Network, Validator } from '../e2e/harness.ts'
import { until } from '../e2e/watch.ts'
import { FUNDED_KEYS, fundedKey } from './processes/funded.ts'
import { type Signer, signer } from './processes/signer.ts'
import { median } from './statistics.ts'

/** Speed of a network for honest users. */
export interface Speed {
  /** Transfers that became final on all nodes, per second: the median of several measurements. */
  readonly perSecond: number
  /** Median from sending to one node of an idle network to the receipt at another, in ms. */
  readonly idleMs: number
}

const TRANSFERS_EACH = 300
/** One measurement takes a few seconds, so a garbage collection or a round more changes it by a tenth. */
const MEASUREMENTS = 7
const PER_REQUEST = 50
const IDLE_TRANSFERS = 20
/** Longer than the block interval, so that the next block can follow at once. */
const IDLE_MS = 700
const RECEIVER = '0x000000000000000000000000000000000000dead'
const GROUP = 'burners'

type Key = ReturnType<typeof fundedKey>

/** Measures a network with the default parameters, one figure after the other. */
export async function measureSpeed(network: Network): Promise<Speed> {
  const crypto = await loadCrypto()
  const sign = signer(crypto)
  const keys = Array.from({ length: FUNDED_KEYS }, (_, i) => fundedKey(crypto, GROUP, i))
  const idleMs = await idleFinality(network, sign, keys[0]!)
  const perSecond: number[] = []
  for (let i = 0; i < MEASUREMENTS; i++) perSecond.push(await throughput(network, sign, keys))
  return { perSecond: median(perSecond)!, idleMs }
}

const nonceOf = async ({ client }: Validator, { address }: Key): Promise<number> =>
  client.getTransactionCount({ address, blockTag: 'pending' })

async function idleFinality({ validators }: Network, sign: Signer, key: Key): Promise<number> {
  const times: number[] = []
  const first = await nonceOf(validators[0]!, key)
  for (let i = 0; i < IDLE_TRANSFERS; i++) {
    const { raw, hash } = sign(key, first + i, { to: RECEIVER, value: 1n, gas: 21_000n })
    await pause(systemClock, IDLE_MS + 37 * (i % 7))
    const started = performance.now()
    await validators[i % validators.length]!.client.sendRawTransaction({ serializedTransaction: raw })
    const { client } = validators[(i + 1 + (i % 3)) % validators.length]!
    const request = { method: 'eth_getTransactionReceipt', params: [hash] as [`0x${string}`] } as const
    while ((await client.request(request)) === null);
    times.push(performance.now() - started)
  }
  return median(times)!
}

/** Every sender's transfers in order, over its own connection; the senders are spread over all nodes. */
async function throughput(network: Network, sign: Signer, keys: readonly Key[]): Promise<number> {
  const { validators } = network
  const bodies = await Promise.all(
    keys.map(async (key) => {
      const first = await nonceOf(validators[0]!, key)
      const raws = Array.from(
        { length: TRANSFERS_EACH },
        (_, k) => sign(key, first + k, { to: RECEIVER, value: 1n, gas: 21_000n }).raw,
      )
      const calls = raws.map((raw, id) => ({ jsonrpc: '2.0', id, method: 'eth_sendRawTransaction', params: [raw] }))
      return Array.from({ length: Math.ceil(calls.length / PER_REQUEST) }, (_, i) =>
        JSON.stringify(calls.slice(i * PER_REQUEST, (i + 1) * PER_REQUEST)),
      )
    }),
  )
  const committed = async (validator: Validator): Promise<number> =>
    (await validator.metrics())['quoin_chain_transactions_total']!
  const before = await Promise.all(validators.map(committed))
  const started = performance.now()
  await Promise.all(
    bodies.map(async (texts, sender) => {
      for (const text of texts) {
        const answer = await validators[sender % validators.length]!.post(text)
        if (answer.status !== 200 || answer.text.includes('"error"')) throw new Error(`refused: ${answer.text.slice(0, 300)}`)
      }
    }),
  )
  const count = keys.length * TRANSFERS_EACH
  const isFinal = async (): Promise<boolean> =>
    (await Promise.all(validators.map(committed))).every((now, i) => now - before[i]! >= count)
  await until(`${count} transfers final`, isFinal, { intervalMs: 20, report: () => network.report() })
  return (1_000 * count) / (performance.now() - started)
}
