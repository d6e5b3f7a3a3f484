import { unlessAborted } from '../aborts.ts'
import { isObject, toError } from '../errors.ts'
import { type NodeConnection, shownUrl } from '../rpc/connection.ts'
import { inBackground } from './background.ts'

/** Asks the cluster, as a viem client does. */
export type Ask = (request: { readonly method: string; readonly params?: unknown }) => Promise<unknown>

/** Where further nodes of a chain are listed, for example a contract of its consortium. */
export interface DiscoveryOptions {
  /**
   * Reads the URLs of nodes; `ask` sends a request through the cluster. What it throws is in `discovery().error`, and it is called again.
   */
  read(ask: Ask): Promise<readonly string[]>
  /** From one reading to the next while the cluster is in use, in ms; default one minute. */
  readonly interval?: number | undefined
  /** Most nodes that are added to those of the cluster; default 16. */
  readonly nodesMax?: number | undefined
}

/** Why a listed URL is not used. */
export type DiscoveryProblem =
  /** It does not begin with https:// or wss://, or has a user name, a password or a fragment. */
  | 'url'
  /** There are more than `nodesMax`. */
  | 'too-many'
  /** The node has another genesis block. */
  | 'wrong-chain'
  /** The node did not answer. It is asked again at the next reading. */
  | 'no-answer'

/** What the last reading found. */
export interface DiscoveryStatus {
  /** URLs that the cluster asks beside its own. */
  readonly urls: readonly string[]
  readonly refused: readonly { readonly url: string; readonly problem: DiscoveryProblem }[]
  /** Why the list could not be read. The nodes found before stay. */
  readonly error: Error | undefined
}

/** What a discovery needs of its cluster. */
export interface DiscoveryHost {
  ask: Ask
  connect(url: string): NodeConnection
  has(url: string): boolean
  add(connection: NodeConnection): void
  remove(url: string): void
}

export interface RunningDiscovery {
  start(): void
  stop(): void
  status(): DiscoveryStatus
}

/** A discovery for the option `discover` of `cluster`. */
export type Discovery = (host: DiscoveryHost) => RunningDiscovery

const INTERVAL_MS = 60_000
const NODES_MAX = 16
/** For a whole reading of the list, in ms. */
const READ_MS = 30_000
/** For the answer of a node that is not in the cluster yet, in ms. */
const PROBE_MS = 5_000
/** Longer URLs are none. */
const URL_CHARS_MAX = 2_048

/**
 * Lets a cluster find further nodes. They are trusted like those that it was made with: whoever writes the list decides what the application reads. Only `https:` and `wss:` URLs are taken,
 * and only nodes with the same genesis block.
 *
 * @example
 * cluster(urls, { discover: discovery({ read: async () => (await registry.read.urls()) }) })
 */
export const discovery =
  (options: DiscoveryOptions): Discovery =>
  (host) =>
    new Discoverer(host, options)

class Discoverer implements RunningDiscovery {
  readonly #host: DiscoveryHost
  readonly #options: DiscoveryOptions
  readonly #added = new Set<string>()
  #refused: DiscoveryStatus['refused'] = []
  #error: Error | undefined
  #isRunning = false
  #turn = 0
  /** When the last reading ended (performance.now). */
  #readMs = Number.NEGATIVE_INFINITY
  #cancel: (() => void) | undefined

  constructor(host: DiscoveryHost, options: DiscoveryOptions) {
    this.#host = host
    this.#options = options
  }

