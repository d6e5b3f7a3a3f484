import { memoryStore, SendError, trackedSends } from '@quoin/sdk'
import { type BrowserStore, indexedDb } from '@quoin/sdk/store/browser'
import { createClient, http } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { foundry } from 'viem/chains'

/** What a page of the browser test can be asked to do. */
export interface Tab {
  /** Opens the store; resolves to its durability. */
  open(name: string): Promise<string>
  /** Sends `count` transfers with values from `first` on, each with an id of its own. Resolves to how each ended. */
  send(task: {
    readonly url: string
    readonly key: `0x${string}`
    readonly first: number
    readonly count: number
  }): Promise<string[]>
  /** Statuses of this tab's sends. */
  statuses(): string[]
  /** Raises a counter in the store by one, `times` times, each by a conditional commit. */
  count(times: number): Promise<string | undefined>
}

const SINK = '0x00000000000000000000000000000000dead0001'
let store: BrowserStore | undefined
const now: { readonly status: string }[] = []

const tab: Tab = {
  async open(name) {
    store = await indexedDb(name)
    return store.durability
  },
  async send({ url, key, first, count }) {
    const client = createClient({ chain: foundry, transport: http(url, { retryCount: 0 }) })
    const sends = trackedSends({ client, account: privateKeyToAccount(key), store: store ?? memoryStore() })
    const all = Array.from({ length: count }, (_, i) =>
      sends.sendTransaction({ to: SINK, value: BigInt(first + i), id: `${first + i}`, gas: 50_000n }),
    )
    now.push(...all)
    return Promise.all(
      all.map(({ receipt }) =>
        receipt.then(
          ({ transactionHash }) => transactionHash,
          (failure: unknown) => (failure instanceof SendError ? failure.reason : String(failure)),
        ),
      ),
    )
  },
  statuses: () => now.map(({ status }) => status),
  async count(times) {
    for (let done = 0; done < times; ) {
      const before = await store!.get('count')
      const change = { key: 'count', value: String(Number(before ?? 0) + 1) }
      if (await store!.commit([change], { if: [{ key: 'count', value: before }] })) done++
    }
    return store!.get('count')
  },
}
Object.assign(globalThis, { tab })
