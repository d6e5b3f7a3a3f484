import { CALL_POOL_DEFAULTS } from '../executor/call-runner.ts'
import { IDENTITY_LIMITS } from '../rpc/identity/limits.ts'
import { DEFAULT_RPC_LIMITS as RPC } from '../rpc/limits.ts'

/**
 * One setting of a node: kind, range, default and help text. `CONFIG_KEYS` lists every setting once. The configuration file
 * (`[section] key`), the environment variables (`QUOIN_SECTION_KEY`), the flags (`--section-key`), the checks and the help texts all
 * derive from that table. If a part of
 * the node has the number as a limit of its own, the default is that limit.
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

/** What a wallet needs to send, and what says nothing about the chain's state. */
const OPEN_METHODS = [
  'web3_clientVersion',
  'web3_sha3',
  'net_version',
  'net_listening',
  'eth_chainId',
  'eth_sendRawTransaction',
  'eth_unsubscribe',
  'quoin_unsubscribe',
  'rpc_modules',
  'rpc.discover',
] as const

const MiB = 1024 * 1024
const GiB = 1024 * MiB
const BYTES_MAX = 2 ** 49

/** Undoing so many blocks of 5,000 changes takes the thread of proofs about half a second, in one piece, and 50 MB. */
const PROOF_BLOCKS_MAX = 256

