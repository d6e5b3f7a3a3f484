import {
  type Offence,
  type PeerAddress,
  type PeerId,
  type Transport,
  TransportError,
  type TransportHandlers,
} from '../../packages/node/src/powers.ts'
import type { Life } from './life.ts'
import type { SeededRandom } from './random.ts'
import type { World } from './world.ts'

/** How one direction between two nodes behaves. */
export interface Link {
  readonly loss: number
  readonly duplication: number
  /** Each message takes its own time, so messages overtake each other. */
  readonly latencyMs: readonly [number, number]
  /** Nothing passes. */
  readonly cut: boolean
}

export const PERFECT_LINK: Link = { loss: 0, duplication: 0, latencyMs: [1, 5], cut: false }

interface Station {
  readonly life: Life
  readonly handlers: TransportHandlers
}

/** Sees every message of the ordered stream as it leaves its sender. */
export type Observer = (from: PeerId, to: PeerId, message: Uint8Array) => void

/** Sits between a lying node and the network. */
export interface Liar {
  /** The messages sent to `to` instead of a message of the ordered stream. */
  readonly send?: (to: PeerId, message: Uint8Array) => readonly Uint8Array[]
  /** Whether a gossip payload is sent. */
  readonly publishes?: (payload: Uint8Array) => boolean
  /** Whether a request is answered. */
  readonly answers?: (from: PeerId, message: Uint8Array) => boolean
}

/** A full mesh between the nodes of one process, with a separate link for each direction. */
export class SimNetwork {
  readonly #world: World
  readonly #random: SeededRandom
  readonly #stations = new Map<PeerId, Station>()
  readonly #links = new Map<string, Link>()
  #defaultLink: Link = PERFECT_LINK
  readonly #liars = new Map<PeerId, Liar>()
  readonly penalties: { readonly by: PeerId; readonly peer: PeerId; readonly offence: Offence }[] = []
  onSend: Observer = () => {}
  /** A gossip handler failed; peers must not notice. */
  onHandlerFault: (error: unknown) => void = (error) => {
    throw error
  }

  constructor(world: World) {
    this.#world = world
    this.#random = world.random.fork()
  }

  /** Sets the link for all directions that have none of their own. */
  setDefault(link: Link): void {
    this.#defaultLink = link
  }

  /** Sets one direction; undefined makes it like the others again. */
  setLink(from: PeerId, to: PeerId, link: Link | undefined): void {
    if (link === undefined) this.#links.delete(`${from}>${to}`)
    else this.#links.set(`${from}>${to}`, link)
  }

  heal(): void {
    this.#links.clear()
    this.#defaultLink = PERFECT_LINK
  }

  /** From now on the liar replaces what the node sends. */
  lie(peer: PeerId, liar: Liar): void {
    this.#liars.set(peer, liar)
  }

  /** Sends a message of the ordered stream in a node's name. */
  say(from: PeerId, to: PeerId, message: Uint8Array): void {
    this.onSend(from, to, message)
    this.#carry(from, to, 'message', message, (station) => station.handlers.onMessage(from, message))
  }

  /** Delivers a message of the ordered stream to a node as if `from` had sent it. */
  inject(from: PeerId, to: PeerId, message: Uint8Array): void {
    const station = this.#stations.get(to)
    station?.life.give(() => station.handlers.onMessage(from, message))
  }

