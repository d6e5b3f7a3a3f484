import {
  ANSWER_TOO_LONG,
  type CallHost,
  type CallOutcome,
  type CallRequest,
  runCall,
  type SimulationRefusal,
  type SimulationRequest,
  simulate,
} from '@quoin/execution'
import { bytesToHex } from '@quoin/protocol'
import { JsonPieces, type TextPiece } from '../rpc/json-text.ts'
import { simulationText } from '../rpc/simulation-text.ts'

/*
 * Answers are written as JSON in the thread that makes them: one of many megabytes would keep the RPC thread from its other clients.
 */

export type CallAnswer =
  | Exclude<CallOutcome, { kind: 'returned' }>
  /** The returned data in hex, as JSON in pieces. */
  | { readonly kind: 'returned'; readonly pieces: readonly TextPiece[]; readonly gasUsed: number }

/** A request for simulated blocks, and how they are written. It can be cloned in a message between threads. */
export interface SimulationJob {
  readonly simulation: SimulationRequest
  /** Whether to show whole transactions instead of their hashes. */
  readonly isFull: boolean
}

export type SimulationAnswer =
  /** JSON in pieces. */
  { readonly kind: 'simulated'; readonly pieces: readonly TextPiece[] } | SimulationRefusal

/** Bytes that are written as hex at once. */
const HEX_BYTES = 32 * 1024

/** Runs a call, and writes what it returns. */
export async function runCallJob(host: CallHost, request: CallRequest): Promise<CallAnswer> {
  const outcome = await runCall(host, request)
  if (outcome.kind !== 'returned') return outcome
  const { data, gasUsed } = outcome
  const pieces = new JsonPieces()
  pieces.add('"0x')
  for (let at = 0; at < data.length; at += HEX_BYTES) pieces.add(bytesToHex(data.subarray(at, at + HEX_BYTES)).slice(2))
  pieces.add('"')
  return { kind: 'returned', pieces: pieces.end(), gasUsed }
}

/** Runs a simulation, and writes its blocks. */
export async function runSimulationJob(host: CallHost, { simulation, isFull }: SimulationJob): Promise<SimulationAnswer> {
  const outcome = await simulate(host, simulation)
  if (outcome.kind === 'refused') return outcome
  const calls = isFull ? simulation.blocks.flatMap((block) => block.calls) : undefined
  const pieces = simulationText(host.contracts, { blocks: outcome.blocks, calls }, simulation.answerBytesMax)
  return pieces === undefined
    ? { kind: 'refused', code: 'limit-exceeded', message: ANSWER_TOO_LONG }
    : { kind: 'simulated', pieces }
}
