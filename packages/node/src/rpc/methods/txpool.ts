import type { Address, SignedTransaction } from '@quoin/protocol'
import type { RpcBackend } from '../backend.ts'
import { RpcError } from '../errors.ts'
import { formatTransaction, quantityHex } from '../format.ts'
import * as forms from '../forms/index.ts'
import { JsonText, PIECE_CHARS } from '../json-text.ts'
import { type CallContext, type Methods, method } from '../method.ts'
import { address } from '../schema.ts'

/** The JSON of one part of the pool, pending or queued: an object with an entry for each transaction, grouped by sender if `byAddress`. */
class Section {
  readonly #byAddress: boolean
  readonly #pieces: string[] = []
  #piece = '{'
  #sender: Address | undefined

  constructor(byAddress: boolean) {
    this.#byAddress = byAddress
  }

  /** Adds a transaction. Those of one sender follow one another. Returns the number of characters. */
  add({ sender, nonce }: SignedTransaction, json: string): number {
    const before = this.#piece.length
    const isSame = this.#sender === sender
    if (isSame) this.#piece += ','
    else if (this.#byAddress) this.#piece += `${this.#sender === undefined ? '' : '},'}"${sender}":{`
    this.#piece += `"${nonce}":${json}`
    this.#sender = sender
    const added = this.#piece.length - before
    if (this.#piece.length >= PIECE_CHARS) {
      this.#pieces.push(this.#piece)
      this.#piece = ''
    }
    return added
  }

  end(): readonly string[] {
    const isOpen = this.#byAddress && this.#sender !== undefined
    return [...this.#pieces, `${this.#piece}${isOpen ? '}}' : '}'}`]
  }
}

interface Listing {
  /** Undefined: all senders. */
  readonly sender: Address | undefined
  readonly toJson: (transaction: SignedTransaction) => string
  /** What a client can do if the response is too large. */
  readonly advice: string
}

/** Lists the pool. Yields to other work between transactions. Throws RpcError if the response gets too large. */
async function list(backend: RpcBackend, { sender, toJson, advice }: Listing, call: CallContext): Promise<JsonText> {
  const { responseBytesMax } = call.limits
  const [pending, queued] = [new Section(sender === undefined), new Section(sender === undefined)]
  let chars = 0
  for await (const { transaction, isQueued } of backend.pool.walk(sender, call.identity)) {
    if (call.isSliceOver()) await call.nextTurn()
    const added = (isQueued ? queued : pending).add(transaction, toJson(transaction))
    call.hold(added)
    chars += added
    if (chars > responseBytesMax)
      throw new RpcError('answer-too-large', `response too large: it exceeds ${responseBytesMax} bytes, ${advice}`)
  }
  return new JsonText(['{"pending":', ...pending.end(), ',"queued":', ...queued.end(), '}'])
}

const contentJson = (transaction: SignedTransaction): string => JSON.stringify(formatTransaction(transaction, undefined))

/** The text of go-ethereum (internal/ethapi, `Inspect`). */
const inspectJson = ({ to, value, gasLimit, maxFeePerGas }: SignedTransaction): string =>
  JSON.stringify(`${to ?? 'contract creation'}: ${value} wei + ${gasLimit} gas × ${maxFeePerGas} wei`)

const ADVICE = 'ask for one sender with txpool_contentFrom, or for counts with txpool_status'

/** The content of the pool. Addresses are in lower case, as everywhere. */
export const txpoolMethods: Methods<RpcBackend> = {
  txpool_status: method(
    {
      summary: 'How many transactions wait for a block, and how many for an earlier nonce.',
      params: [],
      result: forms.poolStatus,
    },
    [],
    async (backend: RpcBackend) => {
      const { count, queued } = await backend.pool.stats()
      return { pending: quantityHex(count - queued), queued: quantityHex(queued) }
    },
  ),
  txpool_content: method(
    { summary: 'The transactions of the pool, by sender and nonce.', params: [], result: forms.poolContent },
    [],
    (backend: RpcBackend, _, call) => list(backend, { sender: undefined, toJson: contentJson, advice: ADVICE }, call),
  ),
  txpool_contentFrom: method(
    { summary: 'The transactions of one sender in the pool, by nonce.', params: ['address'], result: forms.poolContentFrom },
    [address],
    (backend: RpcBackend, [sender], call) =>
      list(backend, { sender, toJson: contentJson, advice: 'ask for single transactions by hash' }, call),
  ),
  txpool_inspect: method(
    { summary: 'The transactions of the pool in short, by sender and nonce.', params: [], result: forms.poolTexts },
    [],
    (backend: RpcBackend, _, call) => list(backend, { sender: undefined, toJson: inspectJson, advice: ADVICE }, call),
  ),
}
