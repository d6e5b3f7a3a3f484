import { type CallRequest, type CallResult, gasDetail, runCall, type TransactionFailure } from '@quoin/execution'
import { type Address, bytesToHex, type Hex, LIMITS, timeProblem, Wei } from '@quoin/protocol'
import { grouped } from '../build/grouped.ts'
import type { Artifact } from './artifact.ts'
import { ArtifactIndex, functionNameOf } from './artifacts.ts'
import { ChainError } from './error.ts'
import { DEPLOYMENT, GasStatistics, gasOfAllChains } from './gas-report.ts'
import type { Ledger, LedgerCheckpoint, MinedBlock, MinedTransaction, Production } from './ledger.ts'
import { TESTING_LIMITS } from './limits.ts'
import { Outbox } from './outbox.ts'
import { print } from './print.ts'
import { type Receipt, receiptOf } from './receipt.ts'
import { type ContractRevert, type FailedMessage, revertOf } from './revert.ts'
import type { Message } from './transaction.ts'

/** A message to send, with the details for error messages and gas statistics. */
export interface Outgoing {
  readonly message: Message
  /** Name of the message in errors. */
  readonly what: string
  /** Artifact of the code that it calls or creates. */
  readonly artifact: Artifact | undefined
  /** Code that it installs at an address; during the message, another or no code is there. */
  readonly makes?: { readonly artifact: Artifact; readonly at?: Address }
  /** Stack lines of the test. */
  readonly site: string
}

/** Identifies a snapshot of one chain. */
export type SnapshotId = number & { readonly snapshot: unique symbol }

interface Snapshot {
  readonly id: SnapshotId
  /** Hash of the last block. */
  readonly hash: Hex
  readonly ledger: LedgerCheckpoint
  readonly nextTimeMs: number | undefined
}

/** Shared by all chains, so that no chain accepts the snapshot of another one. */
let lastSnapshotId = 0

/** A ledger with a clock, snapshots, and the artifacts that a test has used. */
export class ChainCore {
  readonly ledger: Ledger
  readonly artifacts = new ArtifactIndex()
  readonly gas = new GasStatistics()
  readonly outbox: Outbox<Outgoing, Receipt>
  readonly #printsGas: boolean
  readonly #snapshots: Snapshot[] = []
  /** Time of the next block; undefined: one second after the last block. */
  #nextTimeMs: number | undefined
  #closed = false

