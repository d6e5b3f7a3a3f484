import { type Hash, type Header, ok, type Result, type Wei } from '@quoin/protocol'
import { nextBaseFee } from '../block/fees.ts'
import { sendingRules } from '../block/sending.ts'
import type { Contracts } from '../contract/contracts.ts'
import { Machine } from '../contract/machine.ts'
import { Journal } from '../state/journal.ts'
import type { KvReader } from '../state/kv.ts'
import { readParameters } from '../state/system-records.ts'
import { type BlockCalls, type PlannedBlock, type PlanRefusal, planBlocks } from './block-plan.ts'
import type { CallHost } from './call.ts'
import { type OverrideRefusal, type PreparedOverrides, prepareOverrides } from './overrides.ts'
import { type PastRunRefusal, runOnPast } from './past-run.ts'
import { type Budget, type CallProblem, type SimulatedBlock, SimulatedBlockRun, type SimulationRules } from './simulated-block.ts'
import { SimulatedState } from './simulated-state.ts'

/** Blocks to simulate (`eth_simulateV1`). It can be cloned in a message between threads. */
export interface SimulationRequest {
  /** The block on which the first simulated block builds. */
  readonly base: { readonly header: Header; readonly hash: Hash }
  readonly blocks: readonly BlockCalls[]
  /**
   * Whether each call must be a valid transaction, and blocks have the base fee that follows from their parents. Otherwise the base
   * fee is 0 unless a block overrides it.
   */
  readonly isValidated: boolean
  /** Whether transfers of value are shown as logs. */
  readonly recordsTransfers: boolean
  /** The node's limit for the gas of all calls together. */
  readonly gasMax: number
  /** Limit for the answer as JSON, approximately. */
  readonly answerBytesMax: number
}

/** Why blocks were not simulated. The messages contain the phrases that viem and ethers match. */
export interface SimulationRefusal {
  readonly kind: 'refused'
  readonly code: PlanRefusal['code'] | CallProblem['code'] | OverrideRefusal['code'] | PastRunRefusal['code']
  readonly message: string
}

export type SimulationOutcome = { readonly kind: 'simulated'; readonly blocks: readonly SimulatedBlock[] } | SimulationRefusal

/** Size of a block in the answer without its calls. */
const BLOCK_BYTES = 2_048

/**
 * `eth_simulateV1`: runs calls in blocks that follow a block of the chain. Each call sees what those before it left, and each
 * contract sees the block in which it runs. Nothing of it reaches the chain. A call that fails is part of its block; one that could not
 * be a transaction ends the simulation.
 *
 * @throws InterpreterFault when this machine fails
 */
export async function simulate(host: CallHost, request: SimulationRequest): Promise<SimulationOutcome> {
  const planned = planBlocks(request.base.header, request.blocks)
  if (!planned.ok) return { kind: 'refused', ...planned.error }
  const prepared = prepare(host.contracts, planned.value)
  if (!prepared.ok) return { kind: 'refused', ...prepared.error }
  const outcome = await runOnPast(host.kv, request.base.header.number, (reader) =>
    new Simulation(host.contracts, request, reader).run(prepared.value),
  )
  return outcome.ok ? outcome.value : { kind: 'refused', ...outcome.error }
}

interface PreparedBlock {
  readonly block: PlannedBlock
  readonly overrides: PreparedOverrides
}

/** Validates the overrides of all blocks, which does not depend on the state. */
function prepare(contracts: Contracts, blocks: readonly PlannedBlock[]): Result<readonly PreparedBlock[], OverrideRefusal> {
  const prepared: PreparedBlock[] = []
  for (const block of blocks) {
    const overrides = prepareOverrides(contracts, block.stateOverrides)
    if (!overrides.ok) return overrides
    prepared.push({ block, overrides: overrides.value })
  }
  return ok(prepared)
}

/** One run of a simulation on a state that may be guessed (`past-run.ts`). */
class Simulation {
  readonly #contracts: Contracts
  readonly #request: SimulationRequest
  readonly #state: SimulatedState
  readonly #rules: SimulationRules
  readonly #budget: Budget

  constructor(contracts: Contracts, request: SimulationRequest, reader: KvReader) {
    const { crypto, chainId } = contracts
    const { isValidated, gasMax, answerBytesMax } = request
    const parameters = readParameters(reader).value
    this.#contracts = contracts
    this.#request = request
    this.#state = new SimulatedState(reader)
    this.#rules = { crypto, chainId, parameters, sendingAt: (timeMs) => sendingRules(reader, timeMs), isValidated }
    this.#budget = { gas: gasMax, bytes: answerBytesMax }
  }

  run(blocks: readonly PreparedBlock[]): SimulationOutcome {
    let parent: Pick<SimulatedBlock, 'header' | 'hash'> = this.#request.base
    const done: SimulatedBlock[] = []
    for (const block of blocks) {
      const made = this.#simulate(block, parent)
      if (!made.ok) return { kind: 'refused', ...made.error }
      done.push(made.value)
      parent = made.value
    }
    return { kind: 'simulated', blocks: done }
  }

  #simulate(
    { block, overrides }: PreparedBlock,
    parent: Pick<SimulatedBlock, 'header' | 'hash'>,
  ): Result<SimulatedBlock, CallProblem> {
    this.#budget.bytes -= BLOCK_BYTES
    this.#state.replace(overrides.replaced)
    const journal = new Journal(this.#state, { recordsTransfers: this.#request.recordsTransfers })
    overrides.write(journal)
    const { number, timeMs, gasLimit, proposer, calls } = block
    const context = { number, timeMs, gasLimit, proposer, baseFee: block.baseFee ?? this.#baseFeeAfter(parent.header) }
    const run = new SimulatedBlockRun(new Machine(this.#contracts, journal, context), this.#rules, this.#budget)
    for (const [index, call] of calls.entries()) {
      const done = run.run(call)
      if (!done.ok)
        return { ok: false, error: { ...done.error, message: `${done.error.message} (call ${index} of block ${number})` } }
    }
    this.#state.write(journal.changes())
    return ok(run.seal(parent, this.#contracts.executionVersion))
  }

  #baseFeeAfter(parent: Header): Wei {
    return this.#rules.isValidated ? nextBaseFee(parent, this.#rules.parameters) : (0n as Wei)
  }
}
