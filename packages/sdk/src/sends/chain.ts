import type { Account, Address, Chain, Client, Hash, Hex, TransactionReceipt, Transport } from 'viem'
import { getTransactionReceipt } from 'viem/actions'
import { Closing } from './closing.ts'
import type { Call } from './record.ts'

/** Any viem client with a chain. */
export type SendsClient = Client<Transport, Chain | undefined, Account | undefined>

/** A request without an answer for so long is given up: not all transports have a limit. */
const REQUEST_MS_MAX = 20_000

interface Block {
  readonly number: Hex
  readonly timestamp: Hex
  readonly gasLimit: Hex
  readonly transactions: readonly { readonly hash: Hash; readonly from: Address; readonly nonce: Hex }[]
}

/** What sends ask of the chain about one key. Each call is one request, without retries: the callers have their own. */
export class KeyReader {
  readonly #client: SendsClient
  readonly address: Address
  readonly #closing: Closing

  constructor(client: SendsClient, address: Address, signal: AbortSignal) {
    this.#client = client
    this.address = address
    this.#closing = new Closing(signal)
  }

  /** Chain id and the start of the genesis hash: chains with one id, such as development chains, differ in it. */
  async identity(): Promise<{ readonly chainId: number; readonly text: string }> {
    const chainId = Number(await this.#request<Hex>('eth_chainId', []))
    const genesis = await this.#request<{ hash: Hash } | null>('eth_getBlockByNumber', ['0x0', false])
    if (genesis === null) throw new Error('the node has no block 0')
    return { chainId, text: `${chainId}-${genesis.hash.slice(2, 18)}` }
  }

  /** Transactions of the key in blocks (`latest`), or with those in the pool (`pending`), or up to a block. */
  async count(at: 'latest' | 'pending' | bigint): Promise<number> {
    const tag = typeof at === 'bigint' ? toQuantity(at) : at
    return Number(await this.#request<Hex>('eth_getTransactionCount', [this.address, tag]))
  }

  /** Time of the newest block, Unix ms, rounded down to seconds. */
  async headMs(): Promise<number> {
    return Number((await this.#head()).timestamp) * 1_000
  }

  async blockGasLimit(): Promise<bigint> {
    return BigInt((await this.#head()).gasLimit)
  }

  async #head(): Promise<Block> {
    const head = await this.#request<Block | null>('eth_getBlockByNumber', ['latest', false])
    if (head === null) throw new Error('the node has no block')
    return head
  }

  async send(raw: Hex): Promise<void> {
    await this.#request('eth_sendRawTransaction', [raw])
  }

  async estimateGas({ to, data, value }: Call): Promise<bigint> {
    const call = { from: this.address, ...(to === null ? {} : { to }), data, value: toQuantity(value) }
    return BigInt(await this.#request<Hex>('eth_estimateGas', [call]))
  }

  /** Repeats a call on the state after a block. */
  async call({ to, data, value }: Call, block: bigint): Promise<void> {
    const call = { from: this.address, ...(to === null ? {} : { to }), data, value: toQuantity(value) }
    await this.#request('eth_call', [call, toQuantity(block)])
  }

  async receipt(hash: Hash): Promise<TransactionReceipt | undefined> {
    try {
      return await this.limited(() => getTransactionReceipt(this.#client, { hash }))
    } catch (failure) {
      if ((failure as Error).name === 'TransactionReceiptNotFoundError') return undefined
      throw failure
    }
  }

  /**
   * The transaction of the key with this nonce, which is in a block. Undefined if the node is behind, or has the block no more. Asks for the
   * count at single blocks, so nodes at different heights cannot contradict each other.
   */
  async transactionAt(nonce: number): Promise<Hash | undefined> {
    const head = BigInt(await this.#request<Hex>('eth_blockNumber', []))
    if ((await this.count(head)) <= nonce) return undefined
    // The first block at which the count exceeds the nonce, first in growing steps, then by halves.
    let [low, high] = [head, head]
    for (let step = 1n; ; step *= 2n) {
      low = high > step ? high - step : 0n
      if (low === 0n || (await this.count(low)) <= nonce) break
      high = low
    }
    while (high - low > 1n) {
      const middle = (low + high) / 2n
      if ((await this.count(middle)) > nonce) high = middle
      else low = middle
    }
    const block = await this.#request<Block | null>('eth_getBlockByNumber', [toQuantity(high), true])
    const isIt = (transaction: Block['transactions'][number]) =>
      transaction.from.toLowerCase() === this.address.toLowerCase() && Number(transaction.nonce) === nonce
    return block?.transactions.find(isIt)?.hash
  }

  #request<T>(method: string, params: readonly unknown[]): Promise<T> {
    const request = this.#client.request as (args: unknown, options: unknown) => Promise<T>
    return this.limited((signal) => request({ method, params }, { retryCount: 0, signal }))
  }

  /** Until it answers, the time is over, or the reader is closed. */
  async limited<T>(ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
    this.#closing.throwIfAborted()
    const controller = new AbortController()
    let end: (() => void) | undefined
    // Transports need not heed the signal.
    const ended = new Promise<never>((_, reject) => {
      const give = (reason: unknown): void => {
        reject(reason)
        controller.abort(reason)
      }
      const timer = setTimeout(() => give(new Error(`no answer within ${REQUEST_MS_MAX} ms`)), REQUEST_MS_MAX)
      const unlisten = this.#closing.listen(give)
      end = () => {
        clearTimeout(timer)
        unlisten()
      }
    })
    try {
      return await Promise.race([ask(controller.signal), ended])
    } finally {
      end?.()
    }
  }
}

const toQuantity = (value: bigint): Hex => `0x${value.toString(16)}`
