import {
  type Address,
  type Crypto,
  type Evidence,
  Hash,
  type Height,
  type Round,
  type SigningDomain,
  type Vote,
  voteDigest,
  voteEvidence,
} from '@quoin/protocol'
import type { TestValidators } from './chain.ts'

const block = (n: number) => Hash(new Uint8Array(32).fill(n))

/** Where a validator contradicts itself. */
export interface Contradiction {
  readonly validator: Address
  readonly height: number
  readonly round?: number
  /** Two numbers of blocks. */
  readonly values?: readonly [number, number]
}

/** Evidence of two prevotes, signed with the validator's key. */
export function testEvidence(
  crypto: Crypto,
  domain: SigningDomain,
  { secretKeys }: TestValidators,
  { validator, height, round = 0, values = [1, 2] }: Contradiction,
): Evidence {
  const [first, second] = values.map((value): Vote => {
    const unsigned = { kind: 'prevote', height: height as Height, round: round as Round, valueId: block(value) } as const
    const { signature } = crypto.sign(voteDigest(crypto, domain, unsigned), secretKeys.get(validator)!)
    return { ...unsigned, validator, signature }
  })
  return voteEvidence(first!, second!)
}
