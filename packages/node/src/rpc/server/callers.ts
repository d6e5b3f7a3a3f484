import { type Awaitable, isPromise } from '../../awaitable.ts'
import type { Client } from '../../fair-queue.ts'
import type { Clock } from '../../powers.ts'
import type { Allowances } from '../allowance.ts'
import type { RpcLogger } from '../dispatch.ts'
import { refusal } from '../errors.ts'
import type { Credentials } from '../identity/bearer.ts'
import { IDENTITY_LIMITS } from '../identity/limits.ts'
import { tokenRefusal } from '../identity/permissions.ts'
import type { TokenSettings } from '../identity/settings.ts'
import { TokenVerifier } from '../identity/token-verifier.ts'
import type { Identity } from '../method.ts'

const FAULTS = {
  repeated: { problem: 'repeated', message: 'the request has more than one token: send one' },
  malformed: { problem: 'malformed', message: 'the Authorization header must be Bearer, a space, and the token' },
} as const

export interface CallersOptions {
  readonly clock: Pick<Clock, 'now'>
  readonly allowances: Pick<Allowances, 'take'>
  readonly logger: RpcLogger
}

/** Finds out who sends requests, by the token that they carry. */
export class Callers {
  readonly #options: CallersOptions
  /** What the verifier was made from, as text. */
  #made = ''
  #verifier: TokenVerifier | undefined

  constructor(options: CallersOptions, tokens: TokenSettings | undefined) {
    this.#options = options
    this.set(tokens)
  }

  /** Whether requests may carry tokens. If not, `Authorization` is for a proxy in front of the node. */
  get takeTokens(): boolean {
    return this.#verifier !== undefined
  }

  /**
   * Takes new keys and settings.
   *
   * @returns Whether they differ from the last: then what was verified before counts no longer.
   */
  set(tokens: TokenSettings | undefined): boolean {
    const made = JSON.stringify(tokens) ?? ''
    if (made === this.#made) return false
    this.#made = made
    this.#verifier = tokens && new TokenVerifier(tokens, this.#options.clock)
    return true
  }

  /** The identity of a request from a client. At once, except for a token that was not verified before. Never rejects. */
  identify(credentials: Credentials, client: Client): Awaitable<Identity> {
    const verifier = this.#verifier
    if (credentials === undefined || verifier === undefined) return client
    if ('fault' in credentials) return { ...client, fault: tokenRefusal(FAULTS[credentials.fault]) }
    const { token } = credentials
    const waitMs = verifier.knows(token) ? 0 : this.#options.allowances.take(client.remote, IDENTITY_LIMITS.unknownTokenWeight)
    if (waitMs > 0) return { ...client, fault: tooManyTokens(client, waitMs) }
    const verified = verifier.verify(token)
    return isPromise(verified) ? this.#whenVerified(verified, client) : identityOf(client, verified)
  }

  async #whenVerified(verified: Promise<Verified>, client: Client): Promise<Identity> {
    try {
      return identityOf(client, await verified)
    } catch (err) {
      this.#options.logger.error({ err }, 'checking a token failed')
      return { ...client, fault: refusal('internal', 'internal error') }
    }
  }
}

type Verified = Awaited<ReturnType<TokenVerifier['verify']>>

const identityOf = (client: Client, verified: Verified): Identity =>
  verified.ok
    ? { remote: verified.value.account, connection: client.connection, ...verified.value }
    : { ...client, fault: tokenRefusal(verified.error) }

const tooManyTokens = ({ remote }: Client, retryAfterMs: number) =>
  refusal(
    'rate-limited',
    `rate limit exceeded: ${remote} must wait before its token is checked, try again in ${retryAfterMs} ms`,
    { retryAfterMs },
  )
