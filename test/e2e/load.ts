import { type Hex, keccak256 } from 'viem'
import { foundry } from 'viem/chains'
import { linkDeadline } from '../../packages/node/src/abort.ts'
import { account, type Network, type Validator } from './harness.ts'
import { watch } from './watch.ts'

/** Transfers that one account has pending at a time. */
const BATCH = 5
const REQUEST_MS_MAX = 2_000
/** A batch that is not final after this time is sent again to the next node, as a client does whose node is down. */
const RESEND_MS = 2_000

export interface Final {
  readonly blockHash: Hex
  readonly blockNumber: number
}

interface Answer<T> {
  readonly result?: T | null
  readonly error?: { readonly message: string }
}

/** Clients that send transfers to any node that answers, each its next batch when its last one is final, and record what is final. */
export class Load {
  readonly final = new Map<Hex, Final>()
  readonly #network: Network
  readonly #lanes: readonly Promise<void>[]
  readonly #outcome: Promise<readonly PromiseSettledResult<void>[]>
  #stopping = false
  #next = 0

  constructor(network: Network, accounts: readonly number[]) {
    this.#network = network
    this.#lanes = accounts.map((index) => this.#lane(index))
    this.#outcome = Promise.allSettled(this.#lanes)
  }

  /** Resolves when this many more transfers are final. */
  async progress(count: number): Promise<void> {
    const goal = this.final.size + count
    const failed = Promise.all(this.#lanes).then(() => {
      throw new Error('the load has ended')
    })
    await Promise.race([
      failed,
      watch(`${count} more transfers final`, async () => (this.final.size >= goal ? true : undefined), {
        report: () => this.#network.report(),
      }),
    ])
  }

  /** Ends all clients; rejects with the first error of a client. */
  async stop(): Promise<void> {
    this.#stopping = true
    for (const outcome of await this.#outcome) if (outcome.status === 'rejected') throw outcome.reason
  }

  async #lane(index: number): Promise<void> {
    const signer = account(index)
    let nonce = Number(await this.#ask<Hex>('eth_getTransactionCount', [signer.address, 'latest']))
    while (!this.#stopping) {
      const raws = await Promise.all(Array.from({ length: BATCH }, (_, i) => this.#sign(signer, nonce + i)))
      await this.#finish(raws)
      nonce += BATCH
    }
  }

  #sign(signer: ReturnType<typeof account>, nonce: number): Promise<Hex> {
    return signer.signTransaction({
      ...{ chainId: foundry.id, nonce, gas: 21_000n, to: account(9).address, value: 1n },
      ...{ maxFeePerGas: 0n, maxPriorityFeePerGas: 0n },
    })
  }

  /** Sends a batch until it is final. */
  async #finish(raws: readonly Hex[]): Promise<void> {
    const waiting = new Map(raws.map((raw) => [keccak256(raw), raw]))
    while (waiting.size > 0 && !this.#stopping) {
      for (const raw of waiting.values()) await this.#ask('eth_sendRawTransaction', [raw])
      const resendAt = performance.now() + RESEND_MS
      const last = [...waiting.keys()].at(-1)!
      await watch('a final batch, or time to send it again', async () => {
        // Nonces run in order: when the last one is final, all are.
        const isFinal = (await this.#receipt(last)) !== undefined
        return isFinal || this.#stopping || performance.now() >= resendAt ? true : undefined
      })
      for (const hash of [...waiting.keys()]) {
        const receipt = await this.#receipt(hash)
        if (receipt === undefined) continue
        this.final.set(hash, { blockHash: receipt.blockHash, blockNumber: Number(receipt.blockNumber) })
        waiting.delete(hash)
      }
    }
  }

  #receipt(hash: Hex): Promise<{ readonly blockHash: Hex; readonly blockNumber: Hex } | undefined> {
    return this.#ask('eth_getTransactionReceipt', [hash])
  }

  /**
   * Asks the nodes in turn until one answers; throws on a refusal that no honest client should get. Undefined: null, or no node answered.
   */
  async #ask<T>(method: string, params: readonly unknown[]): Promise<T | undefined> {
    const nodes = this.#network.running
    for (let tried = 0; tried < nodes.length; tried++) {
      const answer = await request<T>(nodes[this.#next++ % nodes.length]!, method, params)
      if (answer === undefined) continue
      const { error, result } = answer
      // A node that is catching up does not know the earlier nonces.
      if (error !== undefined && error.message.startsWith('nonce too high')) continue
      if (error !== undefined && !/^(already known|nonce too low)/.test(error.message))
        throw new Error(`${method}: ${error.message}`)
      return result ?? undefined
    }
    return undefined
  }
}

/** Undefined if the node is down. */
async function request<T>(node: Validator, method: string, params: readonly unknown[]): Promise<Answer<T> | undefined> {
  const { signal, unlink } = linkDeadline(REQUEST_MS_MAX, [])
  try {
    const response = await fetch(node.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
      signal,
    })
    // 503: it is stopping.
    return response.ok ? ((await response.json()) as Answer<T>) : undefined
  } catch (failure) {
    // Killed, stopped or paused, which is what the tests do to nodes.
    if (failure instanceof TypeError || signal.aborted) return undefined
    throw failure
  } finally {
    unlink()
  }
}
