import { type BlockCalls, CALL_LIMITS, type SimulatedCall } from '@quoin/execution'
import type { Nonce, Wei } from '@quoin/protocol'
import { z } from 'zod'
import { blockOverrides, stateOverrides } from './call-schema.ts'
import { RpcError } from './errors.ts'
import { checkedType, transactionRequest } from './fill.ts'
import * as forms from './forms/index.ts'
import type { RpcLimits } from './limits.ts'
import { by, Misfit, member, optional, reader, readList, readObject, requireKnown } from './reader.ts'

/** The parameter of `eth_simulateV1` (`EthSimulatePayload` of execution-apis). The calls still lack what the chain decides. */
export interface SimulationPayload {
  /** @param chainId - Of this chain. Throws RpcError if a call is for another one, or if its members contradict each other. */
  blocks(chainId: number): readonly BlockCalls[]
  readonly validation: boolean
  readonly traceTransfers: boolean
  readonly returnFullTransactions: boolean
}

const readFlag = by(z.boolean({ error: 'must be true or false' }))

const PAYLOAD_MEMBERS: ReadonlySet<string> = new Set([
  'blockStateCalls',
  'validation',
  'traceTransfers',
  'returnFullTransactions',
])
const BLOCK_MEMBERS: ReadonlySet<string> = new Set(['blockOverrides', 'stateOverrides', 'calls'])

const tooMany = (message: string): RpcError => new RpcError('limit-exceeded', message)

type Requested = Omit<BlockCalls, 'calls'> & { readonly calls: readonly ReturnType<typeof transactionRequest.read>[] }

/** Reads the blocks one after the other. Their limits hold for all of them together. */
class BlockReading {
  #calls: number
  #limits: RpcLimits

  constructor(limits: RpcLimits) {
    this.#calls = limits.simulatedCallsMax
    this.#limits = limits
  }

  block(value: unknown): Requested {
    const object = readObject(value)
    requireKnown(object, BLOCK_MEMBERS)
    const overrides = optional(object, 'blockOverrides', (given) => blockOverrides.read(given, this.#limits))
    const state = optional(object, 'stateOverrides', (given) => this.#stateOverrides(given))
    const calls = optional(object, 'calls', (given) => this.#list(given))
    return { blockOverrides: overrides ?? {}, stateOverrides: state ?? new Map(), calls: calls ?? [] }
  }

  #stateOverrides(value: unknown): BlockCalls['stateOverrides'] {
    const read = stateOverrides.read(value, this.#limits)
    let entries = 0
    for (const { storage } of read.values()) entries += storage?.entries.length ?? 0
    const { overridesMax, overrideEntriesMax } = this.#limits
    this.#limits = {
      ...this.#limits,
      overridesMax: overridesMax - read.size,
      overrideEntriesMax: overrideEntriesMax - entries,
    }
    return read
  }

  #list(value: unknown): Requested['calls'] {
    const { simulatedCallsMax } = this.#limits
    if (Array.isArray(value) && value.length > this.#calls)
      throw tooMany(`too many calls: a simulation has at most ${simulatedCallsMax} calls`)
    const calls = readList(value, this.#calls, 'calls after those of earlier blocks', (call) =>
      transactionRequest.read(call, this.#limits),
    )
    this.#calls -= calls.length
    return calls
  }
}

function readBlocks(value: unknown, limits: RpcLimits): readonly Requested[] {
  const { simulatedBlocksMax } = CALL_LIMITS
  if (Array.isArray(value) && value.length > simulatedBlocksMax)
    throw tooMany(`too many blocks: ${value.length} are given, at most ${simulatedBlocksMax} are allowed`)
  const reading = new BlockReading(limits)
  const blocks = readList(value, simulatedBlocksMax, 'blocks', (block) => reading.block(block))
  // As in go-ethereum.
  if (blocks.length === 0) throw new Misfit('is empty: it must have at least one block')
  return blocks
}

const BLOCK_CALLS = forms.closed(
  {},
  {
    blockOverrides: blockOverrides.form,
    stateOverrides: stateOverrides.form,
    calls: forms.list(transactionRequest.form),
  },
)
const PAYLOAD = forms.component(
  'SimulationPayload',
  forms.closed(
    { blockStateCalls: { ...forms.list(BLOCK_CALLS), minItems: 1, maxItems: CALL_LIMITS.simulatedBlocksMax } },
    { validation: forms.flag, traceTransfers: forms.flag, returnFullTransactions: forms.flag },
  ),
)

export const simulationPayload = reader(PAYLOAD, (value, limits): SimulationPayload => {
  const object = readObject(value)
  requireKnown(object, PAYLOAD_MEMBERS)
  const requested = member(object, 'blockStateCalls', (given) => readBlocks(given, limits))
  return {
    blocks: (chainId) => requested.map((block) => ({ ...block, calls: block.calls.map((call) => callOf(call, chainId)) })),
    validation: optional(object, 'validation', readFlag) ?? false,
    traceTransfers: optional(object, 'traceTransfers', readFlag) ?? false,
    returnFullTransactions: optional(object, 'returnFullTransactions', readFlag) ?? false,
  }
})

/** Fees that are not given are 0. */
function callOf(request: Requested['calls'][number], chainId: number): SimulatedCall {
  const { from, to, data, value, accessList, gas, nonce, gasPrice, feeCap, tip } = request
  return {
    type: checkedType(request, chainId),
    ...{ from, to, data, value, accessList, gas },
    nonce: nonce as Nonce | undefined,
    maxFeePerGas: (gasPrice ?? feeCap ?? 0n) as Wei,
    maxPriorityFeePerGas: (gasPrice ?? tip ?? 0n) as Wei,
  }
}
