import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { open } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { EXIT_CODE } from '@quoin/node/process'
import { lastWords } from './last-words.ts'

const QUOIN = fileURLToPath(new URL('../../bin/quoin.mjs', import.meta.url))
/** A node ends within 5 s of SIGTERM. If it does not, it is killed after this time. */
const STOP_MS_MAX = 6_000

/** Message of a started node to its parent process over the IPC channel. */
export interface ReadyMessage {
  readonly kind: 'ready'
  readonly rpcPort: number
}

/** How a process ended, and the last message in its log. */
export interface ValidatorEnd {
  /** `code 73 (disk-full)` or `SIGKILL`. */
  readonly how: string
  /** The process was asked to stop, and ended with code 0 or by a signal. */
  readonly isExpected: boolean
  readonly lastWords: string | undefined
}

export interface ValidatorProcess {
  readonly pid: number
  /** Resolves when the node serves RPC, or with its end if it ends first. Never rejects. */
  readonly started: Promise<'ready' | ValidatorEnd>
  /** Resolves when the process ends for any reason. */
  readonly end: Promise<ValidatorEnd>
  /** The last message in its log. */
  lastWords(): Promise<string | undefined>
  /** Sends SIGTERM and waits for the end; kills the process if it does not stop in time. */
  stop(): Promise<void>
}

export interface ValidatorOptions {
  readonly dataDir: string
  readonly logPath: string
  readonly rpcPort: number
}

/**
 * Starts `quoin start` as a child process in its own process group, so that Ctrl-C reaches only the devnet, which then stops it. The child gets
 * the same Node.js flags (such as `--cpu-prof`). Resolves when the process is spawned; `started` tells when the node serves RPC.
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
