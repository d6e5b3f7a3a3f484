import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { CommandError, explain, linkSignals } from '@quoin/node/process'
import { DEVELOPMENT_BALANCE, DEVELOPMENT_MNEMONIC, developmentAccounts } from '@quoin/platform'
import { bytesToHex, nobleCrypto } from '@quoin/protocol'
import { init, readGenesisFile } from '@quoin/validator/directory'
import { shellCommand } from '../shell-argument.ts'
import { holdDirectory } from './directory.ts'
import { devnetGenesis, genesisText, p2pAddress } from './genesis.ts'
import { everyInterval } from './interval.ts'
import { requireFreePorts } from './ports.ts'
import {
  DEFAULT_SETTINGS,
  type DevnetOptions,
  type DevnetSettings,
  HELP,
  parseOptions,
  readSettings,
  resolveSettings,
  writeSettings,
} from './settings.ts'
import { type NodeStatus, readStatus, statusLine } from './status.ts'
import { startValidator, type ValidatorEnd, type ValidatorProcess } from './validator-process.ts'

const STATUS_INTERVAL_MS = 1_000
/** Interval of status lines when the output is not a terminal. */
const PLAIN_STATUS_INTERVAL_MS = 10_000
/** Interval of messages about validators that are still starting. */
const START_NOTICE_MS = 10_000

interface Member {
  readonly name: string
  readonly index: number
  readonly dataDir: string
  readonly logPath: string
  readonly rpcPort: number
}

const print = (text: string): void => {
  process.stdout.write(`${text}\n`)
}

/** Runs the devnet until SIGINT or SIGTERM. Resolves to the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  const stopping = new AbortController()
  const onSignal = (): void => stopping.abort()
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  // The reader of the output has ended (`npm run devnet | head`), so that nobody can press Ctrl-C any more.
  process.stdout.on('error', onSignal)
  try {
    const options = parseOptions(argv)
    if (options.help) print(HELP)
    else await runDevnet(options, stopping.signal)
    return 0
  } catch (failure) {
    process.stderr.write(`\ndevnet: ${explain(failure) ?? (failure instanceof Error ? failure.stack : String(failure))}\n`)
    return 1
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
  }
}

async function runDevnet(options: DevnetOptions, signal: AbortSignal): Promise<void> {
  const directory = resolve(options.directory)
  // Take every lock and check every port before deleting anything.
  const held = await holdDirectory(directory, options.reset)
  try {
    const existing = options.reset || !held.isWhole ? undefined : await readSettings(directory)
    const settings = resolveSettings(existing, options.settings)
    const members = membersOf(options, directory, settings)
    await requirePorts(members, settings)
    if (existing === undefined) {
      await held.clear()
      await create(directory, settings, members)
    }
    await held.releaseValidators()
    await requireCurrentGenesis(directory)
    if (!signal.aborted) await runValidators(options, members, existing !== undefined, signal)
  } finally {
    await held.close()
  }
}

async function runValidators(
  options: DevnetOptions,
  members: readonly Member[],
  continued: boolean,
  signal: AbortSignal,
): Promise<void> {
  const processes = new Map<Member, ValidatorProcess>()
  try {
    await startAll(members, processes, signal)
    if (signal.aborted) return
    await introduce(options, members, continued)
    await watch(members, signal)
  } finally {
    if (processes.size > 0) print('\nStopping ...')
    await Promise.all([...processes.values()].map((validator) => validator.stop()))
    if (processes.size > 0) print('All validators stopped. The chain is kept: run the same command to continue it.')
  }
}

async function requirePorts(members: readonly Member[], { p2pPort }: DevnetSettings): Promise<void> {
  await requireFreePorts(members.map(({ rpcPort, name }) => ({ port: rpcPort, use: `the RPC of ${name}`, flag: '--rpc-port' })))
  await requireFreePorts(
    members.map(({ index, name }) => ({
      port: p2pPort + index,
      use: `the P2P of ${name}`,
      flag: '--p2p-port (with --reset)',
    })),
  )
}

const membersOf = (options: DevnetOptions, directory: string, settings: DevnetSettings): readonly Member[] =>
  Array.from({ length: settings.validators }, (_, index) => {
    const name = `validator-${index + 1}`
    return {
      name,
      index,
      dataDir: join(directory, name),
      logPath: join(directory, `${name}.log`),
      rpcPort: options.rpcPort + index,
    }
  })

/** The settings file is written last: without it, an interrupted creation is started again. */
async function create(directory: string, settings: DevnetSettings, members: readonly Member[]): Promise<void> {
  const genesisPath = join(directory, 'genesis.json')
  await writeFile(genesisPath, genesisText(await devnetGenesis(nobleCrypto, settings)))
  for (const { dataDir, index, rpcPort } of members) {
    await init({
      dataDir,
      genesis: genesisPath,
      developmentIndex: index,
      listen: p2pAddress(settings, index),
      advertise: undefined,
      development: true,
      rpcPort,
      random: (length) => randomBytes(length),
    })
  }
  await writeSettings(directory, settings)
}

