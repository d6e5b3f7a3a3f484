import { Height } from '@quoin/protocol'
import { expect, it } from 'vitest'
import { decodeMessageHead } from '../../packages/node/src/engine/messages.ts'
import { SYNC_LIMITS } from '../../packages/node/src/sync/limits.ts'
import { validatorKey } from './genesis.ts'
import { Simulation } from './simulation.ts'

const MINUTE_MS = 60_000

/** Lets time pass. */
const pass = (simulation: Simulation, ms: number) => simulation.until(() => false, ms)

// No node lies. The nodes that are up first are behind, and prove less than what the wiped ones signed. The node that knows more starts
// later and serves slowly.
it.each([9, 10, 11])('two of four are wiped and one was away: no fork, seed %i', async (seed) => {
  const simulation = new Simulation({ seed, calm: true, load: true, workMs: [5, 40] })
  simulation.start()
  const [a, b, away, last] = simulation.nodes as [...typeof simulation.nodes] & { length: 4 }
  expect(await simulation.until(() => simulation.oracle.height >= 5, MINUTE_MS)).toBe(true)
  away!.crash()
  expect(await simulation.until(() => simulation.oracle.height >= 15, MINUTE_MS)).toBe(true)
  for (const node of [a!, b!, last!]) node.crash()
  for (const node of [a!, b!]) node.disk.wipe()
  for (const node of [a!, b!, away!]) node.start()
  await pass(simulation, 5_000)
  const limits: { answerBlocksMax: number } = SYNC_LIMITS
  const usual = limits.answerBlocksMax
  try {
    limits.answerBlocksMax = 1
    for (const to of [a!, b!, away!])
      simulation.network.setLink(last!.peer, to.peer, { loss: 0, duplication: 0, latencyMs: [3_000, 4_000], cut: false })
    last!.start()
    // The oracle throws on a fork, and on a validator that signs twice.
    await pass(simulation, MINUTE_MS)
    expect(away!.committedHeight).toBe(simulation.oracle.height)
  } finally {
    limits.answerBlocksMax = usual
  }
  await simulation.stop()
})

it.each([6, 7, 8, 9])(
  'two of four are wiped after they voted in a height: the operators let the chain go on, seed %i',
  async (seed) => {
    const simulation = new Simulation({ seed, calm: true, workMs: [5, 40] })
    simulation.start()
    expect(await simulation.until(() => simulation.oracle.height >= 4, MINUTE_MS)).toBe(true)
    const wiped = simulation.nodes.slice(0, 2)
    const own = wiped.map((_, index) => validatorKey(index).address)
    const lastVote = 6
    /** Height of their last prevotes, and the validators that have sent one. */
    let height = 0
    const voted = new Set<string>()
    const observe = simulation.network.onSend
    simulation.network.onSend = (from, to, bytes) => {
      const head = decodeMessageHead(bytes)
      if (head.ok && head.value.kind === 'vote' && head.value.vote.kind === 'prevote' && head.value.vote.height > lastVote) {
        const { vote } = head.value
        const index = own.indexOf(vote.validator)
        if (from === wiped[index]?.peer && (height === 0 || height === vote.height)) {
          height = vote.height
          voted.add(vote.validator)
        }
      }
      observe(from, to, bytes)
    }
    // No node may reach a decision.
    for (const { peer } of wiped)
      simulation.network.lie(peer, {
        send: (_, bytes) => {
          const head = decodeMessageHead(bytes)
          const isKept =
            head.ok && head.value.kind === 'vote' && head.value.vote.kind === 'precommit' && head.value.vote.height > lastVote
          return isKept ? [] : [bytes]
        },
      })
    expect(await simulation.until(() => voted.size === wiped.length, MINUTE_MS)).toBe(true)
    for (const node of wiped) {
      node.crash()
      node.disk.wipe()
      simulation.network.lie(node.peer, {})
      node.start()
    }
    await pass(simulation, 20_000)
    expect(simulation.oracle.height).toBe(height - 1)
    for (const { node } of wiped) expect(node?.status?.silence).toContain(`--vote-from ${height}`)
    for (const node of wiped) {
      node.voteFrom = Height(height)
      node.crash()
      node.start()
    }
    expect(await simulation.until(() => simulation.oracle.height >= height + 5, MINUTE_MS)).toBe(true)
    await simulation.stop()
  },
)