  /** Breaks a node's connections; its peers notice. */
  down(peer: PeerId): void {
    if (!this.#stations.delete(peer)) return
    for (const [, { life, handlers }] of this.#others(peer)) {
      life.after(1, () => {
        if (!this.#stations.has(peer)) handlers.onPeer(peer, 'down')
      })
    }
  }

  open(self: PeerId, life: Life): Transport {
    let handlers: TransportHandlers | undefined
    return {
      self,
      peers: () => (this.#stations.has(self) ? this.#others(self).map(([peer]) => peer) : []),
      send: (to, message) => {
        if (!life.alive) return
        const lies = this.#liars.get(self)?.send?.(to, message) ?? [message]
        for (const said of lies) this.say(self, to, said)
      },
      publish: (payload) => {
        if (!life.alive || this.#liars.get(self)?.publishes?.(payload) === false) return
        for (const [peer] of this.#others(self)) {
          this.#carry(
            self,
            peer,
            'gossip',
            payload,
            (station) => void this.#gossip(station, self, payload).catch((error: unknown) => this.onHandlerFault(error)),
          )
        }
      },
      request: (to, message, signal) => this.#request(self, to, message, life, signal),
      listen: (given) => {
        handlers = given
      },
      admit: (_nodes: readonly PeerAddress[]) => {},
      penalise: (peer, offence) => {
        if (life.alive) this.penalties.push({ by: self, peer, offence })
      },
      penaliseGossip: (peer, offence) => {
        if (life.alive) this.penalties.push({ by: self, peer, offence })
      },
      start: async () => {
        if (handlers === undefined) throw new Error('no handler is registered')
        this.#up(self, { life, handlers })
      },
      stop: async () => {
        if (this.#stations.get(self)?.life === life) this.down(self)
      },
    }
  }

  #up(self: PeerId, station: Station): void {
    this.#stations.set(self, station)
    for (const [peer, other] of this.#others(self)) {
      this.#world.after(1, () => {
        if (this.#stations.get(peer) !== other || this.#stations.get(self) !== station) return
        other.life.give(() => other.handlers.onPeer(self, 'up'))
        station.life.give(() => station.handlers.onPeer(peer, 'up'))
      })
    }
  }

  #others(self: PeerId): readonly (readonly [PeerId, Station])[] {
    return [...this.#stations].filter(([peer]) => peer !== self).sort(([a], [b]) => (a < b ? -1 : 1))
  }

  async #gossip({ handlers, life }: Station, from: PeerId, payload: Uint8Array): Promise<void> {
    const verdict = await handlers.onGossip(from, payload)
    if (verdict === 'reject' && life.alive) this.penalties.push({ by: '', peer: from, offence: 'invalid' })
  }

  /** Sends something over a link: it arrives not at all, once or twice. Returns whether it will arrive. */
  #carry(from: PeerId, to: PeerId, kind: string, payload: Uint8Array, deliver: (station: Station) => void): boolean {
    const link = this.#links.get(`${from}>${to}`) ?? this.#defaultLink
    if (link.cut || this.#random.chance(link.loss)) return false
    const times = this.#random.chance(link.duplication) ? 2 : 1
    for (let i = 0; i < times; i++) {
      this.#world.after(this.#random.between(...link.latencyMs), () => {
        const station = this.#stations.get(to)
        station?.life.give(() => {
          this.#world.record(kind, from, to, payload)
          deliver(station)
        })
      })
    }
    return true
  }

  /** A lost request or answer is never noticed: the client's own timeout ends it. */
  #request(from: PeerId, to: PeerId, message: Uint8Array, life: Life, signal: AbortSignal): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      // Node keeps a composite signal, and everything it references, as long as it has a listener: so the listener is removed with the
      // request or the life.
      const abort = () => fail('aborted')
      const unlink = life.onEnd(() => signal.removeEventListener('abort', abort))
      const settle = () => {
        unlink()
        signal.removeEventListener('abort', abort)
      }
      const fail = (reason: TransportError['reason']) => {
        settle()
        reject(new TransportError(reason, `${from} asked ${to}: ${reason}`))
      }
      if (signal.aborted) return fail('aborted')
      if (!this.#stations.has(to)) return fail('disconnected')
      signal.addEventListener('abort', abort)
      this.#ask(from, to, message, (answer) =>
        life.give(() => {
          if (answer === undefined) return fail('refused')
          settle()
          resolve(answer)
        }),
      )
    })
  }

  #ask(from: PeerId, to: PeerId, message: Uint8Array, answered: (answer: Uint8Array | undefined) => void): void {
    let isAsked = false
    this.#carry(from, to, 'request', message, ({ life, handlers }) => {
      if (isAsked || this.#liars.get(to)?.answers?.(from, message) === false) return
      isAsked = true
      void handlers.onRequest(from, message).then((answer) => {
        if (life.alive) this.#carry(to, from, 'answer', answer ?? new Uint8Array(0), () => answered(answer))
      })
    })
  }
}
