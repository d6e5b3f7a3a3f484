import { formatUnits, parseUnits } from 'viem'
import { PEOPLE } from '../../scripts/accounts.mjs'
import { PARTIES } from './acting.tsx'

const CENTS = 2

/** `1234.50` of cents. */
export const money = (cents: bigint): string => {
  const [whole, rest = ''] = formatUnits(cents, CENTS).split('.')
  return `${whole!.replace(/\B(?=(\d{3})+$)/g, ' ')}.${rest.padEnd(CENTS, '0')}`
}

/** Cents of a text such as `12.5`; undefined if it is no amount. */
export const centsOf = (text: string): bigint | undefined =>
  /^\d{1,12}(\.\d{1,2})?$/.test(text.trim()) ? parseUnits(text.trim(), CENTS) : undefined

/** Day of a time in seconds. */
export const day = (seconds: bigint): string => new Date(Number(seconds) * 1_000).toISOString().slice(0, 10)

/** `2:05 min`, `3 h`, `12 d`. */
export function duration(seconds: number): string {
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')} min`
  return seconds < 2 * 86_400 ? `${Math.floor(seconds / 3_600)} h` : `${Math.floor(seconds / 86_400)} d`
}

export function nameOf(organisation: bigint | number): string {
  const party = PARTIES.find((one) => PEOPLE[one].organisation === Number(organisation))
  return party === undefined ? `Organisation ${organisation}` : PEOPLE[party].name
}