/** Reports a chain of another execution version once, before every validator reports it. */
async function requireCurrentGenesis(directory: string): Promise<void> {
  const path = join(directory, 'genesis.json')
  const genesis = await readGenesisFile(path)
  const { executionVersion } = await devnetGenesis(nobleCrypto, DEFAULT_SETTINGS)
  if (genesis.executionVersion !== executionVersion) {
    throw new CommandError(
      `the chain in ${directory} needs another version of this software (execution version ${genesis.executionVersion}; this is ${executionVersion}): start a new chain with --reset`,
    )
  }
}

/** Starts all validators. Resolves when all serve RPC or the signal is aborted. Rejects as soon as one ends. */
async function startAll(
  members: readonly Member[],
  processes: Map<Member, ValidatorProcess>,
  signal: AbortSignal,
): Promise<void> {
  print(`Starting ${members.length} validators ...`)
  for (const member of members) {
    if (signal.aborted) return
    const validator = await startValidator(member)
    processes.set(member, validator)
    void validator.end.then((end) => {
      if (!end.isExpected) tellEnd(member, end)
    })
  }
  const waiting = new Map(processes)
  const all = Promise.all(
    [...processes].map(async ([member, { started }]) => {
      const outcome = await started
      waiting.delete(member)
      if (outcome !== 'ready' && !signal.aborted)
        throw new CommandError(`${member.name} did not start: it ended with ${outcome.how}`)
    }),
  )
  const done = new AbortController()
  let looks = 0
  const link = linkSignals(signal, done.signal)
  const notices = everyInterval(START_NOTICE_MS, link.signal, async () => {
    if (looks++ > 0) await tellWaiting(waiting)
  })
  try {
    await Promise.race([all, aborted(signal)])
  } finally {
    done.abort()
    await notices
    link.unlink()
  }
}

/** Prints which validators are still starting, with the last message of their logs. */
async function tellWaiting(waiting: ReadonlyMap<Member, ValidatorProcess>): Promise<void> {
  for (const [member, validator] of waiting) {
    const words = await validator.lastWords()
    if (waiting.has(member)) print(`  ${member.name} is still starting${words === undefined ? '' : `: ${words}`}`)
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolvePromise) => {
    if (signal.aborted) resolvePromise()
    else signal.addEventListener('abort', () => resolvePromise(), { once: true })
  })

function tellEnd(member: Member, { how, lastWords }: ValidatorEnd): void {
  const log = relative(process.cwd(), member.logPath)
  print(`\n${member.name} ended (${how}). Log: ${log}. Start it again with\n  ${startCommand(member)}`)
  if (lastWords !== undefined) print(`  Last message: ${lastWords}`)
}

const startCommand = ({ dataDir, rpcPort }: Member): string => {
  const flags = ['--data-dir', relative(process.cwd(), dataDir), '--rpc-port', `${rpcPort}`]
  return shellCommand(['npm', 'run', 'quoin', '--', 'start', ...flags])
}

async function introduce(options: DevnetOptions, members: readonly Member[], continued: boolean): Promise<void> {
  const { chainId } = await readGenesisFile(join(resolve(options.directory), 'genesis.json'))
  const logSize = Math.max(...members.map(({ name }) => name.length))
  const accounts = developmentAccounts(nobleCrypto)
  print(`
${continued ? 'Continuing the existing chain.' : 'A new chain.'} Chain id ${chainId}, gas is free.

Endpoints (HTTP and WebSocket)
${members.map(({ name, rpcPort, logPath }) => `  ${name.padEnd(logSize)}  http://127.0.0.1:${rpcPort}   log ${relative(process.cwd(), logPath)}`).join('\n')}

Accounts (${DEVELOPMENT_BALANCE / 10n ** 18n} each; these keys are public, never use them elsewhere)
${accounts.map(({ address, secretKey }, i) => `  (${i}) ${address}  ${bytesToHex(secretKey)}`).join('\n')}
  mnemonic: ${DEVELOPMENT_MNEMONIC}

To restart a validator that was killed:
${members.map((member) => `  ${startCommand(member)}`).join('\n')}

Press Ctrl-C to stop all validators.
`)
}

/** Shows the status line until the signal is aborted. */
async function watch(members: readonly Member[], signal: AbortSignal): Promise<void> {
  const { isTTY } = process.stdout
  let before: readonly (NodeStatus | undefined)[] = []
  let beforeMs = performance.now()
  await everyInterval(isTTY ? STATUS_INTERVAL_MS : PLAIN_STATUS_INTERVAL_MS, signal, async () => {
    const now = await Promise.all(members.map(({ rpcPort }) => readStatus(rpcPort)))
    const nowMs = performance.now()
    if (signal.aborted) return
    const line = statusLine(before, now, nowMs - beforeMs)
    process.stdout.write(isTTY ? `\r\u001b[2K${line.slice(0, process.stdout.columns - 1)}` : `${line}\n`)
    before = now
    beforeMs = nowMs
  })
}
