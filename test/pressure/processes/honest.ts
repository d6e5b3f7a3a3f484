import { developmentAccounts } from '@quoin/platform'
import { pause } from '../../../packages/node/src/abort.ts'
import { loadCrypto } from '../../../packages/node/src/crypto/load.ts'
import { systemClock } from '../../../packages/node/src/system-clock.ts'
import type { Lane, Prepared } from '../messages.ts'
import { ADDRESS } from './addresses.ts'
import { fail, report } from './channel.ts'
import { Heads } from './heads.ts'
import { RpcClient } from './rpc-client.ts'
import { type Signer, signer } from './signer.ts'

const SEND_MS_MAX = 5_000
const READ_MS_MAX = 2_000
/** Pause after a refusal, or after no answer. */
const AGAIN_MS = 250
/** Interval at which a receipt is requested even if no new block was reported. */
const LOOK_MS = 500
const READ_EVERY_MS = 250
/** Gas price 0: the chain charges nothing. */
const RECEIVER = '0x000000000000000000000000000000000000dead'

/** Honest users: a sender and a reader for each lane. */
export class HonestUsers {
  #walks: readonly Walk[] = []
  #ids = 0

  /** Ends the current lanes, and begins these. */
  async walk(lanes: readonly Lane[], prepared: Prepared): Promise<void> {
    await Promise.all(this.#walks.map((walk) => walk.stop()))
    const crypto = await loadCrypto()
    const sign = signer(crypto)
    const accounts = developmentAccounts(crypto)
    this.#walks = lanes.map((lane) => new Walk(lane, prepared, sign, accounts[lane.account]!, () => ++this.#ids))
  }
}

type Account = Parameters<Signer>[0] & { readonly address: string }

/** One lane: a transfer when the previous one is final, and reads at even intervals. */
class Walk {
  readonly #lane: Lane
  readonly #sign: Signer
  readonly #account: Account
  readonly #nextId: () => number
  readonly #end = new AbortController()
  readonly #sender: RpcClient
  readonly #receipts: RpcClient
  readonly #heads: Heads
  readonly #done: Promise<unknown>
  #onHead = (): void => {}

  constructor(lane: Lane, prepared: Prepared, sign: Signer, account: Account, nextId: () => number) {
    this.#lane = lane
    this.#sign = sign
    this.#account = account
    this.#nextId = nextId
    this.#sender = new RpcClient({ port: lane.sendPort, localAddress: ADDRESS.honest })
    this.#receipts = new RpcClient({ port: lane.receiptPort, localAddress: ADDRESS.honest })
    this.#heads = new Heads(lane.receiptPort, ADDRESS.honest, () => this.#onHead())
    this.#done = Promise.all([this.#send(), this.#read(prepared)]).catch(fail)
  }

  async stop(): Promise<void> {
    this.#end.abort()
    this.#onHead()
    await this.#done
    this.#heads.close()
    this.#sender.close()
    this.#receipts.close()
  }

  async #send(): Promise<void> {
    const { signal } = this.#end
    const { name: lane } = this.#lane
    while (!signal.aborted) {
      const nonce = await this.#nonce()
      if (nonce === undefined) continue
      const { raw, hash } = this.#sign(this.#account, nonce, { to: RECEIVER, value: 1n, gas: 21_000n })
      const at = Date.now()
      const id = this.#nextId()
      report({ kind: 'sent', at, lane, id, head: this.#heads.latest })
      if (!(await this.#submit(raw))) continue
      const height = await this.#final(hash)
      if (height !== undefined) report({ kind: 'transfer', at: Date.now(), lane, id, ms: Date.now() - at, height })
    }
  }

  /** Counts pending transactions: a transfer of an earlier lane may still wait. */
  async #nonce(): Promise<number | undefined> {
    const answer = await this.#receipts.call('eth_getTransactionCount', [this.#account.address, 'pending'], SEND_MS_MAX)
    if (answer.ok) return Number(answer.result)
    await this.#trouble(`nonce: ${answer.why}`)
    return undefined
  }

  /** Sends it until a node accepts it, as a patient client does; false if it can never be final. */
  async #submit(raw: string): Promise<boolean> {
    while (!this.#end.signal.aborted) {
      const answer = await this.#sender.call('eth_sendRawTransaction', [raw], SEND_MS_MAX)
      if (answer.ok || answer.message?.startsWith('already known') === true) return true
      // It had been accepted before, but the answer was lost.
      if (answer.message?.startsWith('nonce too low') === true) return true
      await this.#trouble(`send: ${answer.why} ${answer.message ?? ''}`)
    }
    return false
  }

  /** The height of its block; undefined if the walk ends first. */
  async #final(hash: string): Promise<number | undefined> {
    while (!this.#end.signal.aborted) {
      const answer = await this.#receipts.call('eth_getTransactionReceipt', [hash], SEND_MS_MAX)
      if (answer.ok && answer.result !== null) return Number((answer.result as { blockNumber: string }).blockNumber)
      if (!answer.ok) await this.#trouble(`receipt: ${answer.why}`)
      else await this.#nextHead()
    }
    return undefined
  }

  /** Resolves at the next reported block, or after some time. */
  #nextHead(): Promise<void> {
    return new Promise((resolve) => {
      const go = (): void => {
        clearTimeout(timer)
        this.#onHead = () => {}
        resolve()
      }
      const timer = setTimeout(go, LOOK_MS)
      this.#onHead = go
    })
  }

  async #trouble(what: string): Promise<void> {
    if (this.#end.signal.aborted) return
    report({ kind: 'trouble', at: Date.now(), lane: this.#lane.name, what: what.slice(0, 120) })
    await pause(systemClock, AGAIN_MS, this.#end.signal)
  }

  /** Calls and balances in turn, each over a new connection, as a new client would. */
  async #read({ token }: Prepared): Promise<void> {
    const { signal } = this.#end
    const { name: lane, sendPort } = this.#lane
    const client = new RpcClient({ port: sendPort, localAddress: ADDRESS.reader, isNewcomer: true })
    const call = { to: token, data: `0x70a08231${this.#account.address.slice(2).padStart(64, '0')}` }
    const reads = [
      ['eth_call', [call, 'latest']],
      ['eth_getBalance', [this.#account.address, 'latest']],
    ] as const
    for (let i = 0; !signal.aborted; i++) {
      const [method, params] = reads[i % reads.length]!
      const started = performance.now()
      const at = Date.now()
      const answer = await client.call(method, params, READ_MS_MAX)
      const ms = performance.now() - started
      if (!signal.aborted) report({ kind: 'read', at, lane, method, ms: answer.ok ? ms : undefined })
      await pause(systemClock, Math.max(0, READ_EVERY_MS - ms), signal)
    }
  }
}
