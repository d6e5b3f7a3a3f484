import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { open, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

const QUOIN = fileURLToPath(new URL('../../bin/quoin.mjs', import.meta.url))
/** A validator that has not stopped after this is killed. */
const STOP_MS_MAX = 15_000
const LOG_TAIL_CHARS = 3_000

/** What a started node tells its parent process over the IPC channel. */
export interface ReadyMessage {
  readonly kind: 'ready'
  readonly rpcPort: number
}

export interface ValidatorProcess {
  readonly pid: number
  /** Settles when it ends, whoever ended it. */
  readonly exit: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>
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
 * it. It runs under the same flags of Node (`--cpu-prof`). Resolves when it serves RPC; rejects with the end of its log when it does not come up.
 */
export async function startValidator({ dataDir, logPath, rpcPort }: ValidatorOptions): Promise<ValidatorProcess> {
  const log = await open(logPath, 'a')
  const child = spawn(
    process.execPath,
    [...process.execArgv, QUOIN, 'start', '--data-dir', dataDir, '--rpc-port', String(rpcPort)],
    {
      stdio: ['ignore', log.fd, log.fd, 'ipc'],
      detached: true,
    },
  )
  const exit = once(child, 'exit').then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
  }))
  await once(child, 'spawn')
  await log.close()
  const started = await Promise.race([ready(child), exit])
  if (started !== 'ready')
    throw new Error(`it ended with ${started.signal ?? `code ${started.code}`}. The end of ${logPath}:\n${await tail(logPath)}`)
  return { pid: child.pid!, exit, stop: () => stop(child, exit) }
}

async function ready(child: ChildProcess): Promise<'ready'> {
  for (;;) {
    const [message] = (await once(child, 'message')) as [Partial<ReadyMessage>]
    if (message.kind === 'ready') return 'ready'
  }
}

async function stop(child: ChildProcess, exit: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX)
  await exit
  clearTimeout(timer)
}

const tail = async (path: string): Promise<string> => (await readFile(path, 'utf8')).slice(-LOG_TAIL_CHARS)
