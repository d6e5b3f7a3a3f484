import { type Chain, defineChain } from 'viem'
import { inBackground } from '../cluster/background.ts'
import type { NodeOptions } from '../cluster/cluster.ts'
import { ConnectionError, isObject, type NodeFailure, NodesFailedError, toError, WrongChainError } from '../errors.ts'
import { connect } from '../rpc/connect.ts'
import { type NodeConnection, shownUrl } from '../rpc/connection.ts'
import type { WebSocketClass } from '../rpc/web-socket.ts'

/** Options of `fetchChain`. */
export interface FetchChainOptions {
  /** Hash of block 0. Without it the chain is whatever the nodes agree on, so that the application trusts all of them. */
  readonly genesisHash?: `0x${string}` | undefined
  /** For people; default: Quoin and the chain's id. */
  readonly name?: string | undefined
  /** Default: Ether with 18 decimals. */
  readonly nativeCurrency?: Chain['nativeCurrency'] | undefined
  /** For one node's answer, in ms; default 10 s. */
  readonly timeout?: number | undefined
  /** As in `cluster`. */
  readonly webSocket?: WebSocketClass | undefined
  /** Ends the wait. */
  readonly signal?: AbortSignal | undefined
}

/** What one node says about its chain. */
interface Identity {
  readonly url: string
  readonly id: number
  readonly genesisHash: `0x${string}`
  readonly hasMulticall: boolean
}

/** Where genesis places Multicall3, as on every Ethereum chain. */
const MULTICALL3 = '0xcA11bde05977b3631167028862bE2a173976CA11'

/**
 * Asks every node which chain it belongs to, and makes viem's `Chain` of it: id, RPC URLs, Multicall3, and a tip of 0, which saves a request with
 * each send. A node that belongs to another chain is an error. One that cannot be reached, or answers more than a second after the first, is left to
 * the cluster.
 *
 * @throws WrongChainError if a node has another genesis than the one that is wanted, or than the other nodes
 * @throws NodesFailedError if no node answers
 */
export async function fetchChain(
  urls: readonly (string | NodeOptions)[],
  options: FetchChainOptions = {},
): Promise<Chain & { genesisHash: `0x${string}` }> {
  const { genesisHash, name, nativeCurrency = ETHER, timeout = 10_000, webSocket, signal } = options
  const configs = urls.map((one) => (typeof one === 'string' ? { url: one } : one))
  const found: Identity[] = []
  const failures: NodeFailure[] = []
  const late = new AbortController()
  let cancel: (() => void) | undefined
  const leave = (): void => late.abort()
  signal?.addEventListener('abort', leave)
  if (signal?.aborted === true) leave()
  await Promise.all(
    configs.map(async ({ url, headers }) => {
      const connection = connect(url, { headers, webSocket })
      try {
        found.push(await identityOf(connection, { timeoutMs: timeout, signal: late.signal }))
        cancel ??= inBackground(GRACE_MS, leave)
      } catch (error) {
        failures.push({ url: connection.url, error: toError(error) })
      } finally {
        connection.close()
      }
    }),
  )
  cancel?.()
  signal?.removeEventListener('abort', leave)
  if (signal?.aborted === true) throw toError(signal.reason)
  const [first] = found
  if (first === undefined) throw new NodesFailedError('eth_chainId', failures)
  for (const identity of found) compare(identity, { id: first.id, genesisHash: genesisHash?.toLowerCase() ?? first.genesisHash })
  const shown = configs.map(({ url }) => shownUrl(url))
  const chain = defineChain({
    id: first.id,
    name: name ?? `Quoin ${first.id}`,
    nativeCurrency,
    rpcUrls: {
      default: { http: shown.filter((url) => url.startsWith('http')), webSocket: shown.filter((url) => url.startsWith('ws')) },
    },
    fees: { maxPriorityFeePerGas: 0n },
    ...(found.some(({ hasMulticall }) => hasMulticall) ? { contracts: { multicall3: { address: MULTICALL3 } } } : {}),
  })
  return { ...chain, genesisHash: first.genesisHash }
}

/** After the first answer the other nodes have so long, in ms: one that is frozen must not hold up the start of an application. */
const GRACE_MS = 1_000

const ETHER = { name: 'Ether', symbol: 'ETH', decimals: 18 }

async function identityOf(
  connection: NodeConnection,
  options: { readonly timeoutMs: number; readonly signal: AbortSignal | undefined },
): Promise<Identity> {
  const ask = (method: string, params: readonly unknown[]) => connection.request({ method, params }, options)
  const [id, genesis, code] = await Promise.all([
    ask('eth_chainId', []),
    ask('eth_getBlockByNumber', ['0x0', false]),
    ask('eth_getCode', [MULTICALL3, 'latest']),
  ])
  const hash = isObject(genesis) ? genesis['hash'] : undefined
  if (
    typeof id !== 'string' ||
    !Number.isSafeInteger(Number(id)) ||
    typeof hash !== 'string' ||
    !/^0x[0-9a-f]{64}$/i.test(hash)
  ) {
    const message = `The node ${connection.url} does not say which chain it belongs to.`
    throw new ConnectionError('malformed', connection.url, message)
  }
  return {
    url: connection.url,
    id: Number(id),
    genesisHash: hash.toLowerCase() as `0x${string}`,
    hasMulticall: typeof code === 'string' && code !== '0x',
  }
}

function compare({ url, id, genesisHash }: Identity, wanted: { readonly id: number; readonly genesisHash: string }): void {
  if (genesisHash !== wanted.genesisHash) throw new WrongChainError('genesis', url, wanted.genesisHash, genesisHash)
  if (id !== wanted.id) throw new WrongChainError('chain-id', url, String(wanted.id), String(id))
}
