import { CALL_POOL_DEFAULTS } from '../executor/call-runner.ts'
import { DEFAULT_RPC_LIMITS as RPC } from '../rpc/limits.ts'

/**
 * Every setting of a node, once: its place in the file (`[section] key`), its kind and range, its default and what it is for. The file,
 * the environment (`QUOIN_SECTION_KEY`), the flags (`--section-key`), the checks and the help texts all derive from this table. Where a part
 * of the node has the number as a limit of its own, the default is that limit.
 */
export type ConfigKey =
  | { readonly kind: 'integer'; readonly min: number; readonly max: number; readonly default: number; readonly help: string }
  | { readonly kind: 'boolean'; readonly default: boolean; readonly help: string }
  | { readonly kind: 'text'; readonly charsMax: number; readonly default: string; readonly help: string }
  | { readonly kind: 'choice'; readonly choices: readonly string[]; readonly default: string; readonly help: string }
  | {
      readonly kind: 'list'
      readonly itemsMax: number
      readonly charsMax: number
      readonly default: readonly string[]
      readonly help: string
    }

const integer = (fallback: number, min: number, max: number, help: string) =>
  ({ kind: 'integer', min, max, default: fallback, help }) as const
const boolean = (fallback: boolean, help: string) => ({ kind: 'boolean', default: fallback, help }) as const
const text = (fallback: string, help: string) => ({ kind: 'text', charsMax: 256, default: fallback, help }) as const
const choice = <const C extends readonly string[]>(fallback: C[number], choices: C, help: string) =>
  ({ kind: 'choice', choices, default: fallback, help }) as const
const list = (fallback: readonly string[], help: string) =>
  ({ kind: 'list', itemsMax: 32, charsMax: 256, default: fallback, help }) as const

const MiB = 1024 * 1024
const GiB = 1024 * MiB
const BYTES_MAX = 2 ** 49

