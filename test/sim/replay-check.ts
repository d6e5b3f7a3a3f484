import { isDeepStrictEqual } from 'node:util'
import { Driver } from '@quoin/consensus'
import type { Round, Vote } from '@quoin/protocol'
import { replay } from '../../packages/node/src/engine/replay.ts'
import { type LoggedInput, Wal } from '../../packages/node/src/engine/wal.ts'
import { MemoryLog } from '../../packages/node/src/store/memory-log.ts'
import { crc32cTable } from '../../packages/node/test/crc32c.ts'
import { Violation } from './oracle.ts'
import type { SeededRandom } from './random.ts'
import type { SimNode } from './sim-node.ts'
import type { World } from './world.ts'

/** A read-only copy needs no nonce of its own. */
const noRandom = { bytes: (length: number) => new Uint8Array(length) }

/**
 * Checks the purpose of the log: a process that starts from it reaches the state of the running one. After a step, a copy of each node's
 * log is opened and replayed into a new driver; its round, step, lock, valid value and votes must equal those of the running driver.
 */
export class ReplayCheck {
  readonly #nodes: readonly SimNode[]
  readonly #random: SeededRandom
  readonly #chance: number
  /** The last comparison: if neither the log nor the driver changed since, the log is not read again. */
  readonly #compared = new Map<SimNode, { readonly length: number; readonly state: unknown }>()
  count = 0

  constructor(world: World, nodes: readonly SimNode[], chance: number) {
    this.#nodes = nodes
    this.#random = world.random.fork()
    this.#chance = chance
  }

  run(): Promise<void> | undefined {
    return this.#chance > 0 && this.#random.chance(this.#chance) ? this.#compareAll() : undefined
  }

  async #compareAll(): Promise<void> {
    for (const node of this.#nodes) await this.#compare(node)
  }

  async #compare(sim: SimNode): Promise<void> {
    const { node, disk } = sim
    const state = node?.consensus?.state
    if (node === undefined || state === undefined) return
    const { length } = disk.wal
    const last = this.#compared.get(sim)
    if (last?.length === length && last.state === state) return
    this.#compared.set(sim, { length, state })
    const powers = { file: new MemoryLog(disk.wal.content()), crc32c: crc32cTable, random: noRandom }
    const { content } = await Wal.open(powers, node.chain.domain.genesisHash)
    const inputs = (content?.entries ?? []).filter((entry) => entry.kind !== 'body')
    const driver = new Driver()
    const { validators } = node.chain.head
    const self = sim.isValidator ? sim.address : undefined
    replay(driver, { kind: 'startHeight', height: state.height, validators, self }, inputs)
    this.count++
    const where = `${sim.peer} in ${state.height}/${state.round}`
    if (!isDeepStrictEqual(driver.state, state))
      throw new Violation(`replay: ${where} is in ${JSON.stringify(state)}, but its log leads to ${JSON.stringify(driver.state)}`)
    for (const round of roundsOf(inputs, state.round)) {
      for (const kind of ['prevote', 'precommit'] as const) {
        const [live, replayed] = [node.consensus!.votes(round, kind), driver.votes(round, kind)].map(summaryOf)
        if (live !== replayed)
          throw new Violation(`replay: ${where} counts the ${kind}s ${live} of round ${round}, its log ${replayed}`)
      }
    }
  }
}

const summaryOf = (votes: readonly Vote[]): string =>
  votes.map(({ validator, valueId }) => `${validator} ${valueId ?? 'nil'}`).join()

/** Rounds for which the log has votes, and the rounds around the current one. */
function roundsOf(inputs: readonly LoggedInput[], current: Round): ReadonlySet<Round> {
  const logged = inputs.flatMap((input) => (input.kind === 'vote' ? [input.vote.round] : []))
  return new Set([...logged, current, (current + 1) as Round, Math.max(0, current - 1) as Round])
}
