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

/** A host name in an address of the node list, and the kind of lookup it needs. */
export interface NodeName {
  readonly kind: (typeof NAME_KINDS)[number]
  readonly name: string
}

/** Resolves a name to IP addresses. Rejects if it has none, or if DNS does not answer. */
export type Resolve = (name: NodeName) => Promise<readonly string[]>

/** Whether a multiaddress component is a host name. */
export const isNameKind = (kind: string): kind is NodeName['kind'] => (NAME_KINDS as readonly string[]).includes(kind)

interface Known {
  readonly name: NodeName
  /** The last successful answer. */
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
 * IP addresses of nodes that are registered by name, for the address filter. Names are resolved one after another, when they are added and
 * then at intervals. A name that cannot be resolved keeps its last answer. A name that was never resolved has no address, so connections
 * from it are refused.
 */
export class Names {
  readonly #options: NamesOptions
  readonly #known = new Map<string, Known>()
  readonly #closing = new AbortController()
  /** A hanging lookup cannot be cancelled, so it keeps its slot and delays the next ones. */
  readonly #lookups: Slots
  #ips = new BlockList()
  #running: Promise<void> | undefined
  #cancelWait = () => {}

  constructor(options: NamesOptions) {
    this.#options = options
    this.#lookups = new Slots(options.limits.nameLookupsMax, 1)
  }

  /** Replaces the names. Names beyond `namesCountMax` are ignored. */
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

  /** Does not wait for running lookups; their answers are ignored. */
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
      // Handles names that were added in the meantime and not visited.
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
      if (ips === undefined) throw new Error(`DNS lookup timed out after ${limits.nameMsMax} ms`)
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
          ? 'cannot resolve the host name of a registered node: its last known addresses stay in use'
          : 'cannot resolve the host name of a registered node: p2p.filter-by-address refuses its connections, so it can connect only if this node dials it',
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
 * Resolves names as the operating system does when it dials, with the hosts file and search domains. `dnsaddr` is a TXT record that lists
 * addresses (https://github.com/multiformats/multiaddr/blob/master/protocols/DNSADDR.md); names inside it are not followed.
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
    // multiaddr can only throw, and here it throws only if the text is not an address.
    return []
  }
}
