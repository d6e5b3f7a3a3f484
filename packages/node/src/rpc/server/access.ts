import { BlockList, isIP } from 'node:net'

export interface AccessSettings {
  /** Origins whose browser pages may call; `*` is any. */
  readonly corsOrigins: readonly string[]
  /** Names by which the server may be called; `*` is any. Addresses always may. */
  readonly allowedHosts: readonly string[]
  /** Addresses, or ranges as `10.0.0.0/8`, of proxies that name their clients. */
  readonly trustedProxies: readonly string[]
}

/** Why a list of proxies cannot be used; undefined where it can. */
export function proxiesRefusal(trustedProxies: readonly string[]): string | undefined {
  const wrong = trustedProxies.find((text) => rangeOf(text) === undefined)
  return wrong === undefined ? undefined : `${wrong} is no IP address and no range such as 10.0.0.0/8`
}

interface Range {
  readonly address: string
  readonly bits: number
  readonly family: 'ipv4' | 'ipv6'
}

function rangeOf(text: string): Range | undefined {
  const [address = '', suffix, ...rest] = text.split('/')
  const version = isIP(address)
  const bitsMax = version === 4 ? 32 : 128
  const bits = suffix === undefined ? bitsMax : /^\d{1,3}$/.test(suffix) ? Number(suffix) : -1
  if (version === 0 || rest.length > 0 || bits < 0 || bits > bitsMax) return undefined
  return { address, bits, family: version === 4 ? 'ipv4' : 'ipv6' }
}

/** An address as the lists have it: one of IPv4 that came over an IPv6 socket is one of IPv4. */
const plain = (address: string): string => (address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address)

/** Addresses of one network at one site: of IPv6, where a site has 2^64 of them, the first half. */
export function clientOf(address: string): string {
  const text = plain(address)
  if (isIP(text) !== 6) return text
  const [head = '', tail] = text.split('::')
  const groups = head === '' ? [] : head.split(':')
  const missing = tail === undefined ? 0 : 8 - groups.length - (tail === '' ? 0 : tail.split(':').length)
  const all = [...groups, ...Array.from({ length: missing }, () => '0'), ...(tail ? tail.split(':') : [])]
  return text === '::1' ? text : `${all.slice(0, 4).join(':')}::/64`
}

/** Who may call, and who it is that calls. */
export class Access {
  readonly #settings: AccessSettings
  readonly #proxies = new BlockList()
  readonly #hosts: ReadonlySet<string>
  readonly #origins: ReadonlySet<string>
  /** The last one that was allowed: nearly all clients write the same. */
  #allowedHost: string | undefined

  constructor(settings: AccessSettings) {
    this.#settings = settings
    for (const text of settings.trustedProxies) {
      const range = rangeOf(text)
      if (range !== undefined) this.#proxies.addSubnet(range.address, range.bits, range.family)
    }
    this.#hosts = new Set(settings.allowedHosts.map((name) => name.toLowerCase()))
    this.#origins = new Set(settings.corsOrigins)
  }

  isProxy(address: string): boolean {
    if (this.#settings.trustedProxies.length === 0) return false
    const text = plain(address)
    return this.#proxies.check(text, isIP(text) === 6 ? 'ipv6' : 'ipv4')
  }

  /** The client behind a connection: the last address of `X-Forwarded-For` that is no proxy of ours. Anybody can write those before it. */
  remoteOf(peer: string, forwardedFor: string | undefined): string {
    if (forwardedFor === undefined || !this.isProxy(peer)) return clientOf(peer)
    const hops = forwardedFor.split(',').map((hop) => hop.trim())
    for (const hop of hops.reverse()) {
      if (isIP(plain(hop)) === 0) break
      if (!this.isProxy(hop)) return clientOf(hop)
    }
    return clientOf(peer)
  }

  /**
   * Whether a request may name the server so. A page that has its own name point to this machine is one origin with what it calls (DNS
   * rebinding); it cannot do so with an address.
   */
  allowsHost(host: string | undefined): boolean {
    if (host === undefined || host === this.#allowedHost || this.#hosts.has('*')) return true
    const isAllowed = this.#isHost(host)
    if (isAllowed) this.#allowedHost = host
    return isAllowed
  }

  #isHost(host: string): boolean {
    const name = host.replace(/:\d+$/, '').toLowerCase()
    return isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0 || this.#hosts.has(name)
  }

  /** What `Access-Control-Allow-Origin` says to a page; undefined keeps it from reading answers. */
  corsOrigin(origin: string | undefined): string | undefined {
    if (this.#origins.has('*')) return '*'
    return origin !== undefined && this.#origins.has(origin) ? origin : undefined
  }

  /** Whether a page of this origin may open a WebSocket, for which browsers ask nobody. What is no page has no origin. */
  allowsSocket(origin: string | undefined): boolean {
    return origin === undefined || this.corsOrigin(origin) !== undefined
  }
}
