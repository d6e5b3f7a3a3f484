import type { SimulationRefusal } from '@quoin/execution'
import type { CallUnavailable } from '../../executor/call-runner.ts'
import type { RpcBackend } from '../backend.ts'
import { requireHeight } from '../blocks.ts'
import { RPC_CODE, RpcError, SIMULATION_CODE } from '../errors.ts'
import * as forms from '../forms/index.ts'
import { type JsonText, takeText } from '../json-text.ts'
import { type CallContext, type Methods, method } from '../method.ts'
import { type BlockReference, blockReference } from '../schema.ts'
import { type SimulationPayload, simulationPayload } from '../simulation-schema.ts'
import { stateOf } from './state.ts'

/** Code of each refusal. Those of execution-apis, where it has one. */
const CODES: Readonly<Record<SimulationRefusal['code'], number>> = {
  'nonce-too-low': SIMULATION_CODE.nonceTooLow,
  'nonce-too-high': SIMULATION_CODE.nonceTooHigh,
  'fee-too-low': SIMULATION_CODE.feeTooLow,
  'intrinsic-gas-too-low': SIMULATION_CODE.intrinsicGas,
  'insufficient-funds': SIMULATION_CODE.insufficientFunds,
  'block-gas-limit': SIMULATION_CODE.blockGasLimit,
  'block-number-order': SIMULATION_CODE.blockNumberOrder,
  'block-time-order': SIMULATION_CODE.blockTimeOrder,
  'too-large': SIMULATION_CODE.tooLarge,
  'limit-exceeded': SIMULATION_CODE.limitExceeded,
  'tip-above-fee': RPC_CODE.invalidParams,
  'gas-limit-too-high': RPC_CODE.invalidParams,
  malformed: RPC_CODE.invalidParams,
  'invalid-override': RPC_CODE.invalidParams,
  'not-permitted': RPC_CODE.transactionRejected,
  'too-many-runs': RPC_CODE.server,
  cancelled: RPC_CODE.server,
}

const UNAVAILABLE_CODES: Readonly<Record<CallUnavailable['code'], number>> = {
  overloaded: RPC_CODE.limitExceeded,
  timeout: RPC_CODE.timeout,
  fault: RPC_CODE.server,
  closed: RPC_CODE.server,
}

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
  if (!answer.ok) throw new RpcError(UNAVAILABLE_CODES[answer.error.code], answer.error.message)
  const outcome = answer.value
  if (outcome.kind === 'refused') throw new RpcError(CODES[outcome.code], outcome.message)
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
