import type { PeerId, Transport } from '../powers.ts'
import { type EngineMessage, encodeMessage } from './messages.ts'
import type { PrivateValidator } from './private-validator.ts'
import type { Wal } from './wal.ts'

/**
 * The only way out for messages of the engine. A message leaves only after everything that caused it is on disk: first the log, then the
 * sign state. In this order the sign state never contains a signature that the log lost, and a validator that crashed between the two syncs
 * signs the same message again. In the reverse order it would have to stay silent for a round.
 */
export class Outbox {
  readonly #transport: Pick<Transport, 'peers' | 'send'>
  readonly #wal: Pick<Wal, 'sync'>
  readonly #validator: Pick<PrivateValidator, 'sync'> | undefined
  #messages: { readonly message: EngineMessage; readonly to: PeerId | undefined }[] = []
  /** Sizes in bytes on the wire. */
  readonly counters = { messages: 0, proposals: 0, proposalBytes: 0 }

  constructor(
    transport: Pick<Transport, 'peers' | 'send'>,
    wal: Pick<Wal, 'sync'>,
    validator: Pick<PrivateValidator, 'sync'> | undefined,
  ) {
    this.#transport = transport
    this.#wal = wal
    this.#validator = validator
  }

  /** Queues a message for one peer, or for all peers that are connected when it is sent. */
  add(message: EngineMessage, to?: PeerId): void {
    this.#messages.push({ message, to })
  }

  /** Resolves when every queued message was passed to the network. */
  async flush(): Promise<void> {
    if (this.#messages.length === 0) return
    const messages = this.#messages
    this.#messages = []
    await this.#wal.sync()
    await this.#validator?.sync()
    const peers = this.#transport.peers()
    for (const { message, to } of messages) {
      const bytes = encodeMessage(message)
      this.counters.messages++
      if (message.kind === 'proposal') {
        this.counters.proposals++
        this.counters.proposalBytes += bytes.length
      }
      for (const peer of to === undefined ? peers : [to]) this.#transport.send(peer, bytes)
    }
  }
}
