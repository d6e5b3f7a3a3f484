import { execFileSync } from 'node:child_process'
import { readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { DEVELOPMENT_MNEMONIC } from '@quoin/platform'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { account, publicClient, temporaryDirectory, walletClient } from './harness.ts'
import { freePorts } from './ports.ts'
import { devnet, npmRunDevnet, type Program, startDevnet, startQuoin } from './program.ts'
import { until } from './watch.ts'

let directory: string
let rpcPort: number
let p2pPort: number
const running = new Set<Program>()
const servers = new Set<Server>()

beforeEach(async () => {
  directory = await temporaryDirectory()
  rpcPort = await freePorts(14)
  p2pPort = rpcPort + 7
})
afterEach(async () => {
  await Promise.all([...running].map((program) => program.end('SIGINT')))
  running.clear()
  for (const server of servers) server.close()
  servers.clear()
  await rm(directory, { recursive: true })
})

/** The space shows whether printed commands quote their paths. */
const DIRECTORY = 'my devnet'

const flags = (...more: readonly string[]): readonly string[] => [
  ...['--data-dir', join(directory, DIRECTORY), '--rpc-port', String(rpcPort)],
  ...more,
]
const newChain = (...more: readonly string[]): readonly string[] => flags('--p2p-port', String(p2pPort), ...more)

const client = (index = 0) => publicClient(`http://127.0.0.1:${rpcPort + index}`)
const height = async (): Promise<number> => Number(await client().getBlockNumber())

/** Starts a devnet and waits for its first live line that shows all validators. */
async function start(validators: number, args: readonly string[], startProgram = startDevnet): Promise<Program> {
  const program = startProgram(args)
  running.add(program)
  await program.shows(new RegExp(`^height \\d+.*   validators ${validators}/${validators}   `, 'm'))
  return program
}

/** Ends a devnet with Ctrl-C. */
async function ctrlC(program: Program): Promise<void> {
  running.delete(program)
  expect(await program.end('SIGINT')).toEqual({ code: 0, signal: null })
  expect(program.output).toContain('All validators stopped.')
  expect(await anyAnswers()).toBe(false)
}

/** Whether a validator's RPC port answers. */
async function answers(index: number): Promise<boolean> {
  try {
    await fetch(`http://127.0.0.1:${rpcPort + index}/health`)
    return true
  } catch (failure) {
    if (failure instanceof TypeError) return false
    throw failure
  }
}

const anyAnswers = async (): Promise<boolean> => (await Promise.all([0, 1, 2, 3, 4, 5, 6].map(answers))).includes(true)

/** Listens on a port for as long as the test runs. */
function occupy(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    servers.add(server)
    server.once('error', reject).listen(port, '127.0.0.1', () => resolve())
  })
}

