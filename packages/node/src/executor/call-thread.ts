import type { Worker } from 'node:worker_threads'
import type { CallRequest } from '@quoin/execution'
import { err, ok, type Result } from '@quoin/protocol'
import type { Clock } from '../powers.ts'
import { DamagedError, type OnDamage } from '../store/damage.ts'
import type { CallWorkerMessage, CallWorkerRequest } from './call-messages.ts'
import type { CallKind, CallOutcomes, CallUnavailable } from './call-runner.ts'

export type CallAnswer = Result<CallOutcomes[CallKind], CallUnavailable>

/** A call, and who waits for it. */
export interface Job {
  readonly kind: CallKind
  readonly request: CallRequest
  /** When its time is up, by the clock's `monotonic`. */
  readonly deadlineMs: number
  resolve(answer: CallAnswer): void
  reject(error: unknown): void
}

export interface CallThreadEvents {
  /** It can take a job: after its start, and after each answer. */
  onIdle(): void
  onAnswer(): void
  readonly onDamage: OnDamage
  /** Once, after the thread has ended without being asked to, and its job with it. */
  onLoss(loss: CallUnavailable): void
}

/** In go-ethereum's words. */
export const timeoutMessage = (callMs: number): string => `execution aborted (timeout = ${callMs} ms)`

/** One thread that runs calls, one at a time, from its start to its end. */
export class CallThread {
  readonly #worker: Worker
  readonly #clock: Clock
  readonly #callMs: number
  readonly #events: CallThreadEvents
  readonly #ended: Promise<void>
  #isReady = false
  #isClosing = false
  #job: Job | undefined
  #cancelLimit: () => void = () => {}
  /** Why the thread is being ended, or has died. */
  #loss: CallUnavailable | undefined
  /** What the thread read is not to be trusted: its calls fail from then on. */
  #damage: DamagedError | undefined

  /** Takes over a worker that was just created and speaks `call-messages.ts`. */
  constructor(worker: Worker, clock: Clock, callMs: number, events: CallThreadEvents) {
    this.#worker = worker
    this.#clock = clock
    this.#callMs = callMs
    this.#events = events
    worker.on('message', (message: CallWorkerMessage) => this.#receive(message))
    worker.on('error', (error: Error) => {
      this.#loss ??= { code: 'fault', message: `the call worker failed: ${error.message}` }
    })
    worker.on('messageerror', (error: Error) =>
      this.#kill('fault', `an answer of the call worker is unreadable: ${error.message}`),
    )
    this.#ended = new Promise((resolve) => {
      worker.once('exit', (code) => {
        this.#onExit(code)
        resolve()
      })
    })
  }

  /** Whether it has started. */
  get isReady(): boolean {
    return this.#isReady
  }

  get isIdle(): boolean {
    return this.#isReady && this.#job === undefined && this.#loss === undefined && !this.#isClosing
  }

  /** Runs a call on an idle thread. */
  run(job: Job): void {
    this.#job = job
    const message = timeoutMessage(this.#callMs)
    const leftMs = Math.max(0, Math.min(this.#callMs, job.deadlineMs - this.#clock.monotonic()))
    this.#cancelLimit = this.#clock.after(leftMs, () => this.#kill('timeout', message))
    this.#send({ kind: job.kind, request: job.request })
  }

  /** Lets the running call end, then ends the thread and waits for it. */
  close(): Promise<void> {
    this.#isClosing = true
    if (this.#job === undefined) this.#dismiss()
    return this.#ended
  }

  /** Ends the thread in the midst of whatever it does, and its call. `close` waits for the end. */
  terminate(): void {
    this.#kill('closed', 'the node is stopping')
  }

  /** A thread that is still starting does not listen yet. */
  #dismiss(): void {
    if (this.#isReady) this.#send({ kind: 'close' })
    else void this.#worker.terminate()
  }

  #receive(message: CallWorkerMessage): void {
    if (message.kind === 'damage') return this.#onDamage(new DamagedError(message.damage.finding, message.damage.key))
    if (message.kind === 'fault') return this.#kill('fault', message.message)
    if (message.kind === 'ready') this.#isReady = true
    else this.#answer(message)
    if (this.isIdle) this.#events.onIdle()
  }

  #answer(message: Extract<CallWorkerMessage, { kind: 'answer' | 'failure' }>): void {
    // The time of the call was up just before its answer came.
    if (this.#loss !== undefined) return
    const job = this.#job
    if (job === undefined) return this.#kill('fault', 'the call worker answered what was not asked')
    this.#job = undefined
    this.#cancelLimit()
    this.#events.onAnswer()
    if (this.#damage !== undefined) job.reject(this.#damage)
    else if (message.kind === 'answer') job.resolve(ok(message.outcome))
    else job.reject(message.error)
    if (this.#isClosing) this.#dismiss()
  }

  #onDamage(damage: DamagedError): void {
    this.#damage = damage
    this.#events.onDamage(damage)
  }

  /** Ends the thread in the midst of whatever it does; the rest happens when it has ended. */
  #kill(code: CallUnavailable['code'], message: string): void {
    if (this.#loss !== undefined) return
    this.#loss = { code, message }
    void this.#worker.terminate()
  }

  #onExit(exitCode: number): void {
    this.#cancelLimit()
    if (this.#isClosing && this.#loss === undefined && this.#job === undefined) return
    const loss = (this.#loss ??= { code: 'fault', message: `the call worker exited with code ${exitCode}` })
    this.#job?.resolve(err(loss))
    this.#job = undefined
    this.#events.onLoss(loss)
  }

  #send(request: CallWorkerRequest): void {
    this.#worker.postMessage(request)
  }
}
