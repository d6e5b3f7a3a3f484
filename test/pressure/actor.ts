import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setPriority } from 'node:os'
import type { Observation, Order, Report, Tally, Task } from './messages.ts'

/** Time limit for a process to get ready: an attacker first signs tens of thousands of transactions. */
const READY_MS_MAX = 60_000
/** Time limit for an attacker to send its tally; then it is killed with all its connections. */
const END_MS_MAX = 3_000
/** Lower than the validators' priority: a real attacker has its own machines, and must not win by taking the validators' processors. */
const ATTACKER_PRIORITY = 10

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** A process of the suite: sampler, honest users or attacker. It always ends with this process. */
export class Actor {
  readonly #child: ChildProcess
  readonly #exit: Promise<unknown>
  readonly #listeners = new Set<(report: Report) => void>()
  #output = ''
  #failure: string | undefined

  private constructor(bundle: string, observe: (observation: Observation) => void) {
    this.#child = fork(bundle, [], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      execArgv: [],
      env: { ...process.env, NODE_OPTIONS: '' },
    })
    running.add(this.#child)
    for (const stream of [this.#child.stdout!, this.#child.stderr!])
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-4_000)
      })
    this.#child.on('message', (report: Report) => {
      if (report.kind === 'failed') this.#failure ??= report.message
      else if (report.kind !== 'ready' && report.kind !== 'tally') observe(report)
      for (const listener of [...this.#listeners]) listener(report)
    })
    this.#exit = once(this.#child, 'close').then(() => running.delete(this.#child))
  }

  /** Resolves when the process has its task and is ready; rejects with its output if it ends before. */
  static async start(bundle: string, task: Task, observe: (observation: Observation) => void = () => {}): Promise<Actor> {
    const actor = new Actor(bundle, observe)
    if (task.role === 'attacker') setPriority(actor.#child.pid!, ATTACKER_PRIORITY)
    try {
      actor.send({ kind: 'task', task })
      await actor.#report('ready', READY_MS_MAX)
      return actor
    } catch (failure) {
      await actor.stop()
      throw failure
    }
  }

  /** An error in it that is not the outcome of an attack: a bug of the suite. */
  get failure(): string | undefined {
    return this.#failure
  }

  send(order: Order): void {
    this.#child.send(order)
  }

  /** Ends an attack and its process; an attacker that does not send its tally in time gives no result. */
  async conclude(): Promise<Tally> {
    this.send({ kind: 'end' })
    const told = this.#report('tally', END_MS_MAX).then(
      ({ tally }) => tally,
      () => ({ 'the attacker was too busy to count': 1 }),
    )
    const tally = await told
    await this.stop()
    return tally
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#exit
  }

  #report<K extends Report['kind']>(kind: K, msMax: number): Promise<Extract<Report, { readonly kind: K }>> {
    return new Promise((resolve, reject) => {
      const settle = (action: () => void): void => {
        clearTimeout(timer)
        this.#listeners.delete(listener)
        action()
      }
      const fail = (why: string): void =>
        settle(() => reject(new Error(`no "${kind}" message from a process: ${why}\n${this.#output}`)))
      const timer = setTimeout(() => fail(`not within ${msMax} ms`), msMax)
      const listener = (report: Report): void => {
        if (report.kind === kind) settle(() => resolve(report as Extract<Report, { readonly kind: K }>))
        else if (report.kind === 'failed') fail(report.message)
      }
      this.#listeners.add(listener)
      void this.#exit.then(() => fail('it ended'))
    })
  }
}
