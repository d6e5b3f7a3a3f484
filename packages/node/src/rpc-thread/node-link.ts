import { RPC_CODE, RpcError } from '../rpc/errors.ts'
import type { Answered, Answers, Asked, FromThread, Question } from './messages.ts'

export const LINK_LIMITS = {
  /** Questions that wait for the node's answer. */
  questionsMax: 4_096,
  /** Transactions among them, in bytes. */
  questionBytesMax: 32 * 1024 * 1024,
} as const

interface Waiting {
  readonly bytes: number
  readonly resolve: (value: never) => void
  readonly reject: (error: unknown) => void
}

/** The thread's end of the line to the node: questions leave together, once in each iteration of the loop, and no more than a bound are open. */
export class NodeLink {
  readonly #send: (message: FromThread) => void
  readonly #waiting = new Map<number, Waiting>()
  #outgoing: Asked[] = []
  #bytes = 0
  #lastId = 0

  constructor(send: (message: FromThread) => void) {
    this.#send = send
  }

  /** Rejects with RpcError when too much is asked already. */
  ask<K extends Question['kind']>(question: Extract<Question, { kind: K }>): Promise<Answers[K]> {
    const bytes = question.kind === 'submit' ? (question as Extract<Question, { kind: 'submit' }>).raw.length : 0
    if (this.#waiting.size >= LINK_LIMITS.questionsMax || this.#bytes + bytes > LINK_LIMITS.questionBytesMax)
      return Promise.reject(busy(this.#waiting.size))
    return new Promise<Answers[K]>((resolve, reject) => {
      const id = ++this.#lastId
      this.#waiting.set(id, { bytes, resolve, reject })
      this.#bytes += bytes
      if (this.#outgoing.push({ ...question, id }) === 1) setImmediate(this.#flush)
    })
  }

  answer(answers: readonly Answered[]): void {
    for (const answer of answers) {
      const waiting = this.#waiting.get(answer.id)
      if (waiting === undefined) continue
      this.#waiting.delete(answer.id)
      this.#bytes -= waiting.bytes
      if ('failure' in answer) waiting.reject(answer.failure)
      else waiting.resolve(answer.value as never)
    }
  }

  readonly #flush = (): void => {
    const questions = this.#outgoing
    this.#outgoing = []
    this.#send({ kind: 'questions', questions })
  }
}

const busy = (count: number): RpcError =>
  new RpcError(RPC_CODE.limitExceeded, `the node is busy: ${count} requests wait for it, try again later`)
