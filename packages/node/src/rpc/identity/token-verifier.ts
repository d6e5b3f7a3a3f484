import { Address, err, ok, type Result } from '@quoin/protocol'
import type { JWTPayload } from 'jose'
import { decodeProtectedHeader } from 'jose/decode/protected_header'
import { JOSEError, JWSSignatureVerificationFailed, JWTClaimValidationFailed, JWTExpired } from 'jose/errors'
import { jwtVerify } from 'jose/jwt/verify'
import type { Awaitable } from '../../awaitable.ts'
import { Lru } from '../../lru.ts'
import type { Clock } from '../../powers.ts'
import { IDENTITY_LIMITS } from './limits.ts'
import type { TokenSettings } from './settings.ts'
import { readTokenKeys, type TokenKey } from './token-keys.ts'

/** What is wrong with a token. The list is closed: `data.problem` of an error has these words. */
export type TokenProblem =
  | 'malformed'
  | 'repeated'
  | 'too-long'
  | 'unknown-key'
  | 'bad-signature'
  | 'expired'
  | 'not-yet-valid'
  | 'lifetime-too-long'
  | 'wrong-issuer'
  | 'wrong-audience'
  | 'no-account'

export interface TokenFault {
  readonly problem: TokenProblem
  /** For people. It repeats nothing of the token. */
  readonly message: string
}

/** Whom a verified token names. */
export interface Bearer {
  readonly account: Address
  /** Time from which the token counts no longer, with the tolerance for clocks. */
  readonly expiresMs: number
}

type Verified = Result<Bearer, TokenFault>

const fault = (problem: TokenProblem, message: string): Result<never, TokenFault> => err({ problem, message })

const { tokenCharsMax, clockToleranceS, verifiedCharsMax } = IDENTITY_LIMITS

/** The compact form of a signed token (RFC 7515, 7.1), which has no other characters. */
const COMPACT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/
const ADDRESS = /^0x[0-9a-fA-F]{40}$/

export const EXPIRED: TokenFault = { problem: 'expired', message: 'the token has expired: get a new one' }

/**
 * Checks tokens (JWT, RFC 7519) and remembers those that it verified. The algorithm of a token only chooses among the keys of that
 * algorithm: `none` has no key, and the text of a public key is no secret.
 */
export class TokenVerifier {
  readonly #settings: TokenSettings
  readonly #clock: Pick<Clock, 'now'>
  readonly #keys: readonly TokenKey[]
  readonly #verified = new Lru<string, Bearer>(verifiedCharsMax)

  /** @throws {RangeError} If a key cannot be read; whoever read the files has checked them with `readTokenKeys`. */
  constructor(settings: TokenSettings, clock: Pick<Clock, 'now'>) {
    const keys = readTokenKeys(settings)
    if (!keys.ok) throw new RangeError(keys.error)
    this.#settings = settings
    this.#clock = clock
    this.#keys = keys.value
  }

  /** Whether `verify` only has to look: for a token that it verified before. */
  knows(token: string): boolean {
    return this.#verified.get(token) !== undefined
  }

  /** Checks a token. The answer is there at once for a known token, and for text that cannot be one. Never rejects for a bad token. */
  verify(token: string): Awaitable<Verified> {
    const known = this.#verified.get(token)
    if (known !== undefined) return this.#clock.now() < known.expiresMs ? ok(known) : err(EXPIRED)
    if (token.length > tokenCharsMax) return fault('too-long', `the token has more than ${tokenCharsMax} characters`)
    const candidates = COMPACT.test(token) ? this.#candidatesFor(token) : undefined
    if (candidates === undefined) return fault('malformed', 'the token is no signed JWT in compact form')
    return this.#tryKeys(token, candidates)
  }

  /** The keys that may have signed a token. Undefined if its header cannot be read. */
  #candidatesFor(token: string): readonly TokenKey[] | undefined {
    try {
      const { alg, kid } = decodeProtectedHeader(token)
      return this.#keys.filter(({ algorithm, id }) => algorithm === alg && (kid === undefined || id === undefined || id === kid))
    } catch (failure) {
      if (failure instanceof TypeError || failure instanceof JOSEError) return undefined
      throw failure
    }
  }

  async #tryKeys(token: string, candidates: readonly TokenKey[]): Promise<Verified> {
    for (const candidate of candidates) {
      const payload = await this.#payloadOf(token, candidate)
      if (payload === undefined) continue
      const bearer = payload.ok ? this.#bearerOf(payload.value) : payload
      if (bearer.ok) this.#verified.set(token, bearer.value, token.length)
      return bearer
    }
    return candidates.length === 0
      ? fault('unknown-key', 'the node has no key for the algorithm and kid of the token')
      : fault('bad-signature', 'no key of the node has signed the token')
  }

  /** The claims of a token that this key has signed. Undefined if it has not. */
  async #payloadOf(token: string, { algorithm, key }: TokenKey): Promise<Result<JWTPayload, TokenFault> | undefined> {
    const { issuer, audience } = this.#settings
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: [algorithm],
        requiredClaims: ['exp'],
        clockTolerance: clockToleranceS,
        currentDate: new Date(this.#clock.now()),
        ...(issuer === undefined ? {} : { issuer }),
        ...(audience === undefined ? {} : { audience }),
      })
      return ok(payload)
    } catch (failure) {
      if (failure instanceof JWSSignatureVerificationFailed) return undefined
      if (failure instanceof JWTExpired) return err(EXPIRED)
      if (failure instanceof JWTClaimValidationFailed) return claimFault(failure)
      if (failure instanceof JOSEError) return fault('malformed', `the token is not valid: ${failure.code}`)
      throw failure
    }
  }

  #bearerOf({ exp = 0, iat, account = undefined, sub }: JWTPayload): Verified {
    const nowS = this.#clock.now() / 1_000
    const { lifetimeS } = this.#settings
    if (iat !== undefined && iat > nowS + clockToleranceS)
      return fault('not-yet-valid', 'the token was issued in the future (iat): compare the clocks')
    // Counted from now too, because the issuer chooses iat.
    if (exp - Math.min(iat ?? nowS, nowS) > lifetimeS + clockToleranceS)
      return fault(
        'lifetime-too-long',
        `the token lives longer than the ${lifetimeS} s that this node accepts (rpc.token-lifetime-seconds)`,
      )
    const named = account ?? sub
    if (typeof named !== 'string' || !ADDRESS.test(named))
      return fault('no-account', 'neither the claim account nor sub is an address')
    return ok({ account: Address(named), expiresMs: (exp + clockToleranceS) * 1_000 })
  }
}

function claimFault({ claim }: JWTClaimValidationFailed): Result<never, TokenFault> {
  switch (claim) {
    case 'iss':
      return fault('wrong-issuer', 'the claim iss is not what this node accepts (rpc.token-issuer)')
    case 'aud':
      return fault('wrong-audience', 'the claim aud is not what this node accepts (rpc.token-audience)')
    case 'nbf':
      return fault('not-yet-valid', 'the token is not valid yet (nbf): compare the clocks')
    default:
      return fault('malformed', `the claim ${claim.slice(0, 20)} is missing or invalid`)
  }
}
