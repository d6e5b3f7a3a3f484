import type { Crypto } from './crypto.ts'

export type HashPairs = Crypto['hashPairs']

const PAIR_BYTES = 64
const DIGEST_BYTES = 32

/** Checks sizes before a library writes: throws RangeError unless `input` holds `count` pairs and `output` has room for as many digests. */
export function strictHashPairs(hashPairs: HashPairs): HashPairs {
  return (input, output, count) => {
    if (!Number.isSafeInteger(count) || count < 0 || input.length < PAIR_BYTES * count || output.length < DIGEST_BYTES * count) {
      throw new RangeError(`${count} pairs do not fit an input of ${input.length} and an output of ${output.length} bytes`)
    }
    if (count > 0) hashPairs(input, output, count)
  }
}

/** One digest after the other, in order, so that the output may overwrite the pairs that are done. */
export const hashPairsBy = (sha256: Crypto['sha256']): HashPairs =>
  strictHashPairs((input, output, count) => {
    for (let i = 0; i < count; i++) {
      output.set(sha256(input.subarray(PAIR_BYTES * i, PAIR_BYTES * (i + 1))), DIGEST_BYTES * i)
    }
  })
