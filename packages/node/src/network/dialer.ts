import type { Multiaddr } from '@multiformats/multiaddr'
import type { PeerId } from '../powers.ts'
import type { AdmittedNode } from './admission.ts'
import type { NetworkLimits } from './limits.ts'
import { redialMs } from './redial.ts'
import type { Timers } from './timers.ts'

export interface DialerOptions {
  readonly self: PeerId
  readonly limits: NetworkLimits
  readonly timers: Timers
  /** From 0 (inclusive) to 1 (exclusive). */
  random(): number
  /** Connects to a peer at one of the addresses. Rejects if the dial failed. */
  dial(addresses: readonly Multiaddr[], signal: AbortSignal): Promise<void>
  /** Time in ms during which the peer must not be dialled. */
  heldMs(peer: PeerId): number
  failed(peer: PeerId, error: unknown): void
}

interface Target {
  readonly node: AdmittedNode
  connected: boolean
  failures: number
  cancelWait: (() => void) | undefined
  dialing: AbortController | undefined
}

/** Keeps dialling the admitted peers that are not connected, one dial per peer at a time. */
export class Dialer {
  readonly #options: DialerOptions
  readonly #targets = new Map<PeerId, Target>()
  readonly #dials = new Set<Promise<void>>()
  #stopped = false

  constructor(options: DialerOptions) {
    this.#options = options
  }

  /** Replaces the list of peers. Peers that stay keep their state, unless their addresses changed. */
  set(nodes: ReadonlyMap<PeerId, AdmittedNode>): void {
    for (const [peer, target] of this.#targets) if (!nodes.has(peer)) this.#drop(peer, target)
    for (const [peer, node] of nodes) {
      const target = this.#targets.get(peer)
      if (target !== undefined && sameAddresses(target.node, node)) continue
      if (target !== undefined) this.#drop(peer, target)
      const fresh: Target = {
        node,
        connected: target?.connected ?? false,
        failures: 0,
        cancelWait: undefined,
        dialing: undefined,
      }
      this.#targets.set(peer, fresh)
      this.#schedule(fresh)
    }
  }

  connected(peer: PeerId): void {
    const target = this.#targets.get(peer)
    if (target === undefined) return
    target.connected = true
    target.cancelWait?.()
    target.cancelWait = undefined
  }

  /**
   * @param livedMs how long the connection lasted; a short one counts as a failed dial, so that a peer that refuses this node is not
   *   dialled all the time
   */
  disconnected(peer: PeerId, livedMs: number): void {
    const target = this.#targets.get(peer)
    if (target === undefined) return
    target.connected = false
    target.failures = livedMs >= this.#options.limits.redialMsMax ? 0 : target.failures + 1
    this.#schedule(target)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    for (const [peer, target] of this.#targets) this.#drop(peer, target)
    await Promise.all(this.#dials)
  }

  #drop(peer: PeerId, target: Target): void {
    this.#targets.delete(peer)
    target.cancelWait?.()
    target.dialing?.abort(new Error('no longer wanted'))
  }

  #schedule(target: Target): void {
    const { limits, timers, self, random, heldMs } = this.#options
    const { peerId, addresses } = target.node
    const busy = target.connected || target.dialing !== undefined || target.cancelWait !== undefined
    if (this.#stopped || busy || addresses.length === 0 || this.#targets.get(peerId) !== target) return
    const headStart = self > peerId ? limits.dialHeadStartMs : 0
    const wait = Math.max(redialMs(target.failures, random(), limits) + headStart, heldMs(peerId))
    target.cancelWait = timers.after(wait, () => {
      target.cancelWait = undefined
      const dial = this.#dial(target)
      this.#dials.add(dial)
      void dial.finally(() => this.#dials.delete(dial))
    })
  }

  /** Never rejects. */
  async #dial(target: Target): Promise<void> {
    const { limits, timers, dial, failed, heldMs } = this.#options
    if (heldMs(target.node.peerId) > 0) return this.#schedule(target)
    const controller = new AbortController()
    target.dialing = controller
    const cancel = timers.after(limits.dialMsMax, () => controller.abort(new Error('dial timed out')))
    try {
      await dial(target.node.addresses, controller.signal)
    } catch (error) {
      if (!target.connected && !this.#stopped) failed(target.node.peerId, error)
    } finally {
      cancel()
      target.dialing = undefined
    }
    if (target.connected) return
    target.failures++
    this.#schedule(target)
  }
}

const sameAddresses = (a: AdmittedNode, b: AdmittedNode): boolean =>
  a.addresses.length === b.addresses.length && a.addresses.every((address, i) => address.equals(b.addresses[i]!))
