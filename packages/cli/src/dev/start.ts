import { randomBytes } from 'node:crypto'
import type { Interpreter } from '@quoin/execution/vm'
import type { Probes } from '@quoin/node/chain'
import { createInlineRecovery, type LoadedCrypto, loadCrypto } from '@quoin/node/crypto'
import { type Logger, Scope, systemClock } from '@quoin/node/process'
import { DEFAULT_RPC_LIMITS, type RpcSettings, startRpcServer } from '@quoin/node/rpc'
import {
  DEVELOPMENT_ACCOUNTS,
  DEVELOPMENT_BALANCE,
  type DevelopmentAccount,
  developmentAccounts,
  loadContractInterpreter,
} from '@quoin/platform'
import { ChainId, Wei } from '@quoin/protocol'
import { DevAccounts } from './accounts.ts'
import { Artifacts } from './artifacts.ts'
import { Descriptions } from './descriptions.ts'
import { createDevBackend } from './dev-backend.ts'
import { DevChain } from './dev-chain.ts'
import { DevLog } from './dev-log.ts'
import { devGenesis, sealerKey } from './genesis.ts'
import { withImpersonation } from './impersonation.ts'
import { devMethods } from './methods/index.ts'
import type { Mining } from './mining.ts'

export interface DevNodeOptions {
  readonly host?: string
  /** 0: the operating system chooses. */
  readonly port?: number
  readonly chainId?: number
  /** Number of funded accounts, from the well-known mnemonic; at most `DEV_LIMITS.accountsMax`. */
  readonly accounts?: number
  /** Balance of each account, in wei. */
  readonly balance?: bigint
  /** Milliseconds from one block to the next; undefined: a block for each transaction, as soon as it is admitted. */
  readonly blockTimeMs?: number | undefined
  /** Output directory of `quoin build`, for names and source lines; it need not exist. */
  readonly artifacts?: string
  /** Receives a text about each transaction in a block, and each that waits for a missing nonce: one or more lines, without a final newline. */
  readonly print?: (text: string) => void
  /** Receives warnings and errors of the node itself; default: standard error. */
  readonly complain?: (text: string) => void
  /** The result of `web3_clientVersion`. */
  readonly clientVersion?: string
}

/**
 * Name of the development node in `web3_clientVersion`. Hardhat's network helpers refuse a node whose version does not begin with `anvil`, `hardhat` or
 * `zksync` (hardhat-network-helpers 3, `network-helpers.ts`), so it begins with the name of the node whose methods it has.
 */
export const DEV_CLIENT = 'anvil/quoin-dev'

export const DEV_DEFAULTS = {
  host: '127.0.0.1',
  port: 8_545,
  chainId: 31_337,
  accounts: DEVELOPMENT_ACCOUNTS,
  balance: DEVELOPMENT_BALANCE,
  artifacts: 'artifacts',
  clientVersion: DEV_CLIENT,
  print: (): void => {},
  complain: (text: string): void => void process.stderr.write(`${text}\n`),
} as const

/** A running development node. */
export interface DevNode {
  /** The HTTP URL; WebSocket uses the same host and port (`ws:`). */
  readonly url: string
  readonly port: number
  readonly chainId: number
  /** The funded accounts. Their keys are public. */
  readonly accounts: readonly DevelopmentAccount[]
  /** Rejects new calls, waits for running ones and discards the chain. */
  close(): Promise<void>
}

/** Slow to load, so all development nodes of a process share it. */
let platform: Promise<{ readonly crypto: LoadedCrypto; readonly interpreter: Interpreter }> | undefined

async function loadPlatform() {
  const [crypto, interpreter] = await Promise.all([loadCrypto(), loadContractInterpreter({ tracesOutOfGas: true })])
  return { crypto, interpreter }
}

/**
 * Starts a development chain in memory and serves its RPC.
 *
 * @throws the system error (such as EADDRINUSE) when the server cannot listen
 * @example
 *     const node = await startDevNode({ port: 0 })
 *     const client = createPublicClient({ transport: http(node.url) })
 *     await node.close()
 */
export async function startDevNode(options: DevNodeOptions = {}): Promise<DevNode> {
  const settings = { ...DEV_DEFAULTS, ...options }
  platform ??= loadPlatform()
  const { crypto, interpreter } = await platform
  const scope = new Scope((error) => {
    throw error
  })
  try {
    const accounts = developmentAccounts(crypto, settings.accounts)
    const genesis = devGenesis(crypto, {
      chainId: ChainId(settings.chainId),
      timeMs: systemClock.now(),
      accounts: accounts.map(({ address }) => address),
      balance: Wei(settings.balance),
    })
    const log = scope.own(new DevLog(new Descriptions(crypto, new Artifacts(settings.artifacts, crypto)), settings.print))
    const unlocked = new DevAccounts(crypto, accounts)
    const logger = complainingLogger(settings.complain)
    const chain = scope.own(
      await DevChain.open({
        ...{ genesis, crypto, interpreter, clock: systemClock, logger },
        recovery: withImpersonation(createInlineRecovery(crypto)),
        clientVersion: settings.clientVersion,
        sealer: sealerKey(crypto),
        mining: miningOf(settings.blockTimeMs),
        onBlock: (block, instance) => log.block(block, instance),
        onGap: (transaction, missing) => log.gap(transaction, missing),
      }),
    )
    const server = scope.own(
      await startRpcServer(createDevBackend(chain, unlocked, log), {
        host: settings.host,
        port: settings.port,
        settings: DEV_RPC_SETTINGS,
        clock: systemClock,
        random: { bytes: (length) => randomBytes(length) },
        logger,
        methods: devMethods,
        probes: probesOf(chain),
      }),
    )
    const { port } = server
    return { url: urlOf(settings.host, port), port, chainId: settings.chainId, accounts, close: () => scope.close() }
  } catch (failure) {
    await scope.close()
    throw failure
  }
}

/** Every program on this machine may call, including web pages in a browser. */
const DEV_RPC_SETTINGS: RpcSettings = {
  corsOrigins: ['*'],
  allowedHosts: ['localhost'],
  trustedProxies: [],
  unitsPerSecond: 0,
  unitsBurst: 0,
  identity: undefined,
  tls: undefined,
  limits: DEFAULT_RPC_LIMITS,
}

function probesOf(chain: DevChain): Probes {
  const position = () => ({ height: chain.head.header.number, hash: chain.head.hash, timeMs: chain.head.header.timeMs })
  return {
    live: async () => ({ isOk: true, body: { status: 'ok', ...position() } }),
    ready: async () => ({ isOk: true, body: { ready: true, reasons: [], warnings: [], ...position() } }),
    metrics: async () => ({ chain_height: chain.head.header.number }),
  }
}

const miningOf = (blockTimeMs: number | undefined): Mining =>
  blockTimeMs === undefined ? { kind: 'automatic' } : { kind: 'interval', blockTimeMs }

function urlOf(host: string, port: number): string {
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`
}

/** Logger that prints the node's warnings and errors as text. */
function complainingLogger(complain: (text: string) => void): Logger {
  const line = (level: string) => (fields: object, message: string) => {
    const error: unknown = 'err' in fields ? fields.err : undefined
    complain(`${level}: ${message}${error instanceof Error ? `\n${error.stack ?? error.message}` : ` ${JSON.stringify(fields)}`}`)
  }
  const silent = () => {}
  const logger: Logger = { debug: silent, info: silent, warn: line('warning'), error: line('error'), child: () => logger }
  return logger
}
