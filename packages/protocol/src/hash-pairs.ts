import type { Crypto } from './crypto.ts'

export type HashPairs = Crypto['hashPairs']

const PAIR_BYTES = 64
const DIGEST_BYTES = 32

/**
 * Wraps an implementation of `Crypto.hashPairs` with a check of the sizes. The result throws RangeError unless `input` has at least `count`
 * pairs and `output` has room for `count` digests.
 */
export function strictHashPairs(hashPairs: HashPairs): HashPairs {
  return (input, output, count) => {
    if (!Number.isSafeInteger(count) || count < 0 || input.length < PAIR_BYTES * count || output.length < DIGEST_BYTES * count) {
      throw new RangeError(
        `${count} pairs of 64 bytes do not fit an input of ${input.length} and an output of ${output.length} bytes`,
      )
    }
    if (count > 0) hashPairs(input, output, count)
  }
}

/**
 * Makes `Crypto.hashPairs` of a SHA-256 function. Hashes one pair after the other in order, so that the output may overwrite pairs that are
 * already hashed.
 */
export const hashPairsBy = (sha256: Crypto['sha256']): HashPairs =>
  strictHashPairs((input, output, count) => {
    for (let i = 0; i < count; i++) {
      output.set(sha256(input.subarray(PAIR_BYTES * i, PAIR_BYTES * (i + 1))), DIGEST_BYTES * i)
    }
  })
