import { randomBytes } from 'node:crypto'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { allowed, namedKeys } from '@quoin/node/config'
import { EXIT_CODE, exitCodeOf, explain } from '@quoin/node/process'
import { DEFAULT_PARAMETERS, FEE_POLICIES, type FeePolicy, Height } from '@quoin/protocol'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { CLI_VERSION } from './cli-version.ts'
import type { BuildCommand } from './commands/build.ts'
import type { VerifyCommand } from './commands/verify.ts'
import type { TemplateName } from './create/template.ts'
import { DEV_LIMITS } from './dev/limits.ts'
import { addPermissionCommands } from './permissions/commands.ts'
import { cdCommand } from './shell-argument.ts'
import { fromValidator } from './validator-package.ts'

const DEFAULT_DATA_DIR = join(homedir(), '.quoin')

const print = (text: string): void => {
  process.stdout.write(`${text}\n`)
}

const dataDirOption = () =>
  new Option('--data-dir <directory>', 'data directory of the node: keys, configuration and database')
    .default(DEFAULT_DATA_DIR)
    .env('QUOIN_DATA_DIR')

function integerArgument(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError('must be a non-negative integer.')
  return value
}

/** The exit code of the process. A node that cannot continue shuts down in order and sets the code; it does not throw. */
interface Outcome {
  code: number
}

function createProgram(outcome: Outcome): Command {
  const program = new Command('quoin')
    .description('Quoin: a permissioned blockchain whose contracts are TypeScript')
    .version(CLI_VERSION, '-V, --version', 'print the version of quoin; `quoin version` prints more')
    .showHelpAfterError('(see --help)')
  addInit(program)
  addStart(program, outcome)
  addReload(program)
  addDoctor(program)
  addDev(program)
  addKeys(program)
  addEvidence(program)
  addGenesis(program)
  addCreate(program)
  addBuild(program)
  addVerify(program)
  addPermissionCommands(program)
  program
    .command('version')
    .description('print the version of quoin, the execution version, the crypto library and the Node.js version')
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
    .description('create a data directory with keys, configuration and genesis')
    .addOption(dataDirOption())
    .option('--genesis <file>', 'genesis file of the chain to join; copied into the data directory')
    .option(
      '--listen <multiaddress>',
      `address to listen on for peers (default: ${LISTEN_ALL}; with --development ${LISTEN_LOOPBACK})`,
    )
    .option(
      '--advertise <multiaddress>',
      "address where peers reach this node; written to the node's genesis entry (default: the --listen address)",
    )
    .option('--development', 'allow addresses that only this machine can reach', false)
    .option('--rpc-port <port>', 'port of the RPC', integerArgument, 8545)
    .option('--development-index <index>', 'use the well-known keys of the devnet validator with this index', integerArgument)
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
        const { describeKeys, init } = await fromValidator(() => import('@quoin/validator/directory'))
        const { keysText } = await import('./commands/keys.ts')
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
        print(`Created ${options.dataDir}.\n${keysText(await describeKeys(options.dataDir))}`)
      },
    )
}

const STAY_UP_FLAG = '--health-stay-up-when-halted'

