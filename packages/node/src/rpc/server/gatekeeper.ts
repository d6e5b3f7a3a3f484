import type { Clock } from '../../powers.ts'
import type { Allowances } from '../allowance.ts'
import type { RpcBackend } from '../backend.ts'
import type { RpcLogger } from '../dispatch.ts'
import { type Refusal, refusal } from '../errors.ts'
import { IDENTITY_LIMITS } from '../identity/limits.ts'
import { HeadMembers } from '../identity/members.ts'
import { Permissions, tokenRefusal } from '../identity/permissions.ts'
import type { IdentitySettings } from '../identity/settings.ts'
import { EXPIRED } from '../identity/token-verifier.ts'
import type { Identity } from '../method.ts'
import { Callers } from './callers.ts'
import type { SocketConnection } from './socket.ts'

export interface GatekeeperOptions {
  readonly backend: Pick<RpcBackend, 'members' | 'blocks'>
  readonly clock: Pick<Clock, 'now'>
  readonly allowances: Pick<Allowances, 'take'>
  readonly logger: RpcLogger
}

/** For sockets whose tokens keys have verified that the node no longer has. */
const KEYS_CHANGED = refusal('invalid-token', 'the keys of this node have changed: connect again', { problem: 'unknown-key' })

/** Knows who calls and what they may do, and closes WebSockets whose callers may not have them any more. */
export class Gatekeeper {
  readonly callers: Callers
  readonly sockets = new Set<SocketConnection>()
  readonly #clock: Pick<Clock, 'now'>
  readonly #members: HeadMembers
  readonly #timer: NodeJS.Timeout
  #permissions: Permissions | undefined

  /** @param settings - Undefined: everyone may do everything. */
  constructor({ backend, clock, allowances, logger }: GatekeeperOptions, settings: IdentitySettings | undefined) {
    this.#clock = clock
    this.#members = new HeadMembers(backend.members, () => backend.blocks.head)
    this.callers = new Callers({ clock, allowances, logger }, settings?.tokens)
    this.#permissions = this.#permissionsOf(settings)
    this.#timer = setInterval(() => this.recheck(), IDENTITY_LIMITS.expiryCheckMs).unref()
  }

  set(settings: IdentitySettings | undefined): void {
    const haveTokensChanged = this.callers.set(settings?.tokens)
    this.#permissions = this.#permissionsOf(settings)
    if (haveTokensChanged)
      for (const socket of this.sockets) if (socket.identity.account !== undefined) socket.refuse(KEYS_CHANGED)
    this.recheck()
  }

  /** Why a caller may not use a method; undefined if it may. */
  refusal(method: string, identity: Identity): Refusal | undefined {
    return this.#permissions?.refusal(method, identity)
  }

  /** Why the caller of a socket may not have its subscriptions and streams any more, or no socket at all; undefined if it may. */
  refusalOf({ identity, heldBy }: SocketConnection): Refusal | undefined {
    if (this.#permissions === undefined) return undefined
    if (identity.expiresMs !== undefined && this.#clock.now() >= identity.expiresMs) return tokenRefusal(EXPIRED)
    for (const method of heldBy) {
      const refused = this.#permissions.refusal(method, identity)
      if (refused !== undefined) return refused
    }
    return undefined
  }

  /** Call it after each block: closes the sockets whose callers may not have them any more. */
  recheck(): void {
    if (this.#permissions === undefined) return
    for (const socket of this.sockets) {
      const refused = this.refusalOf(socket)
      if (refused !== undefined) socket.refuse(refused)
    }
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #permissionsOf(settings: IdentitySettings | undefined): Permissions | undefined {
    return settings && new Permissions(settings, this.#members, this.#clock)
  }
}
