import { flatKeyOf, type KvReader, nextBaseFee, reportCall, reportGas } from '@quoin/execution'
import {
  accountFromValue,
  accountKey,
  type Crypto,
  concatBytes,
  type Evidence,
  Gas,
  type Hash,
  hexToBytes,
  type Nonce,
  offenceOf,
  Wei,
} from '@quoin/protocol'
import type { Chain } from '../chain/types.ts'
import { Scope } from '../lifecycle.ts'
import type { Logger } from '../logger.ts'
import type { Mempool } from '../mempool/types.ts'
import type { Clock } from '../powers.ts'
import { repeat } from '../repeat.ts'
import { type EvidencePool, type Known, keyOf } from './evidence-pool.ts'
import { EVIDENCE_LIMITS } from './limits.ts'
import type { OperatorAccount } from './operator-account.ts'

export interface ReporterPowers {
  readonly account: OperatorAccount
  readonly pool: Pick<EvidencePool, 'list'>
  readonly mempool: Pick<Mempool, 'add' | 'pendingNonce' | 'waiting'>
  readonly chain: Pick<Chain, 'head'>
  /** The committed state. */
  readonly kv: KvReader
  readonly chainId: number
  readonly clock: Pick<Clock, 'monotonic' | 'after'>
  readonly crypto: Crypto
  readonly logger: Logger
  readonly onFailure: (error: unknown) => void
}

/** What was done about one piece of evidence. */
interface Report {
  readonly attempts: number
  /** Monotonic time of the next attempt. */
  readonly dueMs: number
  /** The last transaction sent. */
  readonly transaction: Hash | undefined
}

/**
 * Sends evidence to the chain contract, in transactions of the operator's account through the node's own pool. One piece for each key that
 * equivocated is enough. Every node with an account reports, after a delay that differs by node and evidence: by then another's report is
 * usually on the chain, and the evidence has left the pool. If two report at once, the second transaction fails and does no harm.
 */
export class EvidenceReporter {
  readonly #powers: ReporterPowers
  readonly #reports = new Map<Hash, Report>()
  readonly #scope: Scope
  #isSending = false

  constructor(powers: ReporterPowers) {
    this.#powers = powers
    this.#scope = new Scope(powers.onFailure)
    this.#scope.own({ close: repeat(powers.clock, EVIDENCE_LIMITS.reportCheckMs, () => this.#check()) })
  }

  close(): Promise<void> {
    return this.#scope.close()
  }

  #check(): void {
    const wanted = this.#wanted()
    const hashes = new Set(wanted.map(({ hash }) => hash))
    for (const hash of this.#reports.keys()) if (!hashes.has(hash)) this.#reports.delete(hash)
    const nowMs = this.#powers.clock.monotonic()
    for (const { hash } of wanted)
      if (!this.#reports.has(hash))
        this.#reports.set(hash, { attempts: 0, dueMs: nowMs + this.#delayMs(hash), transaction: undefined })
    if (this.#isSending) return
    const due = wanted.find(({ hash }) => this.#isDue(this.#reports.get(hash)!, nowMs))
    if (due === undefined) return
    this.#isSending = true
    this.#scope.spawn('evidence report', async () => {
      try {
        await this.#send(due)
      } finally {
        this.#isSending = false
      }
    })
  }

  /** The oldest evidence of each key. */
  #wanted(): readonly Known[] {
    const byKey = new Map<string, Known>()
    for (const known of this.#powers.pool.list()) if (!byKey.has(keyOf(known.evidence))) byKey.set(keyOf(known.evidence), known)
    return [...byKey.values()]
  }

  #isDue({ attempts, dueMs, transaction }: Report, nowMs: number): boolean {
    if (attempts >= EVIDENCE_LIMITS.reportAttemptsMax || nowMs < dueMs) return false
    return transaction === undefined || this.#powers.mempool.waiting(transaction) === undefined
  }

  /** This node's turn for a piece of evidence. */
  #delayMs(hash: Hash): number {
    const { crypto, account } = this.#powers
    const [first] = crypto.keccak256(concatBytes(hexToBytes(account.address), hexToBytes(hash)))
    return (first! % EVIDENCE_LIMITS.reportTurns) * EVIDENCE_LIMITS.reportTurnMs
  }

  async #send({ hash, evidence }: Known): Promise<void> {
    const { mempool, clock, logger, account } = this.#powers
    const sent = await mempool.add(this.#transaction(evidence), 'rpc')
    const attempts = (this.#reports.get(hash)?.attempts ?? 0) + 1
    const waitMs = Math.min(EVIDENCE_LIMITS.reportRetryMsMax, EVIDENCE_LIMITS.reportRetryMs * 2 ** (attempts - 1))
    const transaction = sent.ok ? sent.value.hash : undefined
    this.#reports.set(hash, { attempts, dueMs: clock.monotonic() + waitMs, transaction })
    const { validator, height } = offenceOf(evidence)
    const fields = { validator, height, account: account.address, attempts }
    if (sent.ok) return logger.info({ ...fields, transaction }, 'reported equivocation to the chain')
    const last = attempts >= EVIDENCE_LIMITS.reportAttemptsMax
    const end = last ? 'this node does not try again: send the call that quoin_evidence shows' : 'this node tries again'
    logger.warn({ ...fields, code: sent.error.code, why: sent.error.message }, `equivocation could not be reported: ${end}`)
  }

  #transaction(evidence: Evidence): Uint8Array {
    const { account, mempool, chain, chainId, kv, crypto } = this.#powers
    const { header, parameters } = chain.head
    const nonce = mempool.pendingNonce(account.address) ?? accountFromValue(kv.get(flatKeyOf(accountKey(account.address)))).nonce
    // Twice the next block's fee: it may rise until the transaction is taken.
    const price = Wei(parameters.feePolicy === 'free' ? 0n : 2n * nextBaseFee(header, parameters))
    return account.sign({
      ...{ type: 2, chainId, nonce: nonce as Nonce, maxPriorityFeePerGas: Wei(0n), maxFeePerGas: price },
      gasLimit: Gas(Math.min(reportGas(kv), parameters.transactionGasMax)),
      ...{ value: Wei(0n), accessList: [], ...reportCall(crypto, evidence) },
    })
  }
}
