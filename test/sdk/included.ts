import type { Hash } from 'viem'
import type { publicClient } from '../e2e/harness.ts'

/** Transactions to an address in blocks, by sender and value: the programs of these tests give each send a value of its own. */
export async function includedSends(
  client: ReturnType<typeof publicClient>,
  sink: string,
): Promise<ReadonlyMap<string, readonly Hash[]>> {
  const found = new Map<string, Hash[]>()
  const head = await client.getBlockNumber()
  for (let first = 1n; first <= head; first += PARALLEL) {
    const numbers = Array.from({ length: Number(PARALLEL) }, (_, i) => first + BigInt(i)).filter((number) => number <= head)
    const blocks = await Promise.all(numbers.map((blockNumber) => client.getBlock({ blockNumber, includeTransactions: true })))
    for (const { from, to, value, hash } of blocks.flatMap(({ transactions }) => transactions)) {
      if (to !== sink) continue
      const key = `${from.toLowerCase()} ${value}`
      found.set(key, [...(found.get(key) ?? []), hash])
    }
  }
  return found
}

/** Blocks that are asked for at the same time. */
const PARALLEL = 32n
