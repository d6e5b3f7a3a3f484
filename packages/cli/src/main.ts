import { randomBytes } from 'node:crypto'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { allowed, namedKeys } from '@quoin/node/config'
import { EXIT_CODE, exitCodeOf, explain } from '@quoin/node/process'
import { DEFAULT_PARAMETERS, FEE_POLICIES, type FeePolicy, Height } from '@quoin/protocol'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import type { BuildCommand } from './commands/build.ts'
import type { VerifyCommand } from './commands/verify.ts'
import { DEV_LIMITS } from './dev/limits.ts'

const DEFAULT_DATA_DIR = join(homedir(), '.quoin')

const print = (text: string): void => {
  process.stdout.write(`${text}\n`)
}

const dataDirOption = () =>
  new Option('--data-dir <directory>', 'where the node keeps its keys, configuration and data')
    .default(DEFAULT_DATA_DIR)
    .env('QUOIN_DATA_DIR')

function integerArgument(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError('must be a non-negative integer.')
  return value
}

/** With what the process will end: a node that cannot go on ends in order, without an exception. */
interface Outcome {
  code: number
}

function createProgram(outcome: Outcome): Command {
  const program = new Command('quoin')
    .description('Quoin: a permissioned blockchain whose contracts are TypeScript')
    .showHelpAfterError('(--help shows what is allowed)')
  addInit(program)
  addStart(program, outcome)
  addReload(program)
  addDoctor(program)
  addDev(program)
  addKeys(program)
  addGenesis(program)
  addCreate(program)
  addBuild(program)
  addVerify(program)
  program
    .command('version')
    .description('print the versions of the node, its execution and its platform')
    .action(async () => {
      const { versionText } = await import('./commands/version.ts')
      print(await versionText())
    })
  return program
}

const LISTEN_ALL = '/ip4/0.0.0.0/tcp/26656'
const LISTEN_LOOPBACK = '/ip4/127.0.0.1/tcp/26656'

function addInit(program: Command): void {
  program
    .command('init')
    .description('make a data directory: keys, configuration, genesis')
    .addOption(dataDirOption())
    .option('--genesis <file>', 'genesis of the chain to join; copied into the data directory')
    .option(
      '--listen <multiaddress>',
      `what the node listens on for its peers (default: ${LISTEN_ALL}, in development ${LISTEN_LOOPBACK})`,
    )
    .option('--advertise <multiaddress>', 'where the other nodes reach this one (default: that of --listen); stands in its entry')
    .option('--development', 'the node may be reached from this machine alone', false)
    .option('--rpc-port <port>', 'port of the RPC', integerArgument, 8545)
    .option('--development-index <index>', "use the well-known keys of the devnet's validator of this index", integerArgument)
    .action(
      async (options: {
        dataDir: string
        genesis?: string
        listen?: string
        advertise?: string
        development: boolean
        rpcPort: number
        developmentIndex?: number
      }) => {
        const development = options.development || options.developmentIndex !== undefined
        const { describeKeys, init } = await import('@quoin/node/directory')
        await init({
          dataDir: options.dataDir,
          genesis: options.genesis,
          developmentIndex: options.developmentIndex,
          listen: options.listen ?? (development ? LISTEN_LOOPBACK : LISTEN_ALL),
          advertise: options.advertise,
          development,
          rpcPort: options.rpcPort,
          random: (length) => randomBytes(length),
        })
        const { address, entry } = await describeKeys(options.dataDir)
        print(`Made ${options.dataDir}. The validator's address is ${address}.`)
        print(`Its entry for the genesis (quoin genesis --validators takes a list of these):\n${JSON.stringify(entry, null, 2)}`)
      },
    )
}

const STAY_UP_FLAG = '--health-stay-up-when-halted'

function addStart(program: Command, outcome: Outcome): void {
  const command = program.command('start').description('run the node of a data directory').addOption(dataDirOption())
  for (const { flag, key, env } of namedKeys) {
    command.addOption(
      new Option(`${flag} <value>`, `${key.help} (${allowed(key)}; default ${JSON.stringify(key.default)}; env ${env})`),
    )
  }
  command
    .option('--stay-up-when-halted', `the same as ${STAY_UP_FLAG} true`)
    .option(
      '--new-sign-state',
      'start a key whose sign-state file is lost: the validator keeps silent until its peers have proved that the chain is past what it may have signed. ' +
        'Never while another process may run with this key',
      false,
    )
    .addOption(
      integerOption(
        '--vote-from <height>',
        'vote from this height on in spite of a lost sign state: your word that the key has signed nothing there. A wrong word can fork the chain',
        [1, Number.MAX_SAFE_INTEGER],
      ),
    )
  command.action(async ({ dataDir, newSignState, voteFrom, ...options }: StartFlags) => {
    const named: Readonly<Record<string, string | undefined>> = options
    const flags = Object.fromEntries(namedKeys.map(({ flag }) => [flag, named[camelCase(flag.slice(2))]]))
    if (command.getOptionValue('stayUpWhenHalted') === true) flags[STAY_UP_FLAG] = 'true'
    // Of itself Node.js ends with 1 after an exception that nobody caught, which here means that a start cannot succeed.
    process.once('uncaughtExceptionMonitor', () =>
      process.once('exit', () => {
        process.exitCode = EXIT_CODE.failed
      }),
    )
    const { start } = await import('@quoin/node/validator')
    outcome.code = await start(dataDir, flags, {
      missing: newSignState ? 'lost' : 'refuse',
      voteFrom: voteFrom === undefined ? undefined : Height(voteFrom),
    })
  })
}

