import { CommandError, stopSignal, systemShutdown } from '@quoin/node/process'
import { DEVELOPMENT_MNEMONIC } from '@quoin/platform'
import { bytesToHex } from '@quoin/protocol'
import { CLI_VERSION } from '../cli-version.ts'
import { type DevNode, type DevNodeOptions, startDevNode } from '../dev/index.ts'
import { DEV_CLIENT } from '../dev/start.ts'

export interface DevCommandOptions {
  readonly port: number
  readonly host: string
  readonly chainId: number
  readonly accounts: number
  /** In units of 10^18 wei. */
  readonly balance: bigint
  readonly blockTimeMs: number | undefined
  readonly artifacts: string
  /** Prints neither accounts nor transactions. */
  readonly quiet: boolean
}

const WEI = 10n ** 18n

/** Runs a development node until SIGINT, SIGTERM, or until the parent process closes the IPC channel that it started this process with. */
export async function dev(options: DevCommandOptions, print: (text: string) => void): Promise<void> {
  try {
    await serve(options, print)
  } finally {
    // Our end of the parent's channel would keep the process alive, also one that could not start.
    if (process.connected) process.disconnect()
  }
}

async function serve(options: DevCommandOptions, print: (text: string) => void): Promise<void> {
  const stopped = stopSignal()
  const { balance, quiet, ...settings } = options
  const clientVersion = `${DEV_CLIENT}/v${CLI_VERSION}/${process.platform}-${process.arch}/node${process.version}`
  const node = await listen({
    ...settings,
    balance: balance * WEI,
    clientVersion,
    ...(quiet ? {} : { print }),
  })
  try {
    print(quiet ? summary(node) : banner(node, options))
    process.send?.({ kind: 'ready', rpcPort: node.port })
    await stopped
  } finally {
    systemShutdown((message) => void process.stderr.write(`warning: ${message}\n`)).begin()
    await node.close()
  }
}

async function listen(options: DevNodeOptions & { readonly port: number }): Promise<DevNode> {
  try {
    return await startDevNode(options)
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw failure
    throw new CommandError(
      `port ${options.port} is in use by another process (a devnet, anvil or another quoin dev?): stop that process, or choose another port with --port`,
    )
  }
}

const summary = ({ url, chainId }: DevNode): string => `quoin dev serves chain ${chainId} at ${url}`

function banner(node: DevNode, { balance, blockTimeMs }: DevCommandOptions): string {
  const blocks = blockTimeMs === undefined ? 'with each transaction' : `every ${blockTimeMs} ms`
  return [
    `Accounts with ${balance} each. The keys are public (mnemonic "${DEVELOPMENT_MNEMONIC}"): use them for development only.`,
    ...node.accounts.map(({ address, secretKey }, i) => `  (${i}) ${address}  key ${bytesToHex(secretKey)}`),
    '',
    `Chain    ${node.chainId}, in memory: discarded when this process ends`,
    `Blocks   ${blocks}`,
    `RPC      ${node.url}  (HTTP and WebSocket)`,
    '',
  ].join('\n')
}