  constructor(ledger: Ledger, printsGas: boolean) {
    this.ledger = ledger
    this.#printsGas = printsGas
    this.outbox = new Outbox((messages) => this.#mine(messages))
  }

  get head(): MinedBlock {
    return this.ledger.head
  }

  assertOpen(): void {
    if (this.#closed) throw new ChainError('the chain is closed')
  }

  /** Sends a message in the next block. Throws ContractRevert when it fails. */
  async send(outgoing: Outgoing): Promise<Receipt> {
    this.assertOpen()
    return this.outbox.send(outgoing)
  }

  /** Makes a block without transactions, at the given time or the one that was set. */
  async mineEmpty(production: Partial<Production> = {}): Promise<void> {
    const produced = await this.#produce({ messages: [], ...production })
    if (!produced.ok) throw new ChainError(produced.error.message)
  }

  /** Sets the time of the next block. Throws ChainError unless it is after the last block. */
  setNextTime(timeMs: number): void {
    const { header } = this.head
    if (timeProblem(header, timeMs) !== undefined)
      throw new ChainError(
        `the next block's timestamp must be greater than the last one's, ${header.timeMs / 1_000}: ${timeMs / 1_000}`,
      )
    if (timeMs > LIMITS.timeMsMax) throw new ChainError(`the timestamp is too large for a block: ${timeMs / 1_000}`)
    this.#nextTimeMs = timeMs
  }

  /** Takes a snapshot. Returns the last one again if nothing has changed since. */
  snapshot(): SnapshotId {
    this.assertOpen()
    const { hash } = this.head
    const last = this.#snapshots.at(-1)
    if (last !== undefined && last.hash === hash && last.nextTimeMs === this.#nextTimeMs) return last.id
    if (this.#snapshots.length === TESTING_LIMITS.snapshotsMax)
      throw new ChainError(
        `a chain keeps at most ${TESTING_LIMITS.snapshotsMax} snapshots: revert to an earlier one, which removes those after it`,
      )
    const id = ++lastSnapshotId as SnapshotId
    this.#snapshots.push({ id, hash, ledger: this.ledger.checkpoint(), nextTimeMs: this.#nextTimeMs })
    return id
  }

  /** Goes back to a snapshot. It remains usable; later snapshots are removed. */
  revert(id: SnapshotId): Promise<void> {
    this.assertOpen()
    return this.outbox.exclusive(async () => {
      const index = this.#snapshots.findIndex((snapshot) => snapshot.id === id)
      const snapshot = this.#snapshots[index]
      if (snapshot === undefined)
        throw new ChainError(
          `there is no snapshot ${id}: it belongs to another chain, or a revert to an earlier snapshot removed it`,
        )
      await this.ledger.restore(snapshot.ledger)
      this.#snapshots.length = index + 1
      this.#nextTimeMs = snapshot.nextTimeMs
    })
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#snapshots.length = 0
    await this.outbox.exclusive(() => this.ledger.close())
  }

  /** Runs a message on the state of a block. Throws ContractRevert when it fails, ChainError when it is refused. */
  async call(outgoing: Outgoing, height: number): Promise<{ readonly data: Uint8Array; readonly gasUsed: bigint }> {
    this.assertOpen()
    const outcome = await runCall(this.ledger.calls, this.callRequest(outgoing.message, height))
    if (outcome.kind === 'refused') throw new ChainError(`${outgoing.what} cannot be run: ${outcome.message}`)
    const gasUsed = BigInt(outcome.gasUsed)
    if (outcome.kind === 'returned') return { data: outcome.data, gasUsed }
    throw this.#revertOf(
      outgoing,
      failureOf(outcome, Math.min(outgoing.message.gas, TESTING_LIMITS.callGasMax)),
      gasUsed,
      undefined,
    )
  }

  callRequest({ from, to, value, data, gas }: Message, height: number): CallRequest {
    return {
      call: { from, to, data, value: Wei(value), accessList: [], gas, maxFeePerGas: Wei(0n) },
      block: this.ledger.contextOf(height),
      stateOverrides: new Map(),
      blockOverrides: {},
      gasMax: TESTING_LIMITS.callGasMax,
    }
  }

  /** The artifact of the code at an address, if the test has used it. */
  artifactAt(address: Address): Artifact | undefined {
    return this.artifacts.of(this.ledger.account(address).codeHash)
  }

  hasCode(address: Address): boolean {
    return this.ledger.account(address).codeHash !== undefined
  }

  /** Makes the next block, unless one of its transactions is invalid. */
  async #produce(production: Omit<Production, 'timeMs'> & Partial<Production>) {
    const timeMs = production.timeMs ?? this.#nextTimeMs ?? this.head.header.timeMs + 1_000
    const produced = await this.ledger.produce({ ...production, timeMs })
    if (produced.ok) this.#nextTimeMs = undefined
    return produced
  }

  async #mine(outgoing: readonly Outgoing[]): Promise<readonly (Receipt | ContractRevert)[]> {
    const produced = await this.#produce({ messages: outgoing.map(({ message }) => message) })
    if (produced.ok) return outgoing.map((one, i) => this.#outcomeOf(one, produced.value, produced.value.transactions[i]!))
    const { error } = produced
    const [index, message] =
      error.code === 'invalid-transaction' ? [error.index, error.reason.message] : [undefined, error.message]
    const refused = outgoing[index ?? 0]!
    const what =
      outgoing.length === 1 || index === undefined ? refused.what : `transaction ${index} of the batch, ${refused.what},`
    const failure = new ChainError(`${what} cannot be included in a block: ${message}`)
    failure.stack = `${failure.name}: ${failure.message}\n${refused.site}`
    throw failure
  }

  #outcomeOf(outgoing: Outgoing, block: MinedBlock, transaction: MinedTransaction): Receipt | ContractRevert {
    const { artifact } = outgoing
    const receipt = receiptOf(block, transaction, artifact?.abi)
    const { failure } = transaction
    if (failure !== undefined) return this.#revertOf(outgoing, failure, receipt.gasUsed, receipt)
    this.#count(outgoing, receipt.gasUsed)
    return receipt
  }

  #count({ artifact, message }: Outgoing, gasUsed: bigint): void {
    if (artifact === undefined) return
    const name = message.to === undefined ? DEPLOYMENT : functionNameOf(artifact, bytesToHex(message.data))
    for (const statistics of [this.gas, gasOfAllChains]) statistics.record(artifact.name, name, gasUsed)
    if (this.#printsGas) print(`gas: ${grouped(gasUsed)} ${artifact.name} ${name}`)
  }

  #revertOf(outgoing: Outgoing, failure: TransactionFailure, gasUsed: bigint, receipt: Receipt | undefined): ContractRevert {
    const { data, reason, detail } = failure
    const trace = failure.trace.map((entry) => ({
      ...entry,
      artifact: this.#artifactOf(outgoing, entry.address),
      abi: entry.address === undefined ? undefined : this.ledger.abiOfThrower(entry.address),
    }))
    const failed: FailedMessage = { data, reason, detail, trace, gasUsed, receipt }
    return revertOf(outgoing.what, outgoing.artifact?.abi, failed, outgoing.site)
  }

  /** Artifact of the code that ran at an address, or that the message was to install there. */
  #artifactOf({ makes }: Outgoing, address: Address | undefined): Artifact | undefined {
    if (address === undefined || (makes !== undefined && (makes.at === address || !this.hasCode(address)))) return makes?.artifact
    return this.artifactAt(address)
  }
}

/** The failure of a call. `gas` is the call's limit. */
function failureOf(outcome: Exclude<CallResult, { kind: 'returned' }>, gas: number): TransactionFailure {
  if (outcome.kind === 'reverted') return outcome
  const { detail, trace, gasUsed } = outcome
  return { data: new Uint8Array(0), reason: 'out of gas', trace, detail: gasDetail(detail, gasUsed, gas) }
}