interface StartFlags {
  readonly dataDir: string
  readonly newSignState: boolean
  readonly voteFrom?: number
}

function addReload(program: Command): void {
  program
    .command('reload')
    .description(
      'have a running node read config.toml again; takes over the log level, limits, origins, hosts and proxies of the RPC',
    )
    .addOption(dataDirOption())
    .action(async ({ dataDir }: { dataDir: string }) => {
      const { reload } = await import('@quoin/node/validator')
      await reload(dataDir, print)
    })
}

function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('check all that a stopped node has on disk; names the first fault and ends with 65, or with 0 when all is whole')
    .addOption(dataDirOption())
    .action(async ({ dataDir }: { dataDir: string }) => {
      const { doctor } = await import('@quoin/node/validator')
      await doctor(dataDir, print)
      print('all is whole')
    })
}

function integerOption(flags: string, description: string, [min, max]: readonly [number, number]): Option {
  return new Option(flags, description).argParser((text) => {
    const value = integerArgument(text)
    if (value < min || value > max) throw new InvalidArgumentError(`must be an integer from ${min} to ${max}.`)
    return value
  })
}

function addDev(program: Command): void {
  program
    .command('dev')
    .description('run a chain for development in this process: instant blocks, funded accounts, time and state that can be set')
    .addOption(integerOption('--port <port>', 'port of the RPC; 0 lets the system choose', [0, 65_535]).default(8_545))
    .option('--host <address>', 'address that the RPC listens at', '127.0.0.1')
    .addOption(integerOption('--chain-id <id>', 'EIP-155 chain id', [1, Number.MAX_SAFE_INTEGER]).default(31_337))
    .addOption(integerOption('--accounts <count>', 'funded accounts', [1, DEV_LIMITS.accountsMax]).default(10))
    .addOption(
      integerOption('--balance <amount>', 'what each of them owns, in 10^18 wei', [0, 1_000_000_000_000]).default(10_000),
    )
    .addOption(
      integerOption('--block-time <ms>', 'make a block at this interval instead of with each transaction', [
        DEV_LIMITS.blockTimeMsMin,
        DEV_LIMITS.blockTimeMsMax,
      ]),
    )
    .option('--artifacts <directory>', 'what quoin build wrote, for names of functions and source lines', 'artifacts')
    .option('--quiet', 'print neither accounts nor transactions', false)
    .action(async ({ balance, blockTime, ...options }: DevFlags) => {
      const { dev } = await import('./commands/dev.ts')
      await dev({ ...options, balance: BigInt(balance), blockTimeMs: blockTime }, print)
    })
}

interface DevFlags {
  readonly port: number
  readonly host: string
  readonly chainId: number
  readonly accounts: number
  readonly balance: number
  readonly blockTime?: number
  readonly artifacts: string
  readonly quiet: boolean
}

const camelCase = (text: string): string => text.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())

function addKeys(program: Command): void {
  program
    .command('keys')
    .description("print the node's public identity, as the others need it for the genesis; never a secret")
    .addOption(dataDirOption())
    .action(async ({ dataDir }: { dataDir: string }) => {
      const { describeKeys } = await import('@quoin/node/directory')
      print(JSON.stringify(await describeKeys(dataDir), null, 2))
    })
}

