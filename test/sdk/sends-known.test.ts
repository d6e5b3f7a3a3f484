import { memoryStore, type Send, type TrackedSends, trackedSends } from '@quoin/sdk'
import { createClient, custom, http } from 'viem'
import { foundry } from 'viem/chains'
import { beforeEach, expect, it } from 'vitest'
import { account } from '../e2e/harness.ts'
import { failureOf, stage } from './stage.ts'

const { url } = stage()
const CALL = { to: account(8).address, value: 1n, id: 'rent', deadlineMs: 1 } as const

/** Whether the node answers the second process. */
let isReachable: boolean
let sends: TrackedSends
/** What an earlier process has sent. */
let hash: string

beforeEach(async () => {
  const store = memoryStore()
  const client = createClient({ chain: foundry, transport: http(url()) })
  const parts = { account: account(7), store, pollingIntervalMs: 20 }
  const earlier = trackedSends({ ...parts, client })
  hash = (await earlier.sendTransaction({ ...CALL, deadlineMs: 60_000 }).receipt).transactionHash
  await earlier.close()
  isReachable = false
  const request = async (args: { method: string; params?: unknown }): Promise<unknown> => {
    if (!isReachable) throw new Error('unreachable')
    return client.request(args as never)
  }
  sends = trackedSends({ ...parts, client: createClient({ chain: foundry, transport: custom({ request } as never) }) })
  return () => sends.close()
})

/** Resolves when the clock has ended a send whose id nobody can have used. */
const expired = async (): Promise<void> => {
  const fresh: Send = sends.sendTransaction({ to: account(8).address, value: 2n, deadlineMs: 1 })
  expect(await failureOf(fresh.receipt)).toMatchObject({ reason: 'expired' })
}

it('a send that an earlier process made does not expire while no node answers', async () => {
  const again = sends.sendTransaction(CALL)
  await expired()
  expect(again.status).toBe('queued')
  isReachable = true
  expect((await again.receipt).transactionHash).toBe(hash)
})

it('nor is it cancelled', async () => {
  const again = sends.sendTransaction(CALL)
  const cancelled = again.cancel()
  await expired()
  isReachable = true
  expect(await cancelled).toBe(false)
  expect((await again.receipt).transactionHash).toBe(hash)
})

it('a signal ends the wait for it', async () => {
  const stop = new AbortController()
  const { receipt } = sends.sendTransaction({ ...CALL, signal: stop.signal })
  stop.abort(new Error('enough'))
  expect(await failureOf(receipt)).toMatchObject({ message: 'enough' })
})

it('a send of an id that nobody used expires as soon as a node answers', async () => {
  const late = sends.sendTransaction({ ...CALL, id: 'new' })
  await expired()
  isReachable = true
  expect(await failureOf(late.receipt)).toMatchObject({ reason: 'expired' })
})
