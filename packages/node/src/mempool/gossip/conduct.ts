import type { Clock, PeerId, Random } from '../../powers.ts'
import { FadingRecall, RECALL_KEY_BYTES } from '../../recall.ts'
import { TokenBucket } from '../../token-bucket.ts'
import { GOSSIP_LIMITS } from './limits.ts'

/** What one peer has gossiped, and its remaining allowances. */
export interface Conduct {
  /** Transactions that the peer sent recently, since it connected. A restarted node does not know what it sent before. */
  sent: FadingRecall
  /** Allowance in bytes for repeated transactions. */
  readonly repeats: TokenBucket
  /** Allowance in bytes for transactions that are verified and then refused. */
  readonly waste: TokenBucket
  isUp: boolean
}

/** The conduct of all peers. It is kept after a disconnect, so that a peer gets no new allowance by reconnecting. */
export class Conducts {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #recallKey: Uint8Array
  readonly #byPeer = new Map<PeerId, Conduct>()

  constructor(clock: Pick<Clock, 'monotonic'>, random: Random) {
    this.#clock = clock
    this.#recallKey = random.bytes(RECALL_KEY_BYTES)
  }

  of(peer: PeerId): Conduct {
    const known = this.#byPeer.get(peer)
    if (known !== undefined) return known
    const { repeatBytesPerSecond, repeatBurstBytes, wasteBytesPerSecond, wasteBurstBytes } = GOSSIP_LIMITS
    const conduct: Conduct = {
      sent: this.#recall(),
      repeats: new TokenBucket(this.#clock, { perSecond: repeatBytesPerSecond, burst: repeatBurstBytes }),
      waste: new TokenBucket(this.#clock, { perSecond: wasteBytesPerSecond, burst: wasteBurstBytes }),
      isUp: false,
    }
    this.#byPeer.set(peer, conduct)
    return conduct
  }

  onPeer(peer: PeerId, state: 'up' | 'down'): void {
    const conduct = this.of(peer)
    conduct.isUp = state === 'up'
    if (conduct.isUp) conduct.sent = this.#recall()
    for (const [other, { isUp, repeats, waste }] of this.#byPeer)
      if (!isUp && repeats.isFull && waste.isFull) this.#byPeer.delete(other)
  }

  #recall(): FadingRecall {
    return new FadingRecall({ clock: this.#clock, key: this.#recallKey, keptMs: GOSSIP_LIMITS.sentMs })
  }
}