function addGenesis(program: Command): void {
  program
    .command('genesis')
    .description('write the genesis of a new chain from a list of validators')
    .requiredOption('--validators <file>', "JSON list of the validators' entries: of each, the `entry` that `quoin keys` prints")
    .option('--out <file>', 'file to write', 'genesis.json')
    .option('--chain-id <id>', 'EIP-155 chain id', integerArgument, 31_337)
    .option('--time-ms <milliseconds>', 'time of block 0, in milliseconds since 1970 (default: now)', integerArgument)
    .option(
      '--development',
      'allow the well-known development keys and addresses of one machine, and fund the development accounts',
      false,
    )
    .option(
      '--block-interval-ms <milliseconds>',
      'least time between two blocks',
      integerArgument,
      DEFAULT_PARAMETERS.blockIntervalMs,
    )
    .option(
      '--heartbeat-interval-ms <milliseconds>',
      'an idle chain makes an empty block after this',
      integerArgument,
      DEFAULT_PARAMETERS.heartbeatIntervalMs,
    )
    .addOption(
      new Option('--fee-policy <policy>', 'what becomes of fees')
        .choices([...FEE_POLICIES])
        .default(DEFAULT_PARAMETERS.feePolicy),
    )
    .option('--fund <address=wei...>', 'opening balances', [])
    .action(
      async (options: {
        validators: string
        out: string
        chainId: number
        timeMs?: number
        development: boolean
        blockIntervalMs: number
        heartbeatIntervalMs: number
        feePolicy: FeePolicy
        fund: readonly string[]
      }) => {
        const { blockIntervalMs, heartbeatIntervalMs, feePolicy, timeMs = Date.now(), ...rest } = options
        const { makeGenesis } = await import('@quoin/node/directory')
        const genesis = await makeGenesis({ ...rest, timeMs, parameters: { blockIntervalMs, heartbeatIntervalMs, feePolicy } })
        print(
          `Wrote ${options.out}: chain ${genesis.chainId}, ${genesis.validators.validators.length} validators, execution version ${genesis.executionVersion}.`,
        )
      },
    )
}

function addCreate(program: Command): void {
  program
    .command('create')
    .description('make a project with a contract, its test and a script that deploys it')
    .argument('<directory>', 'that is empty or does not exist yet')
    .action(async (directory: string) => {
      const { createProject } = await import('./create/create.ts')
      const project = await createProject(directory)
      print(`Made ${project}. Go on with:\n\n  cd ${directory}\n  npm install\n  npm test\n\nIts README.md says the rest.`)
    })
}

const conditionsOption = () =>
  new Option('--conditions <names...>', "conditions to resolve packages' exports by, besides the usual ones").default([])

const projectOption = () => new Option('--project <directory>', 'of the package.json').default('.')

function addBuild(program: Command): void {
  program
    .command('build')
    .description('build contracts: for each an ABI and bytecode that viem and ethers take, as a module')
    .argument('[entries...]', 'modules that default-export a contract, relative to the project (default: contracts/*.ts)')
    .addOption(projectOption())
    .option('--out <directory>', 'where the artifacts go, relative to the project', 'artifacts')
    .option('--watch', 'build again whenever a source changes', false)
    .option('--no-type-check', "do not run the project's tsc")
    .option('--embed-source-map', 'deploy the source map with the code: some 21,500 gas a KiB', false)
    .option('--against <artifact...>', 'artifacts of what is deployed: refuse state that cannot take its place', [])
    .addOption(conditionsOption())
    .action(async (entries: string[], options: Omit<BuildCommand, 'entries'>) => {
      const { buildContracts } = await import('./commands/build.ts')
      const end = new AbortController()
      if (options.watch) process.once('SIGINT', () => end.abort()).once('SIGTERM', () => end.abort())
      const complain = (text: string) => void process.stderr.write(`${text}\n`)
      const code = await buildContracts({ ...options, entries }, { print, complain }, end.signal)
      if (code !== 0) throw new CommanderError(code, 'quoin.build', 'the contracts were not built')
    })
}

function addVerify(program: Command): void {
  program
    .command('verify')
    .description('check that a deployed contract is what its sources build to')
    .argument('<address>', 'of the contract')
    .argument('<entry>', 'its module, relative to the project')
    .requiredOption('--rpc <url>', 'of a node')
    .addOption(projectOption())
    .option('--ignore-source-map', 'a source map may differ', false)
    .addOption(conditionsOption())
    .action(async (address: string, entry: string, options: Omit<VerifyCommand, 'address' | 'entry'>) => {
      const { verifyContract } = await import('./commands/verify.ts')
      print(await verifyContract({ ...options, address, entry }))
    })
}

/** Runs the command line and resolves to the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  const outcome: Outcome = { code: EXIT_CODE.done }
  try {
    await createProgram(outcome).exitOverride().parseAsync(argv, { from: 'user' })
    return outcome.code
  } catch (failure) {
    if (failure instanceof CommanderError) return failure.exitCode
    const reason = explain(failure)
    process.stderr.write(`quoin: ${reason ?? (failure instanceof Error ? failure.stack : String(failure))}\n`)
    return exitCodeOf(failure)
  }
}
