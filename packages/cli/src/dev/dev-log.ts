import type { TransactionFailure } from '@quoin/execution'
import { Sequencer } from '@quoin/node/process'
import { CallOutOfGas, CallReverted, type RpcError } from '@quoin/node/rpc'
import type { Receipt, SignedTransaction } from '@quoin/protocol'
import type { Descriptions, Sent } from './descriptions.ts'
import type { Instance } from './instance.ts'
import type { SealedBlock } from './sealer.ts'

/** Prints results of transactions and failed calls for a terminal. The chain does not wait for it. */
export class DevLog {
  readonly #descriptions: Descriptions
  readonly #print: (text: string) => void
  readonly #jobs = new Sequencer()

  constructor(descriptions: Descriptions, print: (text: string) => void) {
    this.#descriptions = descriptions
    this.#print = print
  }

  block(block: SealedBlock, instance: Instance): void {
    const failures = instance.takeFailures()
    const receipts = instance.ledger.blocks.receipts(block.header.number) ?? []
    for (const [index, transaction] of block.transactions.entries()) {
      const outcome = { receipt: receipts[index]!, failure: failures.get(transaction.hash) }
      this.#tell(() => this.#transaction(block, transaction, outcome, instance))
    }
  }

  /** Prints that a transaction waits: `missing` is the sender's next nonce. A wallet that remembers an earlier chain sends such transactions. */
  gap({ hash, sender, nonce }: SignedTransaction, missing: number): void {
    this.#tell(async () => [
      `${hash}  waits for nonce ${missing} of its sender`,
      `  ${sender} sent it with nonce ${nonce}. A wallet that used an earlier chain remembers its nonce: clear its activity data`,
    ])
  }

  /** Prints a failed call. Returns the error for the client: the reason, then the author's source lines. */
  async call(method: string, sent: Sent, failed: CallReverted | CallOutOfGas, instance: Instance): Promise<RpcError> {
    const { outcome, message } = failed
    const [called, trace] = await Promise.all([
      this.#descriptions.called(instance, sent),
      this.#descriptions.trace(instance, sent, outcome.trace),
    ])
    const target = `${sent.to ?? 'a new contract'}${called === undefined ? '' : `  ${called}`}`
    this.#tell(async () => [
      `${method}  failed`,
      `  → ${target}`,
      `  ${reasonText(outcome.kind === 'reverted' ? outcome : { ...outcome, reason: 'out of gas' })}`,
      ...trace.map(indented),
    ])
    const text = [message, ...trace].join('\n')
    return outcome.kind === 'reverted' ? new CallReverted(outcome, text) : new CallOutOfGas(outcome, text)
  }

  async #transaction(
    { header }: SealedBlock,
    transaction: SignedTransaction,
    { receipt, failure }: Outcome,
    instance: Instance,
  ): Promise<readonly string[]> {
    const { hash, sender, to } = transaction
    const called = await this.#descriptions.called(instance, transaction)
    const made = receipt.contractAddress === undefined ? 'no contract' : `new contract ${receipt.contractAddress}`
    const status = receipt.status === 1 ? 'ok' : 'failed'
    const trace = failure === undefined ? [] : await this.#descriptions.trace(instance, transaction, failure.trace)
    return [
      `${hash}  block ${header.number}  ${grouped.format(receipt.gasUsed)} gas  ${status}`,
      `  ${sender} → ${to ?? made}${called === undefined ? '' : `  ${called}`}`,
      ...(failure === undefined ? [] : [`  ${reasonText(failure)}`]),
      ...trace.map(indented),
    ]
  }

  #tell(lines: () => Promise<readonly string[]>): void {
    this.#jobs
      .run(async () => this.#print((await lines()).join('\n')))
      .catch((error: unknown) => this.#print(`error: cannot describe a transaction or call: ${String(error)}`))
  }

  /** Resolves when everything is printed. */
  close(): Promise<void> {
    return this.#jobs.idle()
  }
}

interface Outcome {
  readonly receipt: Receipt
  readonly failure: TransactionFailure | undefined
}

const grouped = new Intl.NumberFormat('en')

const indented = (line: string): string => `  ${line}`

const reasonText = ({ reason, detail }: Pick<TransactionFailure, 'reason' | 'detail'>): string =>
  `${reason === '' ? 'reverted without a reason' : reason}${detail === undefined ? '' : `: ${detail}`}`