describe('npm run devnet', () => {
  it('shows a new user the network, ends with Ctrl-C, and continues the same chain until --reset', async () => {
    const first = await start(4, newChain('--block-time', '200'), npmRunDevnet)
    const { output } = first
    expect(output).toContain('A new chain. Chain id 31337, gas is free.')
    for (let i = 0; i < 4; i++) {
      expect(output).toContain(`validator-${i + 1}  http://127.0.0.1:${rpcPort + i}   log `)
      const command = `npm run quoin -- start --data-dir '\\S+${DIRECTORY}/validator-${i + 1}' --rpc-port ${rpcPort + i}\n`
      expect(output).toMatch(new RegExp(command))
    }
    for (let i = 0; i < 10; i++) expect(output).toContain(`(${i}) ${account(i).address.toLowerCase()}  0x`)
    expect(output).toContain(`mnemonic: ${DEVELOPMENT_MNEMONIC}`)
    expect(output).toMatch(
      /^height \d+ .*finality -?\d+ ms {3}\d+ tx\/s {3}validators 4\/4 {3}peers \d \d \d \d {3}mempool \d+$/m,
    )

    const hash = await walletClient(client().transport.url!, 0).sendTransaction({ to: account(1).address, value: 3n })
    const receipt = await client(3).waitForTransactionReceipt({ hash })
    const genesis = await client().getBlock({ blockNumber: 0n })
    const before = await height()
    // Under npm the exit status is that of the shell in between; npm still waits for the devnet.
    running.delete(first)
    await first.end('SIGINT')
    expect(first.output).toContain('All validators stopped.')
    expect(await anyAnswers()).toBe(false)

    // Flags that match the existing chain do not contradict it.
    const second = await start(4, flags('--validators', '4'))
    expect(second.output).toContain('Continuing the existing chain.')
    expect(await client(2).getTransactionReceipt({ hash })).toMatchObject({ blockHash: receipt.blockHash })
    expect((await client(1).getBlock({ blockNumber: 0n })).hash).toBe(genesis.hash)
    await until('the height grows from before', async () => (await height()) > before)
    await ctrlC(second)

    const refused = await devnet(flags('--validators', '5'))
    expect(refused.code).toBe(1)
    expect(refused.output).toContain('the existing chain was created with --validators 4, not 5')
    expect(refused.output).toContain('--reset')

    const third = await start(1, newChain('--reset', '--validators', '1'))
    expect(third.output).toContain('A new chain.')
    expect((await client().getBlock({ blockNumber: 0n })).hash).not.toBe(genesis.hash)
    expect(await client().getTransactionCount({ address: account(0).address })).toBe(0)
    const again = await walletClient(client().transport.url!, 0).sendTransaction({ to: account(1).address, value: 3n })
    expect(await client().waitForTransactionReceipt({ hash: again })).toMatchObject({ status: 'success' })
    await ctrlC(third)
  })

  it('runs seven validators, and tells when one of them is killed and how to start it again', async () => {
    const program = await start(7, newChain('--validators', '7', '--block-time', '500'))
    const hash = await walletClient(client(6).transport.url!, 2).sendTransaction({ to: account(1).address, value: 1n })
    await client(5).waitForTransactionReceipt({ hash })
    const pid = Number(await readFile(join(directory, DIRECTORY, 'validator-3', 'lock', 'holder'), 'utf8'))
    process.kill(pid, 'SIGKILL')
    await program.shows(/validator-3 ended \(SIGKILL\)\. Log: .+validator-3\.log\. Start it again with\n {2}npm run quoin/)
    await ctrlC(program)
  })

  it('ends its validators when it is killed itself', async () => {
    const program = await start(1, newChain('--validators', '1'))
    running.delete(program)
    expect(await program.end('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' })
    await until('the validator ends', async () => !(await answers(0)))
  })
})

describe('a devnet that exists', () => {
  it('is not deleted by --reset while it runs, whatever the ports', async () => {
    const program = await start(1, newChain('--validators', '1'))
    const hash = await walletClient(client().transport.url!, 0).sendTransaction({ to: account(1).address, value: 1n })
    await client().waitForTransactionReceipt({ hash })
    const pid = await readFile(join(directory, DIRECTORY, 'lock', 'holder'), 'utf8')
    for (const port of [rpcPort, rpcPort + 3]) {
      const ports = ['--rpc-port', String(port), '--p2p-port', String(p2pPort + port - rpcPort)]
      const refused = await devnet(['--data-dir', join(directory, DIRECTORY), ...ports, '--validators', '1', '--reset'])
      expect(refused.code).toBe(1)
      expect(refused.output).toContain(`devnet is running (process ${pid.trim()}): stop it first. Nothing was changed`)
    }
    const before = await height()
    await until('the chain goes on', async () => (await height()) > before)
    expect(await client().getTransactionReceipt({ hash })).toMatchObject({ status: 'success' })
    await ctrlC(program)
  })

  it('is not deleted while one of its validators runs by itself, its ports are taken, or its settings are gone', async () => {
    await ctrlC(await start(1, newChain('--validators', '1')))
    const dataDir = join(directory, DIRECTORY, 'validator-1')
    const single = startQuoin(['start', '--data-dir', dataDir])
    await single.shows(/rpc listening/)
    const reset = newChain('--validators', '1', '--reset')
    expect((await devnet(reset)).output).toContain(
      `validator-1 in ${join(directory, DIRECTORY)} is running (process ${single.pid})`,
    )
    await single.end('SIGTERM')
    await occupy(p2pPort)
    expect((await devnet(reset)).output).toContain(`port ${p2pPort} (needed for the P2P of validator-1) is in use`)
    expect((await stat(join(dataDir, 'db'))).isDirectory()).toBe(true)

    for (const server of servers) server.close()
    await rm(join(directory, DIRECTORY, 'devnet.json'))
    const refused = await devnet(newChain('--validators', '1'))
    expect([refused.code, refused.output]).toEqual([1, expect.stringContaining('its devnet.json is missing')])
    const fresh = await start(1, newChain('--validators', '1', '--reset'))
    expect(fresh.output).toContain('A new chain.')
    await ctrlC(fresh)
  })
})

