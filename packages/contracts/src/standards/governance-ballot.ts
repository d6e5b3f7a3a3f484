/**
 * What is fixed when a proposal is made: the rules that hold then, and the votes of the block before. Heights, seconds since 1970, votes, ten
 * thousandths.
 */
export interface Ballot {
  readonly height: bigint
  readonly closesAt: bigint
  readonly dueAt: bigint
  readonly expiresAt: bigint
  /** Votes of all organisations that may vote. */
  readonly total: bigint
  /** 0 for the emergency path, which has none. */
  readonly quorum: bigint
  readonly threshold: bigint
}

/** One word instead of seven: each vote reads it, and one word costs a third of a struct. Lowest bits first. */
const FIELDS: readonly (readonly [name: keyof Ballot, bits: bigint])[] = [
  ['height', 48n],
  ['closesAt', 48n],
  ['dueAt', 48n],
  ['expiresAt', 48n],
  // 256 organisations with 1,000,000 votes each need 28 bits.
  ['total', 32n],
  ['quorum', 16n],
  ['threshold', 16n],
]

/** The ballot as a word; never 0. */
export function packBallot(ballot: Ballot): bigint {
  let [word, shift] = [0n, 0n]
  for (const [name, bits] of FIELDS) {
    const field = ballot[name]
    if (field < 0n || field >> bits !== 0n) throw new RangeError(`${name} does not fit: ${field}`)
    word |= field << shift
    shift += bits
  }
  return word
}

export function unpackBallot(word: bigint): Ballot {
  const ballot: Partial<Record<keyof Ballot, bigint>> = {}
  let rest = word
  for (const [name, bits] of FIELDS) {
    ballot[name] = BigInt.asUintN(Number(bits), rest)
    rest >>= bits
  }
  return ballot as Ballot
}

/** A proposal passes by the emergency path, or not at all. */
export const isEmergency = ({ quorum }: Ballot): boolean => quorum === 0n
