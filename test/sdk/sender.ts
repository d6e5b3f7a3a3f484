import { DEVELOPMENT_MNEMONIC } from '@quoin/platform'
import { cluster, SendError, trackedSends } from '@quoin/sdk'
import { fileStore } from '@quoin/sdk/store/node'
import { createClient, fallback, http } from 'viem'
import { mnemonicToAccount } from 'viem/accounts'
import { foundry } from 'viem/chains'
import { WebSocket } from 'ws'

/**
 * A program that sends: `sender '<SenderTask>'`. Send k of a sender carries k + 1 wei and has the id `<prefix><k>`. It prints `ready`, and for each
 * send that ended a line: the sender, k, and `included <hash>` or the reason of its failure. Then it ends, unless it is to stay.
 */
export interface SenderTask {
  readonly urls: readonly string[]
  readonly directory: string
  /** Indexes of development accounts. */
  readonly senders: readonly number[]
  readonly count: number
  readonly prefix: string
  readonly to: `0x${string}`
  readonly deadlineMs?: number
  /** Default: viem's `fallback`. */
  readonly transport?: 'cluster' | 'fallback'
}

const { urls, directory, senders, count, prefix, to, deadlineMs = 600_000, ...task } = JSON.parse(process.argv[2]!) as SenderTask
const store = await fileStore(directory)
const transport =
  task.transport === 'cluster'
    ? cluster(urls, { webSocket: WebSocket })
    : fallback(
        urls.map((url) => http(url, { retryCount: 0 })),
        { retryCount: 0 },
      )
const client = createClient({ chain: foundry, transport })
const print = (line: string): void => void process.stdout.write(`${line}\n`)

const trackers = senders.map((index) => {
  const account = mnemonicToAccount(DEVELOPMENT_MNEMONIC, { addressIndex: index })
  return { index, sends: trackedSends({ client, account, store, deadlineMs, queuedMax: 100_000, pollingIntervalMs: 50 }) }
})
const all = trackers.flatMap(({ index, sends }) =>
  Array.from({ length: count }, async (_, k) => {
    const send = sends.sendTransaction({ to, value: BigInt(k + 1), id: `${prefix}${k}`, gas: 50_000n })
    try {
      const { transactionHash } = await send.receipt
      print(`${index} ${k} included ${transactionHash}`)
    } catch (failure) {
      print(`${index} ${k} ${failure instanceof SendError ? failure.reason : `untyped ${String(failure)}`}`)
    }
  }),
)
print('ready')
await Promise.all(all)
await Promise.all(trackers.map(({ sends }) => sends.close()))
await store.close()
