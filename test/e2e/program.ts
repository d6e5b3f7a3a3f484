import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))
/** The program's file, to run with Node.js. */
export const QUOIN = fileURLToPath(new URL('../../packages/cli/bin/quoin.mjs', import.meta.url))
const DEVNET = fileURLToPath(new URL('../../scripts/devnet.mjs', import.meta.url))
/** Time limit for a program to show what a test waits for. */
const WAIT_MS_MAX = 90_000
const TAIL_CHARS = 3_000

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface ProgramOptions {
  readonly cwd?: string
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>
  /** With a message channel; a node stops when its parent closes the channel. */
  readonly ipc?: boolean
  /** In its own process group, which receives the signals, as from a terminal. */
  readonly group?: boolean
}

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** A running program of ours, with all its output. */
export class Program {
  /** Settles when it has ended and its output is complete. */
  readonly exit: Promise<Exit>
  readonly #child: ChildProcess
  readonly #group: boolean
  readonly #listeners = new Set<() => void>()
  #output = ''
  #ended: Exit | undefined

  constructor(
    command: string,
    args: readonly string[],
    { cwd = ROOT, env = {}, ipc = false, group = false }: ProgramOptions = {},
  ) {
    this.#group = group
    this.#child = spawn(command, args, {
      cwd,
      detached: group,
      // Vitest's own settings of Node must not apply to the program.
      env: { ...process.env, NODE_OPTIONS: '', ...env },
      stdio: ['ignore', 'pipe', 'pipe', ...(ipc ? (['ipc'] as const) : [])],
    })
    running.add(this.#child)
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text
        this.#changed()
      })
    }
    this.exit = once(this.#child, 'close').then(([code, signal]) => {
      running.delete(this.#child)
      this.#ended = { code: code as number | null, signal: signal as NodeJS.Signals | null }
      this.#changed()
      return this.#ended
    })
  }

  get pid(): number {
    return this.#child.pid!
  }

  get ended(): Exit | undefined {
    return this.#ended
  }

  /** Both streams, in order of arrival. */
  get output(): string {
    return this.#output
  }

  get tail(): string {
    return this.#output.slice(-TAIL_CHARS)
  }

  signal(signal: NodeJS.Signals): void {
    if (this.#ended !== undefined) return
    if (this.#group) process.kill(-this.pid, signal)
    else this.#child.kill(signal)
  }

  /** Sends a message on the channel. */
  send(message: object): void {
    this.#child.send(message)
  }

  /** Sends a signal and waits for the end. */
  async end(signal: NodeJS.Signals): Promise<Exit> {
    this.signal(signal)
    return this.exit
  }

  /** Resolves when the output matches; rejects if the program ends first. */
  async shows(pattern: RegExp): Promise<RegExpExecArray> {
    const match = await this.#until(`the output shows ${pattern}`, () => pattern.exec(this.#output) ?? undefined)
    return match
  }

  /** Resolves to the next message of this kind on the channel. */
  async message<T extends { readonly kind: string }>(kind: T['kind']): Promise<T> {
    let found: T | undefined
    const onMessage = (message: unknown): void => {
      if ((message as { readonly kind?: unknown } | null)?.kind === kind) found = message as T
      this.#changed()
    }
    this.#child.on('message', onMessage)
    try {
      return await this.#until(`a message "${kind}"`, () => found)
    } finally {
      this.#child.off('message', onMessage)
    }
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener()
  }

  #until<T>(what: string, look: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = (action: () => void): void => {
        clearTimeout(timer)
        this.#listeners.delete(check)
        action()
      }
      const fail = (why: string): void => settle(() => reject(new Error(`${what}: ${why}. The end of its output:\n${this.tail}`)))
      const timer = setTimeout(() => fail(`not within ${WAIT_MS_MAX} ms`), WAIT_MS_MAX)
      const check = (): void => {
        const seen = look()
        if (seen !== undefined) settle(() => resolve(seen))
        else if (this.#ended !== undefined) fail(`it ended with ${this.#ended.signal ?? `code ${this.#ended.code}`}`)
      }
      this.#listeners.add(check)
      check()
    })
  }
}

export const startQuoin = (args: readonly string[], options?: ProgramOptions): Program =>
  new Program(process.execPath, [QUOIN, ...args], options)

/** The devnet in its own process group, as a terminal starts it. */
export const startDevnet = (args: readonly string[]): Program => new Program(process.execPath, [DEVNET, ...args], { group: true })
/** The same, with the command that a new user types. */
export const npmRunDevnet = (args: readonly string[]): Program =>
  new Program('npm', ['run', 'devnet', '--', ...args], { group: true })

export interface Finished extends Exit {
  readonly output: string
}

/** Runs a command to its end. */
export async function run(program: Program): Promise<Finished> {
  const exit = await program.exit
  return { ...exit, output: program.output }
}

export const quoin = (args: readonly string[], options?: ProgramOptions): Promise<Finished> => run(startQuoin(args, options))
export const devnet = (args: readonly string[]): Promise<Finished> => run(startDevnet(args))
