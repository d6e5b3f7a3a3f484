import { BlockList, isIP } from 'node:net'

export interface AccessSettings {
  /** Origins whose browser pages may call (CORS); `*` means any. */
  readonly corsOrigins: readonly string[]
  /** Names that the Host header may have; `*` means any. IP addresses are always allowed. */
  readonly allowedHosts: readonly string[]
  /** Addresses, or ranges such as `10.0.0.0/8`, of proxies whose X-Forwarded-For is trusted. */
  readonly trustedProxies: readonly string[]
}

/** @returns Why a list of proxies is invalid; undefined if it is valid. */
export function proxiesRefusal(trustedProxies: readonly string[]): string | undefined {
  const wrong = trustedProxies.find((text) => rangeOf(text) === undefined)
  return wrong === undefined ? undefined : `${wrong} is not an IP address or a range such as 10.0.0.0/8`
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

/** Normalizes an address: an IPv4 address that came over an IPv6 socket becomes plain IPv4. */
const plain = (address: string): string => (address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address)

/** Key by which limits count a client: an IPv4 address, or the /64 of an IPv6 address, because one site has a whole /64. */
export function clientOf(address: string): string {
  const text = plain(address)
  if (isIP(text) !== 6) return text
  const [head = '', tail] = text.split('::')
  const groups = head === '' ? [] : head.split(':')
  const missing = tail === undefined ? 0 : 8 - groups.length - (tail === '' ? 0 : tail.split(':').length)
  const all = [...groups, ...Array.from({ length: missing }, () => '0'), ...(tail ? tail.split(':') : [])]
  return text === '::1' ? text : `${all.slice(0, 4).join(':')}::/64`
}

/** Decides which requests are allowed, and which client sent them. */
export class Access {
  readonly #settings: AccessSettings
  readonly #proxies = new BlockList()
  readonly #hosts: ReadonlySet<string>
  readonly #origins: ReadonlySet<string>
  /** Last allowed Host header, cached because nearly all clients send the same. */
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

  /**
   * The client behind a connection. Behind a trusted proxy, it is the last address of `X-Forwarded-For` that is not a trusted proxy itself;
   * a client can forge all addresses before that one.
   */
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
   * Checks a Host header, against DNS rebinding: a page whose own name resolves to this machine has the same origin as the RPC. An attacker
   * cannot do that with an IP address.
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

  /** Value of `Access-Control-Allow-Origin`; undefined if the page must not read responses. */
  corsOrigin(origin: string | undefined): string | undefined {
    if (this.#origins.has('*')) return '*'
    return origin !== undefined && this.#origins.has(origin) ? origin : undefined
  }

  /** Whether a page of this origin may open a WebSocket, for which browsers do not check CORS. Clients other than pages send no origin. */
  allowsSocket(origin: string | undefined): boolean {
    return origin === undefined || this.corsOrigin(origin) !== undefined
  }
}
