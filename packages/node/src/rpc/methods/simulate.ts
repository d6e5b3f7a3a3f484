import type { SimulationRefusal } from '@quoin/execution'
import type { RpcBackend } from '../backend.ts'
import { requireHeight } from '../blocks.ts'
import { RpcError } from '../errors.ts'
import * as forms from '../forms/index.ts'
import { type JsonText, takeText } from '../json-text.ts'
import { type CallContext, type Methods, method } from '../method.ts'
import { type BlockReference, blockReference } from '../schema.ts'
import { type SimulationPayload, simulationPayload } from '../simulation-schema.ts'
import { unavailable } from './calls.ts'
import { stateOf } from './state.ts'

/** A transaction that is too long has the word of the pool. */
const reasonOf = ({ code }: SimulationRefusal) => (code === 'too-large' ? 'oversized' : code)

/** `eth_simulateV1`: runs calls in blocks that follow a block of the chain. */
async function simulate(
  backend: RpcBackend,
  [payload, reference]: [SimulationPayload, BlockReference],
  call: CallContext,
): Promise<JsonText> {
  const { limits } = call
  stateOf(backend, reference)
  const base = backend.blocks.header(requireHeight(backend, reference))!
  const simulation = {
    base,
    blocks: payload.blocks(backend.chainId),
    isValidated: payload.validation,
    recordsTransfers: payload.traceTransfers,
    gasMax: limits.callGasMax,
    answerBytesMax: limits.responseBytesMax,
  }
  const job = { simulation, isFull: payload.returnFullTransactions }
  const answer = await backend.calls.run('simulation', job, call.signal, call.identity)
  if (!answer.ok) throw unavailable(answer.error, 'simulations')
  const outcome = answer.value
  if (outcome.kind === 'refused') throw new RpcError(reasonOf(outcome), outcome.message, undefined, 'simulations')
  return takeText(outcome.pieces, call)
}

export const simulationMethods: Methods<RpcBackend> = {
  eth_simulateV1: method(
    {
      summary: 'Runs calls in blocks that follow a block of the chain.',
      params: ['payload', 'block'],
      result: forms.list(forms.simulatedBlock),
    },
    [simulationPayload, blockReference],
    simulate,
  ),
}
