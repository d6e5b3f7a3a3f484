import { RpcError } from '../rpc/errors.ts'
import type { Admitted, Answered, Answers, Asked, FromThread, Question } from './messages.ts'

export const LINK_LIMITS = {
  /** Questions that may wait for the node's answer. */
  questionsMax: 4_096,
  /** Bytes of submitted transactions in those questions. */
  questionBytesMax: 32 * 1024 * 1024,
  /** Bytes of transactions in answers that are delivered per iteration of the event loop. The last one may exceed it. */
  turnBytes: 64 * 1024,
} as const

/** Probes bypass the limits: `keptProbes` asks one at a time. */
const PROBES: ReadonlySet<Question['kind']> = new Set(['live', 'ready', 'metrics'])

interface Waiting {
  readonly bytes: number
  readonly resolve: (value: never) => void
  readonly reject: (error: unknown) => void
}

/** The RPC thread's end of the connection to the node. Sends questions in batches, once per iteration of the event loop, up to a limit. */
export class NodeLink {
  readonly #send: (message: FromThread) => void
  readonly #waiting = new Map<number, Waiting>()
  #outgoing: Asked[] = []
  /** Answers that are not delivered yet. */
  readonly #answers: Answered[] = []
  #bytes = 0
  #lastId = 0

  constructor(send: (message: FromThread) => void) {
    this.#send = send
  }

  /** Asks the node. Rejects with RpcError if too many questions are pending. */
  ask<K extends Question['kind']>(question: Extract<Question, { kind: K }>): Promise<Answers[K]> {
    const bytes = question.kind === 'submit' ? (question as Extract<Question, { kind: 'submit' }>).raw.length : 0
    const isFull = this.#waiting.size >= LINK_LIMITS.questionsMax || this.#bytes + bytes > LINK_LIMITS.questionBytesMax
    if (isFull && !PROBES.has(question.kind)) return Promise.reject(nodeIsBusy(this.#waiting.size))
    return new Promise<Answers[K]>((resolve, reject) => {
      const id = ++this.#lastId
      this.#waiting.set(id, { bytes, resolve, reject })
      this.#bytes += bytes
      if (this.#outgoing.push({ ...question, id }) === 1) setImmediate(this.#flush)
    })
  }

  /** Delivers answers in order. Receivers decode large ones, so the event loop gets a turn after `turnBytes`. */
  answer(answers: readonly Answered[]): void {
    const isIdle = this.#answers.length === 0
    for (const answer of answers) this.#answers.push(answer)
    if (isIdle) this.#handOn()
  }

  readonly #handOn = (): void => {
    let bytes = 0
    let count = 0
    while (count < this.#answers.length && bytes < LINK_LIMITS.turnBytes) {
      const answer = this.#answers[count++]!
      bytes += bytesOf(answer)
      this.#settle(answer)
    }
    this.#answers.splice(0, count)
    if (this.#answers.length > 0) setImmediate(this.#handOn)
  }

  #settle(answer: Answered): void {
    const waiting = this.#waiting.get(answer.id)
    if (waiting === undefined) return
    this.#waiting.delete(answer.id)
    this.#bytes -= waiting.bytes
    if ('failure' in answer) waiting.reject(answer.failure)
    else waiting.resolve(answer.value as never)
  }

  readonly #flush = (): void => {
    const questions = this.#outgoing
    this.#outgoing = []
    this.#send({ kind: 'questions', questions })
  }
}

export const nodeIsBusy = (count: number): RpcError =>
  new RpcError('overloaded', `the node is busy: ${count} requests are waiting, try again later`)

/** Size of the transaction in an answer, if any. */
function bytesOf(answer: Answered): number {
  const raw = 'value' in answer ? (answer.value as Partial<Admitted> | undefined)?.raw : undefined
  return raw?.length ?? 0
}