export const CONFIG_KEYS = {
  rpc: {
    enabled: boolean(true, 'Serve JSON-RPC over HTTP and WebSocket.'),
    host: text('127.0.0.1', 'Address that the RPC listens on; 0.0.0.0 is every interface.'),
    port: integer(8545, 0, 65_535, 'Port of HTTP and WebSocket; 0 lets the system choose.'),
    'cors-origins': list([], 'Origins whose browser pages may call, such as https://app.example; * is any, an empty list none.'),
    'allowed-hosts': list(
      ['localhost'],
      'Names by which clients may call the RPC, without a port; IP addresses always may. * is any: then pages that have their own name point here may call too.',
    ),
    'trusted-proxies': list(
      [],
      'Addresses or ranges (10.0.0.0/8) of reverse proxies whose X-Forwarded-For names the client, so that limits count clients.',
    ),
    'requests-per-minute': integer(
      600_000,
      0,
      100_000_000,
      'What one address may ask for in a minute, and at once after a pause: each call counts as many requests as it costs reads of an account (eth_call 10, a full block 40); 0 is no limit.',
    ),
    'body-bytes': integer(RPC.bodyBytesMax, 1_024, 256 * MiB, 'Largest request body in bytes.'),
    'batch-items': integer(RPC.batchItemsMax, 1, 100_000, 'Most requests in one batch.'),
    connections: integer(
      RPC.connectionsMax,
      1,
      65_535,
      'Most open connections. Beyond it the connection goes that is least missed.',
    ),
    'connections-per-address': integer(RPC.connectionsPerRemoteMax, 1, 65_535, 'Most open connections of one address.'),
    'call-workers': integer(0, 0, 64, 'Threads that run eth_call and eth_estimateGas; 0 chooses: 2, or 3 from 8 cores on.'),
    'call-gas': integer(RPC.callGasMax, 1_000_000, 1_000_000_000_000, 'Most gas of one eth_call.'),
    'call-ms': integer(CALL_POOL_DEFAULTS.callMs, 100, 600_000, 'Milliseconds from its arrival after which a call is stopped.'),
  },
  p2p: {
    listen: list(['/ip4/127.0.0.1/tcp/26656'], 'Multiaddresses that the node listens on for its peers.'),
    advertise: list(
      [],
      'Multiaddresses at which the other nodes reach this one, for its entry in a genesis or registry; none means those of listen.',
    ),
    'filter-by-address': boolean(
      false,
      'Refuse connections from IP addresses that no registered node has, before their handshake; registered names are looked up every 30 s. Peers are known by their id either way.',
    ),
  },
  store: {
    'tree-depth': integer(
      12,
      1,
      22,
      'Depth of the state tree in memory (2^depth buckets): 12 for development, 18 to 20 in production. Fixed when the data directory is made.',
    ),
    'proof-blocks': integer(64, 0, 100_000, 'Recent blocks for which state proofs can be made.'),
  },
  log: {
    level: choice(
      'info',
      ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
      'Least severe message that is written.',
    ),
  },
  crypto: {
    'recovery-workers': integer(1, 1, 64, 'Threads that recover the senders of transactions.'),
  },
  health: {
    host: text(
      '127.0.0.1',
      'Address that /health, /ready and /metrics are served on, apart from the RPC; 0.0.0.0 is every interface.',
    ),
    port: integer(26_660, 0, 65_535, 'Port of the probes; 0 lets the system choose.'),
    'stay-up-when-halted': boolean(
      false,
      'When the node cannot go on, leave the network and answer reads instead of ending the process.',
    ),
    'disk-warn-bytes': integer(2 * GiB, 0, BYTES_MAX, 'Free bytes in the data directory below which the node warns; 0 never.'),
    'disk-stop-bytes': integer(256 * MiB, 0, BYTES_MAX, 'Free bytes below which the node stops in order; 0 never.'),
    'memory-bytes': integer(
      0,
      0,
      BYTES_MAX,
      'Resident memory at which the node drops caches and refuses reads; 0 is nine tenths of what the machine or container has.',
    ),
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, ConfigKey>>>>

/** Keys by path that a running node takes over when it reads its settings again. */
export const LIVE_KEYS: ReadonlySet<string> = new Set([
  'rpc.cors-origins',
  'rpc.allowed-hosts',
  'rpc.trusted-proxies',
  'rpc.requests-per-minute',
  'rpc.body-bytes',
  'rpc.batch-items',
  'rpc.connections',
  'rpc.connections-per-address',
  'rpc.call-gas',
  'log.level',
])

/** Keys by path that have another name now. */
export const RENAMED_KEYS: ReadonlyMap<string, string> = new Map([['p2p.ip-filter', 'p2p.filter-by-address']])

type Value<K extends ConfigKey> = K extends { readonly kind: 'integer' }
  ? number
  : K extends { readonly kind: 'boolean' }
    ? boolean
    : K extends { readonly kind: 'choice'; readonly choices: readonly (infer C)[] }
      ? C
      : K extends { readonly kind: 'list' }
        ? readonly string[]
        : string

export type Config = {
  readonly [S in keyof typeof CONFIG_KEYS]: {
    readonly [K in keyof (typeof CONFIG_KEYS)[S]]: Value<(typeof CONFIG_KEYS)[S][K] & ConfigKey>
  }
}

export interface NamedKey {
  readonly section: string
  readonly name: string
  readonly key: ConfigKey
  /** `rpc.port`, as messages name it. */
  readonly path: string
  /** `QUOIN_RPC_PORT` */
  readonly env: string
  /** `--rpc-port` */
  readonly flag: string
}

/** The table as a list, in the order of its declaration. */
export const namedKeys: readonly NamedKey[] = Object.entries(CONFIG_KEYS).flatMap(([section, keys]) =>
  Object.entries(keys as Readonly<Record<string, ConfigKey>>).map(([name, key]) => ({
    section,
    name,
    key,
    path: `${section}.${name}`,
    env: `QUOIN_${section}_${name}`.toUpperCase().replaceAll('-', '_'),
    flag: `--${section}-${name}`,
  })),
)

/** Paths of the keys in which two configurations differ. */
export const changedKeys = (before: Config, after: Config): readonly string[] =>
  namedKeys.filter(({ section, name }) => textOf(before, section, name) !== textOf(after, section, name)).map(({ path }) => path)

const textOf = (config: Config, section: string, name: string): string =>
  JSON.stringify((config as unknown as Readonly<Record<string, Readonly<Record<string, unknown>>>>)[section]?.[name])

/** What a key allows, in words. */
export function allowed(key: ConfigKey): string {
  switch (key.kind) {
    case 'integer':
      return `an integer from ${key.min} to ${key.max}`
    case 'boolean':
      return 'true or false'
    case 'choice':
      return `one of ${key.choices.join(', ')}`
    case 'text':
      return `a text of at most ${key.charsMax} characters`
    case 'list':
      return `a list of at most ${key.itemsMax} texts`
  }
}