  start(): void {
    if (this.#isRunning) return
    this.#isRunning = true
    const turn = ++this.#turn
    // A cluster that is used now and then does not read more often than one that is always used.
    const restMs = this.#readMs + this.#intervalMs - performance.now()
    if (restMs > 0) this.#cancel = inBackground(restMs, () => void this.#run(turn))
    else void this.#run(turn)
  }

  stop(): void {
    this.#isRunning = false
    this.#cancel?.()
  }

  status(): DiscoveryStatus {
    return { urls: [...this.#added], refused: this.#refused, error: this.#error }
  }

  get #intervalMs(): number {
    return this.#options.interval ?? INTERVAL_MS
  }

  /** Never rejects. A reading that ends after `stop` changes nothing. */
  async #run(turn: number): Promise<void> {
    const isOver = (): boolean => !this.#isRunning || turn !== this.#turn
    try {
      const listed = await this.#read()
      if (isOver()) return
      const genesis = genesisIn(await this.#host.ask(GENESIS))
      if (isOver()) return
      await this.#take(listed, genesis, isOver)
      if (isOver()) return
      this.#error = undefined
    } catch (error) {
      if (isOver()) return
      this.#error = toError(error)
    }
    this.#readMs = performance.now()
    this.#cancel = inBackground(this.#intervalMs, () => void this.#run(turn))
  }

  async #read(): Promise<readonly string[]> {
    const limit = new AbortController()
    const cancel = inBackground(READ_MS, () => limit.abort(new Error(`The list of nodes was not read within ${READ_MS} ms.`)))
    try {
      return await unlessAborted(this.#options.read(this.#host.ask), limit.signal)
    } finally {
      cancel()
    }
  }

  async #take(listed: readonly unknown[], genesis: string, isOver: () => boolean): Promise<void> {
    const { nodesMax = NODES_MAX } = this.#options
    const refused: { url: string; problem: DiscoveryProblem }[] = []
    const wanted = new Set<string>()
    // A list is cut before it is looked at, so that its length costs nothing.
    for (const one of listed.slice(0, 4 * nodesMax)) {
      const url = usable(one)
      if (url === undefined) refused.push({ url: String(one).slice(0, URL_CHARS_MAX), problem: 'url' })
      else if (wanted.has(url) || (this.#host.has(url) && !this.#added.has(url))) continue
      else if (wanted.size >= nodesMax) refused.push({ url, problem: 'too-many' })
      else wanted.add(url)
    }
    for (const url of this.#added) if (!wanted.has(url)) this.#remove(url)
    const fresh = [...wanted].filter((url) => !this.#added.has(url))
    const probes = await Promise.all(fresh.map((url) => this.#probe(url, genesis)))
    for (const { url, connection, problem } of probes) {
      if (problem !== undefined) refused.push({ url, problem })
      if (problem !== undefined || isOver()) connection.close()
      else {
        this.#added.add(url)
        this.#host.add(connection)
      }
    }
    if (!isOver()) this.#refused = refused
  }

  async #probe(
    url: string,
    genesis: string,
  ): Promise<{ url: string; connection: NodeConnection; problem: DiscoveryProblem | undefined }> {
    const connection = this.#host.connect(url)
    try {
      const found = genesisIn(await connection.request(GENESIS, { timeoutMs: PROBE_MS }))
      return { url, connection, problem: found === genesis ? undefined : 'wrong-chain' }
    } catch {
      // Which error it was helps nobody: the node is asked again.
      return { url, connection, problem: 'no-answer' }
    }
  }

  #remove(url: string): void {
    this.#added.delete(url)
    this.#host.remove(url)
  }
}

const GENESIS = { method: 'eth_getBlockByNumber', params: ['0x0', false] }

/** @throws Error if it is no block */
function genesisIn(block: unknown): string {
  const hash = isObject(block) ? block['hash'] : undefined
  if (typeof hash !== 'string') throw new Error('The node has no block 0.')
  return hash.toLowerCase()
}

/** The URL as it is used; undefined if it must not be. */
function usable(text: unknown): string | undefined {
  if (typeof text !== 'string' || text.length > URL_CHARS_MAX || !URL.canParse(text)) return undefined
  const { protocol, username, password, hash } = new URL(text)
  const isSafe = (protocol === 'https:' || protocol === 'wss:') && username === '' && password === '' && hash === ''
  return isSafe ? shownUrl(text) : undefined
}