export const CONFIG_KEYS = {
  rpc: {
    enabled: boolean(true, 'Serve JSON-RPC over HTTP and WebSocket.'),
    host: text('127.0.0.1', 'Address that the RPC server binds to; 0.0.0.0 means all interfaces.'),
    port: integer(8545, 0, 65_535, 'Port for HTTP and WebSocket; 0 lets the operating system choose a free port.'),
    'cors-origins': list(
      [],
      'Browser origins that may call the RPC (CORS), such as https://app.example; * allows any origin, an empty list allows none.',
    ),
    'allowed-hosts': list(
      ['localhost'],
      'Host names, without a port, that the RPC accepts in the Host header; IP addresses are always accepted. * accepts any name and so gives up the protection against DNS rebinding by web pages.',
    ),
    'trusted-proxies': list(
      [],
      'IP addresses or ranges (10.0.0.0/8) of reverse proxies. For requests from them, X-Forwarded-For names the client, so that rate and connection limits apply per client.',
    ),
    'tls-cert': text(
      '',
      'File with the TLS certificate of the RPC and its chain, in PEM; then the RPC speaks HTTPS and WSS only. An empty string means no TLS. A path counts from the data directory.',
    ),
    'tls-key': text('', 'File with the private key of rpc.tls-cert, in PEM. Only its owner may have access to it.'),
    'token-secret': text(
      '',
      'File with the shared secret of tokens (JWT with HS256): at least 32 bytes in hex, as openssl rand -hex 32 prints them. Only its owner may have access to it.',
    ),
    'token-keys': list(
      [],
      'Files with public keys of tokens (JWT with RS256 or ES256), in PEM or as a JSON Web Key Set. With neither these nor rpc.token-secret the node takes no tokens.',
    ),
    'token-issuer': text('', 'What the claim iss of tokens must be; an empty string means that it does not matter.'),
    'token-audience': text('', 'What the claim aud of tokens must be or contain; an empty string means that it does not matter.'),
    'token-lifetime-seconds': integer(
      86_400,
      60,
      IDENTITY_LIMITS.lifetimeSMax,
      'Longest time from the issue of a token to its expiry, in seconds. A token cannot be revoked before.',
    ),
    'open-methods': list(
      OPEN_METHODS,
      'Methods that need no token where the chain lets only members read; a * at the end stands for any continuation of the name.',
    ),
    methods: list(
      [],
      'Rules such as debug_*: auditor|admin, for methods that this node lets fewer, or more, callers use than the chain does. The first rule that matches holds. After the colon: anyone, token (whoever has a valid one), nobody, or roles with | between them; 16 to 31 are roles of the consortium.',
    ),
    'requests-per-minute': integer(
      600_000,
      0,
      100_000_000,
      'Rate limit per client IP address, or per account that tokens name, in request units per minute; after a pause a client may spend a whole minute at once. A read of one account costs 1 unit, eth_call 10, a full block 40. 0 means no limit.',
    ),
    'body-bytes': integer(RPC.bodyBytesMax, 1_024, 256 * MiB, 'Maximum size of a request body, in bytes.'),
    'batch-items': integer(RPC.batchItemsMax, 1, 100_000, 'Maximum number of requests in one JSON-RPC batch.'),
    connections: integer(
      RPC.connectionsMax,
      1,
      65_535,
      'Maximum number of open connections. At the limit, the server closes a connection of the address that has the most (idle ones first), or refuses the new one.',
    ),
    'connections-per-address': integer(
      RPC.connectionsPerRemoteMax,
      1,
      65_535,
      'Maximum number of open connections per client IP address.',
    ),
    'call-workers': integer(
      0,
      0,
      64,
      'Worker threads for eth_call, eth_estimateGas and traces; 0 chooses 2, or 3 on machines with 8 or more cores. With 1, a trace that takes more than a second is refused while calls wait.',
    ),
    'call-gas': integer(RPC.callGasMax, 1_000_000, 1_000_000_000_000, 'Maximum gas for one eth_call or debug_traceCall.'),
    'call-ms': integer(
      CALL_POOL_DEFAULTS.callMs,
      100,
      600_000,
      'Timeout of a call (eth_call, eth_estimateGas) or trace in milliseconds, counted from its arrival.',
    ),
  },
  p2p: {
    listen: list(['/ip4/127.0.0.1/tcp/26656'], 'Multiaddresses on which the node listens for peers.'),
    advertise: list(
      [],
      'Multiaddresses at which other nodes reach this one, for its entry in the genesis or registry. An empty list means the addresses in listen.',
    ),
    'bootstrap-peers': list(
      [],
      'Multiaddresses with peer id (/ip4/10.0.0.1/tcp/26656/p2p/12D3KooW…) of nodes that this node dials although the chain does not name them yet, until it has caught up. For joining a chain whose genesis names machines that are gone.',
    ),
    'filter-by-address': boolean(
      false,
      'Refuse connections from IP addresses that belong to no registered node, before the handshake; registered DNS names are resolved every 30 s. Peers are always authenticated by peer id as well.',
    ),
  },
  operator: {
    'key-file': text(
      '',
      "File with the secret key, in hex, of the account from which the node reports equivocation of validators to the chain; only its owner may read it. Empty: the node reports nothing, and quoin evidence shows what can be reported. If only members may send, the account needs the role sender. The key is kept in the node's memory: use an account that holds no other right.",
    ),
  },
  chain: {
    'resume-after': integer(
      0,
      0,
      Number.MAX_SAFE_INTEGER,
      'Height after which the consortium halted the chain and this node is to continue. It decides nothing but that this node goes on; 0 for none.',
    ),
  },
  keys: {
    'password-file': text(
      '',
      'File with the password of an encrypted validator-key.json (a keystore of Web3 Secret Storage, version 3); only its owner may read it. Not needed for a plain key.',
    ),
  },
  store: {
    'tree-depth': integer(
      12,
      1,
      22,
      'Depth of the in-memory state tree (2^depth buckets): 12 for development, 18 to 20 in production. Fixed when the data directory is created.',
    ),
    'proof-blocks': integer(64, 0, PROOF_BLOCKS_MAX, 'Number of recent blocks for which the node can produce state proofs.'),
  },
  log: {
    level: choice('info', ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], 'Minimum severity of log messages.'),
  },
  crypto: {
    'recovery-workers': integer(1, 1, 64, 'Worker threads that recover transaction senders from signatures.'),
  },
  health: {
    host: text('127.0.0.1', 'Address that the probe server (/health, /ready, /metrics) binds to; 0.0.0.0 means all interfaces.'),
    port: integer(
      26_660,
      0,
      65_535,
      'Port of the probe server, separate from the RPC port; 0 lets the operating system choose a free port.',
    ),
    'stay-up-when-halted': boolean(
      false,
      'After a fatal error, leave the network and keep answering RPC reads instead of exiting.',
    ),
    'disk-warn-bytes': integer(
      2 * GiB,
      0,
      BYTES_MAX,
      'Free disk space for the data directory, in bytes, below which the node warns; 0 disables the warning.',
    ),
    'disk-stop-bytes': integer(
      256 * MiB,
      0,
      BYTES_MAX,
      'Free disk space, in bytes, below which the node shuts down cleanly; 0 disables the check.',
    ),
    'memory-bytes': integer(
      0,
      0,
      BYTES_MAX,
      'Resident memory, in bytes, at which the node drops caches and refuses RPC reads; 0 means nine tenths of the memory of the machine or container.',
    ),
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, ConfigKey>>>>

/** Paths of the keys that a running node applies on reload (SIGHUP). All others need a restart. */
export const LIVE_KEYS: ReadonlySet<string> = new Set([
  'rpc.cors-origins',
  'rpc.allowed-hosts',
  'rpc.trusted-proxies',
  'rpc.tls-cert',
  'rpc.tls-key',
  'rpc.token-secret',
  'rpc.token-keys',
  'rpc.token-issuer',
  'rpc.token-audience',
  'rpc.token-lifetime-seconds',
  'rpc.open-methods',
  'rpc.methods',
  'rpc.requests-per-minute',
  'rpc.body-bytes',
  'rpc.batch-items',
  'rpc.connections',
  'rpc.connections-per-address',
  'rpc.call-gas',
  'log.level',
])

/** Renamed keys: old path to new path. */
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
  /** Such as `rpc.port`; messages name the key by it. */
  readonly path: string
  /** `QUOIN_RPC_PORT` */
  readonly env: string
  /** `--rpc-port` */
  readonly flag: string
}

/** `CONFIG_KEYS` as a list, in declaration order. */
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

/** @returns Paths of the keys whose values differ between two configurations. */
export const changedKeys = (before: Config, after: Config): readonly string[] =>
  namedKeys.filter(({ section, name }) => textOf(before, section, name) !== textOf(after, section, name)).map(({ path }) => path)

const textOf = (config: Config, section: string, name: string): string =>
  JSON.stringify((config as unknown as Readonly<Record<string, Readonly<Record<string, unknown>>>>)[section]?.[name])

/** Describes a key's allowed values for messages, such as `an integer from 0 to 65535`. */
export function allowed(key: ConfigKey): string {
  switch (key.kind) {
    case 'integer':
      return `an integer from ${key.min} to ${key.max}`
    case 'boolean':
      return 'true or false'
    case 'choice':
      return `one of ${key.choices.join(', ')}`
    case 'text':
      return `a string of at most ${key.charsMax} characters`
    case 'list':
      return `a list of at most ${key.itemsMax} strings`
  }
}
