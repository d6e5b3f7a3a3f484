import type { CallResult } from '@quoin/execution'
import { Height, type Receipt, type SignedTransaction, type Wei } from '@quoin/protocol'
import { Sequencer } from '../sequencer.ts'
import type { Instance } from './instance.ts'
import type { SealedBlock } from './sealer.ts'

/** Writes what became of the transactions of each block, for a person at a terminal; the chain does not wait for it. */
export class TransactionLog {
  readonly #print: (text: string) => void
  readonly #jobs = new Sequencer()

  constructor(print: (text: string) => void) {
    this.#print = print
  }

  add(block: SealedBlock, instance: Instance): void {
    if (block.transactions.length === 0) return
    const receipts = instance.ledger.blocks.receipts(block.header.number) ?? []
    this.#jobs
      .run(async () => {
        for (const [index, transaction] of block.transactions.entries())
          this.#print(await describe(transaction, receipts[index]!, block, instance))
      })
      .catch((error: unknown) => this.#print(`error: a transaction could not be described: ${String(error)}`))
  }

  /** Resolves when everything is written. */
  close(): Promise<void> {
    return this.#jobs.idle()
  }
}

const grouped = new Intl.NumberFormat('en')

async function describe(
  transaction: SignedTransaction,
  receipt: Receipt,
  block: SealedBlock,
  instance: Instance,
): Promise<string> {
  const { hash, sender, to } = transaction
  const made = receipt.contractAddress === undefined ? 'no contract' : `new contract ${receipt.contractAddress}`
  const lines = [
    `${hash}  block ${block.header.number}  ${grouped.format(receipt.gasUsed)} gas  ${receipt.status === 1 ? 'ok' : 'failed'}`,
    `  ${sender} → ${to ?? made}`,
  ]
  if (receipt.status === 0) lines.push(`  ${await reasonOf(transaction, receipt, block, instance)}`)
  return lines.join('\n')
}

/** Why a transaction failed, in words: receipts do not keep them, so it runs once more on the state that it found. */
async function reasonOf(
  transaction: SignedTransaction,
  receipt: Receipt,
  { header }: SealedBlock,
  { backend }: Instance,
): Promise<string> {
  if (receipt.gasUsed === transaction.gasLimit) return 'out of gas'
  const { sender: from, to, data, value, accessList, gasLimit } = transaction
  const { number, timeMs, miner: proposer, gasLimit: blockGasLimit, baseFeePerGas: baseFee } = header
  const block = { timeMs, proposer, gasLimit: blockGasLimit, baseFee }
  const request = {
    call: { from, to, data, value, accessList, gas: gasLimit, maxFeePerGas: 0n as Wei },
    block: { ...block, number: Height(number - 1) },
    stateOverrides: new Map(),
    blockOverrides: { number },
    gasMax: gasLimit,
  }
  const ran = await backend.calls.run('call', request, new AbortController().signal)
  return ran.ok && ran.value.kind === 'reverted' ? revertText(ran.value) : 'reverted'
}

const revertText = ({ reason }: Extract<CallResult, { kind: 'reverted' }>): string =>
  reason === '' ? 'reverted without a reason' : `reverted: ${reason}`
