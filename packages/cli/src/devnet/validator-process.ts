import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { open } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { EXIT_CODE } from '@quoin/node/process'
import { lastWords } from './last-words.ts'

const QUOIN = fileURLToPath(new URL('../../bin/quoin.mjs', import.meta.url))
/** A node ends within 5 s of SIGTERM. One that has not is killed after this. */
const STOP_MS_MAX = 6_000

/** What a started node tells its parent process over the IPC channel. */
export interface ReadyMessage {
  readonly kind: 'ready'
  readonly rpcPort: number
}

/** How a process ended, and what its log says last. */
export interface ValidatorEnd {
  /** `code 73 (disk-full)` or `SIGKILL`. */
  readonly how: string
  /** It did what it was told to. */
  readonly isExpected: boolean
  readonly lastWords: string | undefined
}

export interface ValidatorProcess {
  readonly pid: number
  /** Settles when it serves RPC, or with its end when that comes first. Never rejects. */
  readonly started: Promise<'ready' | ValidatorEnd>
  /** Settles when it ends, whoever ended it. */
  readonly end: Promise<ValidatorEnd>
  /** What its log says last. */
  lastWords(): Promise<string | undefined>
  /** Asks it to stop and waits; kills it when it does not. */
  stop(): Promise<void>
}

export interface ValidatorOptions {
  readonly dataDir: string
  readonly logPath: string
  readonly rpcPort: number
}

/**
 * Starts `quoin start` as a process of its own, in a process group of its own so that Ctrl-C reaches only the devnet, which then stops
 * it. It runs under the same flags of Node (`--cpu-prof`). Resolves when the process is there, which says nothing of how far it is.
 */
export async function startValidator({ dataDir, logPath, rpcPort }: ValidatorOptions): Promise<ValidatorProcess> {
  const log = await open(logPath, 'a')
  const { size } = await log.stat()
  const child = spawn(
    process.execPath,
    [...process.execArgv, QUOIN, 'start', '--data-dir', dataDir, '--rpc-port', String(rpcPort), '--health-port', '0'],
    { stdio: ['ignore', log.fd, log.fd, 'ipc'], detached: true },
  )
  const words = () => lastWords(logPath, size)
  let isTold = false
  const exit = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
  const end = exit.then(async ([code, signal]) => {
    const isExpected = isTold && (code === EXIT_CODE.done || signal !== null)
    return { how: signal ?? codeText(code), isExpected, lastWords: await words() }
  })
  const started = Promise.race([ready(child), end])
  await once(child, 'spawn')
  await log.close()
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      isTold = true
      child.kill('SIGTERM')
    }
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX)
    await end
    clearTimeout(timer)
  }
  return { pid: child.pid!, started, end, lastWords: words, stop }
}

function ready(child: ChildProcess): Promise<'ready'> {
  return new Promise((resolve) => {
    child.on('message', (message: Partial<ReadyMessage> | null) => {
      if (message?.kind === 'ready') resolve('ready')
    })
  })
}

function codeText(code: number | null): string {
  const name = Object.entries(EXIT_CODE).find(([, value]) => value === code)?.[0]
  return `code ${code}${name === undefined ? '' : ` (${name})`}`
}
