import type { Hash } from 'viem'
import { expect } from 'vitest'
import { account, type publicClient } from '../e2e/harness.ts'

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

/** How the sends of a program ended, by sender and number: `included <hash>` or a reason. */
export type Told = ReadonlyMap<string, string>

/** What a program of sender.ts has printed. */
export const toldBy = (lines: readonly string[]): Told =>
  new Map(
    lines
      .filter((line) => line !== 'ready')
      .map((line) => line.split(' '))
      .map(([sender, k, ...rest]) => [`${sender} ${k}`, rest.join(' ')]),
  )

/** Reasons with which a send may end that is in no block. */
const NOT_INCLUDED = new Set(['refused', 'expired', 'nonce-taken'])

/**
 * Every send is in a block exactly once, with the hash that each process told; or it is in none, and each process told a reason.
 *
 * @param told by each process; the last one knows the end of every send
 * @returns sends that are in no block, by reason
 */
export async function expectOnceOrReason(
  client: ReturnType<typeof publicClient>,
  { senders, count, told, sink }: SendsToCheck,
): Promise<ReadonlyMap<string, number>> {
  const included = await includedSends(client, sink)
  const reasons = new Map<string, number>()
  for (const sender of senders) {
    for (let k = 0; k < count; k++) {
      const hashes = included.get(`${account(sender).address.toLowerCase()} ${k + 1}`) ?? []
      const reports = told.map((one) => one.get(`${sender} ${k}`)).filter((said) => said !== undefined)
      const reason = reports.at(-1) ?? 'nobody told'
      if (hashes.length === 0 && NOT_INCLUDED.has(reason)) reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
      else expect([sender, k, hashes.length]).toEqual([sender, k, 1])
      const expected = hashes.length === 0 ? reason : `included ${hashes[0]}`
      for (const said of reports) expect([sender, k, said]).toEqual([sender, k, expected])
    }
  }
  return reasons
}

interface SendsToCheck {
  readonly senders: readonly number[]
  readonly count: number
  readonly told: readonly Told[]
  readonly sink: string
}
