import { CommandError } from '@quoin/node/process'
import {
  CUSTOM_ROLE_BIT_MAX,
  CUSTOM_ROLE_BIT_MIN,
  type Hash,
  hasRoles,
  hexToBytes,
  idOfName,
  nameOfId,
  ROLE_NAMES,
  ROLES,
  SHORT_NAME_RULE,
} from '@quoin/protocol'

/** What people type and read: names of roles and members, times, numbers. */

/** Names of the consortium's own roles, by bit. */
export type RoleNames = ReadonlyMap<number, string>

const NO_ROLES = 'none'

/** Roles in words, separated by commas; `none` for none. */
export function rolesText(roles: number, own: RoleNames): string {
  const known = ROLE_NAMES.filter((role) => hasRoles(roles, ROLES[role]))
  const others = customBits.filter((bit) => hasRoles(roles, 2 ** bit))
  const ownNames = others.flatMap((bit) => own.get(bit) ?? [])
  return [...known, ...ownNames, ...runsOf(others.filter((bit) => !own.has(bit)))].join(',') || NO_ROLES
}

/** Bits without a name, in ascending order. Those that follow each other are one word, such as `bit16-bit31`. */
function runsOf(bits: readonly number[]): readonly string[] {
  const runs: [first: number, last: number][] = []
  for (const bit of bits) {
    const run = runs.at(-1)
    if (run !== undefined && run[1] === bit - 1) run[1] = bit
    else runs.push([bit, bit])
  }
  return runs.map(([first, last]) => (first === last ? `bit${first}` : `bit${first}-bit${last}`))
}

const customBits = Array.from({ length: CUSTOM_ROLE_BIT_MAX - CUSTOM_ROLE_BIT_MIN + 1 }, (_, i) => CUSTOM_ROLE_BIT_MIN + i)

/**
 * Reads roles: names of the protocol's, names that the chain has, `bit16` to `bit31`, or `none`.
 *
 * @throws CommandError for a word that is no role
 */
export function parseRoles(text: string, own: RoleNames, option = '--roles'): number {
  if (text === NO_ROLES) return 0
  const bits = text.split(',').map((given) => {
    const word = given.trim()
    const role = ROLE_NAMES.find((name) => name === word)
    if (role !== undefined) return ROLES[role]
    const bit = customBits.find((number) => own.get(number) === word)
    if (bit !== undefined) return 2 ** bit
    const run = maskOfRun(word)
    if (run !== undefined) return run
    const names = [...ROLE_NAMES, ...own.values()].join(', ')
    throw new CommandError(
      `${option}: there is no role ${JSON.stringify(word)}. Roles are ${names}, bit${CUSTOM_ROLE_BIT_MIN} to bit${CUSTOM_ROLE_BIT_MAX}, or ${NO_ROLES}; separate them by commas`,
    )
  })
  return bits.reduce((roles, bit) => (roles | bit) >>> 0, 0)
}

/** The bits of `bit16` or `bit16-bit31`; undefined for any other word. */
function maskOfRun(word: string): number | undefined {
  const match = /^bit(\d{2})(?:-bit(\d{2}))?$/.exec(word)
  if (match === null) return undefined
  const [first, last] = [Number(match[1]), Number(match[2] ?? match[1])]
  if (first < CUSTOM_ROLE_BIT_MIN || last > CUSTOM_ROLE_BIT_MAX || first > last) return undefined
  return customBits.filter((bit) => bit >= first && bit <= last).reduce((mask, bit) => (mask | (2 ** bit)) >>> 0, 0)
}

/** The id of a short name. */
export function parseId(name: string, what: string): Uint8Array {
  const id = idOfName(name)
  if (id === undefined) throw new CommandError(`${what} ${JSON.stringify(name)} is not a short name: ${SHORT_NAME_RULE}`)
  return hexToBytes(id)
}

/** The short name of an id; the id itself if it is none, and `-` for the zero id. */
export const idText = (id: Hash): string => nameOfId(id) ?? (/^0x0+$/.test(id) ? '-' : id)

export function parseAddress(text: string, what: string): string {
  if (!/^0x[0-9a-fA-F]{40}$/.test(text))
    throw new CommandError(`${what}: ${JSON.stringify(text)} is not an address: 0x and 40 hex digits`)
  return text.toLowerCase()
}

/** An integer in decimal digits. */
export function parseWhole(text: string, what: string, min: bigint, max: bigint): bigint {
  const value = /^\d{1,78}$/.test(text) ? BigInt(text) : undefined
  if (value === undefined || value < min || value > max)
    throw new CommandError(`${what}: ${JSON.stringify(text)} must be an integer from ${min} to ${max}`)
  return value
}

const NEVER = 'never'
const DATE = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?Z)?$/

/** Seconds since 1970: an ISO date (midnight UTC) or time in UTC, seconds, or `never`, which is 0. */
export function parseExpiry(text: string): bigint {
  if (text === NEVER) return 0n
  const ms = DATE.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(ms) && ms > 0) return BigInt(Math.floor(ms / 1_000))
  if (/^\d{1,16}$/.test(text)) return parseWhole(text, '--expires', 1n, BigInt(Number.MAX_SAFE_INTEGER))
  throw new CommandError(
    `--expires: ${JSON.stringify(text)} must be a date such as 2027-01-31, a time such as 2027-01-31T12:00:00Z, seconds since 1970, or never`,
  )
}

const MS_MAX = 8_640_000_000_000_000

export function expiryText(seconds: number): string {
  if (seconds === 0) return NEVER
  return seconds * 1_000 > MS_MAX ? String(seconds) : new Date(seconds * 1_000).toISOString().replace('.000Z', 'Z')
}
