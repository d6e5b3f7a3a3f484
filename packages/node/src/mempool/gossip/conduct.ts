import type { Clock, PeerId, Random } from '../../powers.ts'
import { FadingRecall, RECALL_KEY_BYTES } from '../../recall.ts'
import { TokenBucket } from '../../token-bucket.ts'
import { GOSSIP_LIMITS } from './limits.ts'

/** What one peer has gossiped, and what it may still gossip in vain. */
export interface Conduct {
  /** Transactions that it sent lately, since it connected. A node that starts anew knows nothing of what it sent before. */
  sent: FadingRecall
  /** Bytes that it may repeat. */
  readonly repeats: TokenBucket
  /** Bytes that may be verified for it in vain. */
  readonly waste: TokenBucket
  isUp: boolean
}

/** The conduct of all peers. It outlasts their connections, so that none buys a new allowance by coming back. */
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