function addStart(program: Command, outcome: Outcome): void {
  const command = program.command('start').description('run a node from its data directory').addOption(dataDirOption())
  for (const { flag, key, env } of namedKeys) {
    const form = key.kind === 'list' ? ', separated by commas or in JSON' : ''
    command.addOption(
      new Option(`${flag} <value>`, `${key.help} (${allowed(key)}${form}; default ${JSON.stringify(key.default)}; env ${env})`),
    )
  }
  command
    .option('--stay-up-when-halted', `same as ${STAY_UP_FLAG} true`)
    .option(
      '--new-sign-state',
      'start although the sign-state file of this key is lost: the validator does not vote until its peers have proved that the chain is past every height it may have signed. ' +
        'Never use this while another process may run with the same key',
      false,
    )
    .addOption(
      integerOption(
        '--vote-from <height>',
        'vote from this height on although the sign state is lost: you assert that the key has signed nothing at or above it. If that is wrong, the chain can fork',
        [1, Number.MAX_SAFE_INTEGER],
      ),
    )
  command.action(async ({ dataDir, newSignState, voteFrom, ...options }: StartFlags) => {
    const named: Readonly<Record<string, string | undefined>> = options
    const flags = Object.fromEntries(namedKeys.map(({ flag }) => [flag, named[camelCase(flag.slice(2))]]))
    if (command.getOptionValue('stayUpWhenHalted') === true) flags[STAY_UP_FLAG] = 'true'
    // Node.js exits with 1 after an uncaught exception, but 1 here means that the user must correct a flag, setting or file.
    process.once('uncaughtExceptionMonitor', () =>
      process.once('exit', () => {
        process.exitCode = EXIT_CODE.failed
      }),
    )
    const { start } = await fromValidator(() => import('@quoin/validator'))
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
      'make a running node read config.toml again; applies the log level and the limits, origins, hosts and proxies of the RPC',
    )
    .addOption(dataDirOption())
    .action(async ({ dataDir }: { dataDir: string }) => {
      const { reload } = await fromValidator(() => import('@quoin/validator'))
      await reload(dataDir, print)
    })
}

function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('check all files of a stopped node; exits with 65 and reports the first fault, or exits with 0 if there is none')
    .addOption(dataDirOption())
    .action(async ({ dataDir }: { dataDir: string }) => {
      const { doctor } = await fromValidator(() => import('@quoin/validator'))
      await doctor(dataDir, print)
      print('no fault found')
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
    .description('run a development chain in this process: instant blocks, funded accounts, settable time and state')
    .addOption(integerOption('--port <port>', 'RPC port; 0 lets the operating system choose', [0, 65_535]).default(8_545))
    .option('--host <address>', 'address that the RPC listens on', '127.0.0.1')
    .addOption(integerOption('--chain-id <id>', 'EIP-155 chain id', [1, Number.MAX_SAFE_INTEGER]).default(31_337))
    .addOption(integerOption('--accounts <count>', 'number of funded accounts', [1, DEV_LIMITS.accountsMax]).default(10))
    .addOption(
      integerOption('--balance <amount>', 'balance of each account, in units of 10^18 wei', [0, 1_000_000_000_000]).default(
        10_000,
      ),
    )
    .addOption(
      integerOption('--block-time <ms>', 'make a block at this interval, not with each transaction', [
        DEV_LIMITS.blockTimeMsMin,
        DEV_LIMITS.blockTimeMsMax,
      ]),
    )
    .option('--artifacts <directory>', 'output of quoin build; needed for function names and source lines', 'artifacts')
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
    .description("print the validator's address and the option of quoin genesis with its public keys; never prints a secret")
    .addOption(dataDirOption())
    .option('--json', 'print only the entry, in JSON, for the list that quoin genesis --validators reads', false)
    .action(async ({ dataDir, json }: { dataDir: string; json: boolean }) => {
      const { describeKeys } = await fromValidator(() => import('@quoin/validator/directory'))
      const description = await describeKeys(dataDir)
      const { keysText } = await import('./commands/keys.ts')
      print(json ? JSON.stringify(description.entry, null, 2) : keysText(description))
    })
}

function addEvidence(program: Command): void {
  program
    .command('evidence')
    .description('list evidence of validators that signed twice: what a node has, how to report it, and what is on the chain')
    .option('--rpc <url>', 'RPC of the node', 'http://127.0.0.1:8545')
    .action(async ({ rpc }: { rpc: string }) => {
      const { evidenceText } = await import('./commands/evidence.ts')
      print(await evidenceText(rpc))
    })
}

function addGenesis(program: Command): void {
  program
    .command('genesis')
    .description('write the genesis of a new chain from its validators')
    .option(
      '--validator <entry>',
      'entry of a validator: `quoin keys` prints this option; repeat it for each validator',
      (entry: string, before: readonly string[]) => [...before, entry],
      [] as readonly string[],
    )
    .option('--validators <file>', 'JSON list of validators: for each, what `quoin keys --json` prints')
    .option(
      '--consortium <file>',
      'JSON with organisations, accounts, governor, participants and policies, as in a genesis (docs/genesis.schema.json); without it nobody governs the chain',
    )
    .option('--out <file>', 'file to write; must not exist', 'genesis.json')
    .option('--force', 'replace the file if it exists', false)
    .option('--chain-id <id>', 'EIP-155 chain id', integerArgument, 31_337)
    .option('--time-ms <milliseconds>', 'time of block 0, in milliseconds since 1970-01-01 UTC (default: now)', integerArgument)
    .option(
      '--development',
      'allow the well-known development keys and loopback addresses, and fund the development accounts',
      false,
    )
    .option(
      '--block-interval-ms <milliseconds>',
      'minimum time between two blocks',
      integerArgument,
      DEFAULT_PARAMETERS.blockIntervalMs,
    )
    .option(
      '--heartbeat-interval-ms <milliseconds>',
      'time after which an idle chain makes an empty block',
      integerArgument,
      DEFAULT_PARAMETERS.heartbeatIntervalMs,
    )
    .addOption(
      new Option('--fee-policy <policy>', 'where transaction fees go')
        .choices([...FEE_POLICIES])
        .default(DEFAULT_PARAMETERS.feePolicy),
    )
    .option('--fund <address=wei...>', 'initial balances', [])
    .action(
      async (options: {
        validator: readonly string[]
        validators?: string
        consortium?: string
        out: string
        force: boolean
        chainId: number
        timeMs?: number
        development: boolean
        blockIntervalMs: number
        heartbeatIntervalMs: number
        feePolicy: FeePolicy
        fund: readonly string[]
      }) => {
        const { blockIntervalMs, heartbeatIntervalMs, feePolicy, validators, timeMs = Date.now(), ...rest } = options
        const { makeGenesis } = await fromValidator(() => import('@quoin/validator/directory'))
        const parameters = { blockIntervalMs, heartbeatIntervalMs, feePolicy }
        const genesis = await makeGenesis({ ...rest, validators, timeMs, parameters })
        print(
          `Wrote ${options.out}: chain ${genesis.chainId}, ${genesis.validators.validators.length} validators, execution version ${genesis.executionVersion}.`,
        )
      },
    )
}

function addCreate(program: Command): void {
  program
    .command('create')
    .description('create a project with a contract, a test and a deploy script; with --template dapp also a page')
    .argument('<directory>', 'project directory; must be empty or not exist yet')
    .addOption(
      new Option('--template <name>', 'contract: a token; dapp: a task board with a page in React, live events and log-in')
        .choices(Object.keys(NEXT))
        .default('contract'),
    )
    .action(async (directory: string, { template }: { template: TemplateName }) => {
      const { createProject } = await import('./create/create.ts')
      const project = await createProject(directory, template)
      const lines = [cdCommand(directory), 'npm install', NEXT[template]].map((line) => `  ${line}`).join('\n')
      print(`Created ${project}. Next:\n\n${lines}\n\nSee README.md there for more.`)
    })
}

/** What to type in a new project once it is installed, by its template. */
const NEXT: Readonly<Record<TemplateName, string>> = { contract: 'npm test', dapp: 'npm run dev' }

const conditionsOption = () =>
  new Option('--conditions <names...>', "additional conditions to resolve packages' `exports` with").default([])

const projectOption = () => new Option('--project <directory>', 'project directory; contains package.json').default('.')

function addBuild(program: Command): void {
  program
    .command('build')
    .description('build contracts; writes one module per contract with the ABI and bytecode that viem and ethers accept')
    .argument('[entries...]', 'modules that default-export a contract, relative to the project (default: contracts/*.ts)')
    .addOption(projectOption())
    .option('--out <directory>', 'directory for the artifacts, relative to the project', 'artifacts')
    .option('--watch', 'build again whenever a source changes', false)
    .option('--no-type-check', "do not run the project's tsc")
    .option('--embed-source-map', 'deploy the source map with the code; costs about 21,500 gas per KiB', false)
    .option(
      '--against <artifact...>',
      'artifacts of the deployed contracts; fail if the new state layout cannot replace theirs (old.js=new: if the contract is named new now)',
      [],
    )
    .addOption(
      integerOption(
        '--transaction-gas-max <gas>',
        "the chain's transactionGasMax; fail if a deployment or an upgrade takes more",
        [1, Number.MAX_SAFE_INTEGER],
      ).default(DEFAULT_PARAMETERS.transactionGasMax),
    )
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
    .description('check that a deployed contract matches its sources')
    .argument('<address>', 'address of the contract')
    .argument('<entry>', 'module of the contract, relative to the project')
    .requiredOption('--rpc <url>', 'RPC URL of a node')
    .addOption(projectOption())
    .option('--ignore-source-map', 'ignore differences of the source maps', false)
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
