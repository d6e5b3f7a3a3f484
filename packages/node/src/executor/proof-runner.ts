import { type AccountProofRefusal, type AccountProofRequest, AccountProver, type HistoryKv } from '@quoin/execution'
import { type Crypto, formatAccountProof, type Hash, ok, type Result } from '@quoin/protocol'
import type { Client } from '../fair-queue.ts'
import type { CallPoolLimits, CallStats, CallUnavailable } from './call-runner.ts'

/** A question for the proof of an account and of some of its storage, in the state after a block. */
export interface ProofRequest extends AccountProofRequest {
  readonly blockHash: Hash
}

export type ProofOutcome =
  /** The JSON text of an `AccountProofJson`. */
  { readonly kind: 'proven'; readonly json: string } | { readonly kind: 'refused'; readonly refusal: AccountProofRefusal }

/** Kinds of jobs of the thread, and the outcome of each. */
export interface ProofOutcomes {
  readonly proof: ProofOutcome
}

/** Makes proofs from the database: a validator in a thread of their own (`proof-pool.ts`), `quoin dev` and tests in the caller's thread. */
export interface ProofRunner {
  readonly stats: CallStats
  /**
   * @param signal - If it is aborted before the proof has begun, the promise rejects with its reason.
   * @param client - The client, for fair queueing.
   * @returns The outcome, or why there is none. Other rejections are bugs, or a damaged database.
   */
  run(kind: 'proof', request: ProofRequest, signal: AbortSignal, client: Client): Promise<Result<ProofOutcome, CallUnavailable>>
  close(): Promise<void>
}

/** Limits of the thread that makes proofs. Its waiting requests are few: a proof takes a fraction of a millisecond per key. */
export const PROOF_POOL_LIMITS: Omit<CallPoolLimits, 'traceEndMs' | 'yieldMs'> = {
  // Each thread has a copy of the tree's upper levels in memory.
  workers: 1,
  callsQueuedMax: 256,
  callsQueuedPerRemoteMax: 64,
  queuedBytesMax: 8 * 1024 * 1024,
  queuedBytesPerRemoteMax: 2 * 1024 * 1024,
  // A past height takes up to half a second after 64 full blocks and two after the most that `store.proof-blocks` allows, or several times that
  // on a busy machine. A thread is lost if one proof takes this long, and its successor reads the tree again.
  callMs: 20_000,
  runPartMin: 1 / 10,
  startMsMax: 60_000,
  restartMsMin: 100,
  restartMsMax: 10_000,
}

/** Runs one request. Throws TreeCorruption if the database contradicts itself. */
export async function runProof(prover: AccountProver, { blockHash, ...request }: ProofRequest): Promise<ProofOutcome> {
  const proof = await prover.prove(request)
  if (!proof.ok) return { kind: 'refused', refusal: proof.error }
  return { kind: 'proven', json: JSON.stringify(formatAccountProof({ number: request.height, hash: blockHash }, proof.value)) }
}

/** Makes proofs in the caller's thread, for `quoin dev` and tests. */
export function createInlineProofs(kv: HistoryKv, crypto: Crypto): ProofRunner {
  const prover = new AccountProver(kv, crypto)
  let answered = 0
  return {
    get stats() {
      return { answered, refused: 0, timeouts: 0, faults: 0, restarts: 0, waiting: 0 }
    },
    async run(_, request, signal) {
      signal.throwIfAborted()
      const outcome = await runProof(prover, request)
      answered++
      return ok(outcome)
    },
    async close() {},
  }
}
