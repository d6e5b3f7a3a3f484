import { lookup, Resolver } from 'node:dns/promises'
import { BlockList, isIP, isIPv6 } from 'node:net'
import { multiaddr } from '@multiformats/multiaddr'
import { linkDeadline } from '../abort.ts'
import type { NetworkLimits } from './limits.ts'
import type { NetworkLogger } from './logger.ts'
import { Slots } from './slots.ts'
import { asError, unlessAborted } from './streams.ts'
import type { Timers } from './timers.ts'

const NAME_KINDS = ['dns', 'dns4', 'dns6', 'dnsaddr'] as const

/** A name in an address of the list of nodes, and what of it is looked up. */
export interface NodeName {
  readonly kind: (typeof NAME_KINDS)[number]
  readonly name: string
}

/** The IP addresses of a name. Rejects when it has none, or when the name service does not answer. */
export type Resolve = (name: NodeName) => Promise<readonly string[]>

export const isNameKind = (kind: string): kind is NodeName['kind'] => (NAME_KINDS as readonly string[]).includes(kind)

interface Known {
  readonly name: NodeName
  /** The last good answer. */
  ips: readonly string[]
  isLookedUp: boolean
  isFailing: boolean
}

export interface NamesOptions {
  readonly resolve: Resolve
  readonly limits: NetworkLimits
  readonly timers: Timers
  readonly logger: NetworkLogger
}

/**
 * IP addresses of the nodes that are registered by name, for the filter: looked up one after another, when the list names them and again and
 * again. A name that cannot be resolved now keeps its last answer; one that never could has none, and whoever comes from there is refused.
 */
export class Names {
  readonly #options: NamesOptions
  readonly #known = new Map<string, Known>()
  readonly #closing = new AbortController()
  /** Lookups that hang cannot be called back: so many of them hold the next ones up. */
  readonly #lookups: Slots
  #ips = new BlockList()
  #running: Promise<void> | undefined
  #cancelWait = () => {}

  constructor(options: NamesOptions) {
    this.#options = options
    this.#lookups = new Slots(options.limits.nameLookupsMax, 1)
  }

  /** Replaces the names. Those beyond `namesCountMax` are left out. */
  set(names: readonly NodeName[]): void {
    const wanted = new Map(names.slice(0, this.#options.limits.namesCountMax).map((name) => [`${name.kind}/${name.name}`, name]))
    for (const key of this.#known.keys()) if (!wanted.has(key)) this.#known.delete(key)
    for (const [key, name] of wanted)
      if (!this.#known.has(key)) this.#known.set(key, { name, ips: [], isLookedUp: false, isFailing: false })
    this.#rebuild()
    this.#run()
  }

  /** Whether a name had this address when it was last resolved. */
  has(ip: string): boolean {
    return this.#ips.check(ip, isIPv6(ip) ? 'ipv6' : 'ipv4')
  }

  /** What is being looked up is not waited for: its answer is not heard any more. */
  async close(): Promise<void> {
    this.#closing.abort(new Error('closed'))
    this.#cancelWait()
    await this.#running
  }

  #run(): void {
    if (this.#running !== undefined || this.#closing.signal.aborted) return
    if ([...this.#known.values()].every(({ isLookedUp }) => isLookedUp)) return
    this.#cancelWait()
    this.#running = this.#lookUpAll().finally(() => {
      this.#running = undefined
      if (this.#known.size > 0 && !this.#closing.signal.aborted) this.#wait()
      // Names that came meanwhile and were behind those already visited.
      this.#run()
    })
  }

  #wait(): void {
    this.#cancelWait = this.#options.timers.after(this.#options.limits.nameRefreshMs, () => {
      for (const known of this.#known.values()) known.isLookedUp = false
      this.#run()
    })
  }

  /** Never rejects. */
  async #lookUpAll(): Promise<void> {
    for (const known of this.#known.values()) {
      if (known.isLookedUp) continue
      known.isLookedUp = true
      await this.#lookUp(known)
      if (this.#closing.signal.aborted) return
    }
  }

  async #lookUp(known: Known): Promise<void> {
    const { limits, timers, logger } = this.#options
    const link = linkDeadline(limits.nameMsMax, [this.#closing.signal], timers)
    try {
      const release = await this.#lookups.acquire(link.signal)
      const answer = this.#options.resolve(known.name).finally(release)
      const ips = await unlessAborted(answer, link.signal)
      if (ips === undefined) throw new Error(`no answer within ${limits.nameMsMax} ms`)
      known.ips = ips.filter((ip) => isIP(ip) !== 0).slice(0, limits.nameAddressesMax)
      known.isFailing = false
      this.#rebuild()
    } catch (failure) {
      if (known.isFailing || this.#closing.signal.aborted) return
      known.isFailing = true
      const { kind, name } = known.name
      logger.warn(
        { name: `/${kind}/${name}`, reason: asError(failure).message },
        known.ips.length > 0
          ? 'the name of a registered node cannot be resolved: its last addresses count on'
          : 'the name of a registered node cannot be resolved: p2p.filter-by-address refuses its connections, and it is reached only if this node dials it',
      )
    } finally {
      link.unlink()
    }
  }

  #rebuild(): void {
    this.#ips = new BlockList()
    for (const { ips } of this.#known.values()) for (const ip of ips) this.#ips.addAddress(ip, isIPv6(ip) ? 'ipv6' : 'ipv4')
  }
}

/**
 * Asks the operating system, as dialling the name does: hosts file and search domains count. `dnsaddr` names a TXT record that lists addresses
 * (https://github.com/multiformats/multiaddr/blob/master/protocols/DNSADDR.md); names within it are not followed.
 */
export const systemResolve: Resolve = async ({ kind, name }) => {
  if (kind === 'dnsaddr') {
    const records = await new Resolver({ timeout: 2_000, tries: 2 }).resolveTxt(`_dnsaddr.${name}`)
    return records.flatMap((pieces) => addressesIn(pieces.join('')))
  }
  const family = kind === 'dns4' ? 4 : kind === 'dns6' ? 6 : 0
  return (await lookup(name, { all: true, family })).map(({ address }) => address)
}

function addressesIn(record: string): readonly string[] {
  if (!record.startsWith('dnsaddr=')) return []
  try {
    const components = multiaddr(record.slice('dnsaddr='.length)).getComponents()
    return components.flatMap(({ name, value }) => ((name === 'ip4' || name === 'ip6') && value !== undefined ? [value] : []))
  } catch {
    // multiaddr has no parser that returns: every error of it here means that the text is no address.
    return []
  }
}