it('validators that do not start are reported with their output, and never keep it from ending', async () => {
  await ctrlC(await start(2, newChain('--validators', '2')))
  // A process that reads it waits forever.
  const genesis = join(directory, DIRECTORY, 'validator-2', 'genesis.json')
  const content = await readFile(genesis)
  await rm(genesis)
  execFileSync('mkfifo', [genesis])
  const program = startDevnet(flags())
  running.add(program)
  await program.shows(/Starting 2 validators/)
  await until('the first serves', () => answers(0))
  const begunMs = performance.now()
  running.delete(program)
  expect(await program.end('SIGTERM')).toEqual({ code: 0, signal: null })
  expect(performance.now() - begunMs).toBeLessThan(9_000)
  expect(program.output).toContain('All validators stopped.')
  expect(await anyAnswers()).toBe(false)

  await rm(genesis)
  await writeFile(genesis, content)
  await writeFile(join(directory, DIRECTORY, 'validator-2', 'wal'), 'this is no log at all')
  const { code, output } = await devnet(flags())
  expect(code).toBe(1)
  expect(output).toMatch(
    /validator-2 ended \(code 65 \(untrusted-files\)\).*\n.*\n {2}Last message: quoin: not a write-ahead log file/,
  )
  expect(output).toContain('devnet: validator-2 did not start: it ended with code 65')
  expect(output).not.toContain('validator-1 ended')
  expect(await anyAnswers()).toBe(false)

  // A refusal before anything is opened ends the process as well.
  await writeFile(join(directory, DIRECTORY, 'validator-2', 'config.toml'), 'x = [')
  const early = await devnet(flags())
  expect(early.code).toBe(1)
  expect(early.output).toContain('devnet: validator-2 did not start: it ended with code 1')
  expect(await anyAnswers()).toBe(false)
})

describe('what it refuses', () => {
  it.each([
    [['--validators', '0'], '--validators 0: must be an integer from 1 to 32'],
    [['--validators', 'many'], '--validators many: must be an integer from 1 to 32'],
    [['--block-time', '99'], '--block-time 99: must be an integer from 100 to 60000'],
    [['--rpc-port', '80'], '--rpc-port 80: must be an integer from 1024 to 65000'],
    [['--validator', '4'], "Unknown option '--validator'"],
    [['now'], "Unexpected argument 'now'"],
  ])('%j', async (args, message) => {
    const { code, output } = await devnet(args)
    expect(code).toBe(1)
    expect(output).toContain(`devnet: ${message}`)
    expect(output).not.toMatch(/^ {4}at /m)
  })

  it('a port that is in use, naming who holds it and which flag moves it', async () => {
    await occupy(rpcPort + 2)
    const rpc = await devnet(newChain())
    expect(rpc.code).toBe(1)
    expect(rpc.output).toContain(`port ${rpcPort + 2} (needed for the RPC of validator-3) is in use`)
    expect(rpc.output).toContain('choose other ports with --rpc-port')
    if (process.platform === 'linux') expect(rpc.output).toContain(`by process ${process.pid} (`)

    await occupy(p2pPort + 1)
    const p2p = await devnet([
      '--data-dir',
      join(directory, DIRECTORY),
      '--rpc-port',
      String(rpcPort + 3),
      '--p2p-port',
      String(p2pPort),
    ])
    expect(p2p.code).toBe(1)
    expect(p2p.output).toContain(`port ${p2pPort + 1} (needed for the P2P of validator-2) is in use`)
    expect(p2p.output).toContain('--p2p-port')
  })

  it('--reset of a directory that is no devnet', async () => {
    const path = join(directory, 'letters.txt')
    await writeFile(path, 'dear')
    const { code, output } = await devnet(['--data-dir', directory, '--reset'])
    expect(code).toBe(1)
    expect(output).toContain(
      `${directory} is not a devnet directory: it has no devnet.json, but contains letters.txt. Nothing was changed`,
    )
    expect(await readFile(path, 'utf8')).toBe('dear')
  })
})

it('--help names every option', async () => {
  const { code, output } = await devnet(['--help'])
  expect(code).toBe(0)
  for (const flag of ['--validators', '--block-time', '--rpc-port', '--p2p-port', '--data-dir', '--reset', '--help'])
    expect(output).toContain(flag)
})
