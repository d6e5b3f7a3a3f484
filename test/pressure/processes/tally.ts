import type { Tally } from '../messages.ts'

/** Outcomes beyond this number count as `other`: a node's texts must not fill the attacker's memory. */
const NAMES_MAX = 24
const ANSWER = /"error":\{"code":(-?\d+),"message":"([^"]{0,60})/g

/** Counts the outcomes of an attack's calls. */
export class TallyBook {
  readonly #counts = new Map<string, number>()

  add(name: string, count = 1): void {
    if (count === 0) return
    const key = this.#counts.has(name) || this.#counts.size < NAMES_MAX ? name : 'other'
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + count)
  }

  /** Counts the answers in a piece of JSON: refusals by code and message. Returns the number of refusals. */
  addRefusals(text: string): number {
    let refusals = 0
    for (const [, code, message] of text.matchAll(ANSWER)) {
      // Numbers differ between refusals of one kind.
      this.add(`${code} ${message!.replaceAll(/0x[0-9a-f]+|\d[\d.]*/g, '#').slice(0, 40)}`)
      refusals++
    }
    return refusals
  }

  get(): Tally {
    return Object.fromEntries([...this.#counts].sort(([, a], [, b]) => b - a))
  }
}
