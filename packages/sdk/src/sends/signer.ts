import { type Hex, keccak256, type LocalAccount } from 'viem'
import { estimateFeesPerGas } from 'viem/actions'
import type { KeyReader, SendsClient } from './chain.ts'
import type { Call, Signed } from './record.ts'

/** An estimate serves other calls of the same function with arguments of about the same size, with this margin. */
const MARGIN_PERCENT = 150n
const ESTIMATES_MAX = 256
/** Below this a limit is lower than what any chain allows. */
const LARGE_GAS = 5_000_000n
/** Fees are asked for this often at most. */
const FEES_MS = 10_000
/** A transfer of nothing costs 21,000; twice that is room for other prices. */
const FILLER_GAS = 42_000n

export interface Fees {
  readonly maxFeePerGas: bigint
  readonly maxPriorityFeePerGas: bigint
}

/** Gas, fees and signatures of one key. */
export class Signer {
  readonly #client: SendsClient
  readonly #account: LocalAccount
  readonly #reader: KeyReader
  readonly #chainId: number
  readonly #estimates = new Map<string, Promise<bigint>>()
  #fees: { readonly value: Promise<Fees>; readonly askedMs: number } | undefined

  constructor(client: SendsClient, account: LocalAccount, reader: KeyReader, chainId: number) {
    this.#client = client
    this.#account = account
    this.#reader = reader
    this.#chainId = chainId
  }

  /** Gas limit of a call. @throws what the node answers, if the call would revert */
  async gas(call: Call): Promise<bigint> {
    const key = classOf(call)
    const known = this.#estimates.get(key)
    if (known !== undefined) return known
    const estimate = this.#reader.estimateGas(call).then((gas) => this.#withMargin(gas))
    this.#estimates.set(key, estimate)
    // The oldest goes: it is asked for again.
    if (this.#estimates.size > ESTIMATES_MAX) this.#estimates.delete(this.#estimates.keys().next().value!)
    try {
      return await estimate
    } catch (failure) {
      this.forget(call)
      throw failure
    }
  }

  async #withMargin(gas: bigint): Promise<bigint> {
    const wide = (gas * MARGIN_PERCENT) / 100n
    // The limit of a transaction is half of a block's.
    return wide < LARGE_GAS || wide < (await this.#reader.blockGasLimit()) / 2n ? wide : gas
  }

  /** After a revert: the gas may have been too little. */
  forget(call: Call): void {
    this.#estimates.delete(classOf(call))
  }

  fees(): Promise<Fees> {
    const now = performance.now()
    if (this.#fees !== undefined && now - this.#fees.askedMs < FEES_MS) return this.#fees.value
    const value: Promise<Fees> = this.#reader.limited(() => estimateFeesPerGas(this.#client))
    this.#fees = { value, askedMs: now }
    value.catch(() => {
      this.#fees = undefined
    })
    return value
  }

  async sign(call: Call, nonce: number, gas: bigint, fees: Fees): Promise<Signed> {
    const serializer = this.#client.chain?.serializers?.transaction
    const transaction = {
      type: 'eip1559',
      chainId: this.#chainId,
      nonce,
      gas,
      maxFeePerGas: fees.maxFeePerGas,
      maxPriorityFeePerGas: fees.maxPriorityFeePerGas,
      ...(call.to === null ? {} : { to: call.to }),
      data: call.data,
      value: call.value,
    } as const
    const raw: Hex = await this.#account.signTransaction(transaction, ...(serializer === undefined ? [] : [{ serializer }]))
    return { raw, hash: keccak256(raw) }
  }

  /** A transfer of nothing to itself. It pays enough more than the other transaction with its nonce to replace it in a pool. */
  async signFiller(nonce: number, replaced?: Fees): Promise<Signed> {
    const now = await this.fees()
    const fee = (field: keyof Fees): bigint => {
      const bumped = ((replaced?.[field] ?? 0n) * 1_125n + 999n) / 1_000n
      return now[field] > bumped ? now[field] : bumped
    }
    const fees = { maxFeePerGas: fee('maxFeePerGas'), maxPriorityFeePerGas: fee('maxPriorityFeePerGas') }
    return this.sign({ to: this.#account.address, data: '0x', value: 0n }, nonce, FILLER_GAS, fees)
  }
}

/** Contract, function, and the size of the arguments to the next power of two. */
const classOf = ({ to, data, value }: Call): string =>
  `${to?.toLowerCase()} ${data.slice(0, 10)} ${Math.ceil(Math.log2(data.length + 1))} ${value > 0n}`
