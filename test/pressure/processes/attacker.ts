import { setMaxListeners } from 'node:events'
import { linkDeadline } from '../../../packages/node/src/abort.ts'
import { loadCrypto } from '../../../packages/node/src/crypto/load.ts'
import { type Stage, untilAborted } from '../attacks/attack.ts'
import { attackOf } from '../attacks/index.ts'
import type { Tally, Task } from '../messages.ts'
import { fail } from './channel.ts'
import { signer } from './signer.ts'
import { TallyBook } from './tally.ts'

/** Time limit for an attack to count its last outcomes. */
const END_MS_MAX = 1_000

/** A running attack. */
export class Attacker {
  readonly #run: () => Promise<void>
  readonly #end: AbortController
  readonly #tally: TallyBook
  #running: Promise<void> = Promise.resolve()

  private constructor(run: () => Promise<void>, end: AbortController, tally: TallyBook) {
    this.#run = run
    this.#end = end
    this.#tally = tally
  }

  static async prepare(task: Extract<Task, { readonly role: 'attacker' }>): Promise<Attacker> {
    const end = new AbortController()
    // As many listeners as there are connections.
    setMaxListeners(0, end.signal)
    const tally = new TallyBook()
    const crypto = await loadCrypto()
    const { targets, prepared, round } = task
    const stage: Stage = { targets, prepared, round, signal: end.signal, tally, crypto, sign: signer(crypto) }
    return new Attacker(await attackOf(task.attack).prepare(stage), end, tally)
  }

  begin(): void {
    this.#running = this.#run().catch((failure: unknown) => {
      // Errors while everything is being closed are expected.
      if (!this.#end.signal.aborted) fail(failure)
    })
  }

  /** The process is killed soon after, with all its connections. */
  async end(): Promise<Tally> {
    this.#end.abort()
    const late = linkDeadline(END_MS_MAX, [])
    await Promise.race([this.#running, untilAborted(late.signal)])
    late.unlink()
    return this.#tally.get()
  }
}
