import fc from 'fast-check'
import { getContractAddress } from 'viem'
import { describe, expect, it } from 'vitest'
import { Address } from './bytes.ts'
import { contractAddress } from './contract-address.ts'
import { nobleCrypto } from './noble.ts'
import { U32_MAX } from './numbers.ts'

describe('contractAddress', () => {
  it('is that of viem', () => {
    const nonces = fc.oneof(fc.constantFrom(0, 1, 127, 128, 255, 256, U32_MAX), fc.nat(U32_MAX))
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 20, maxLength: 20 }), nonces, (bytes, nonce) => {
        const from = Address(bytes)
        expect(contractAddress(nobleCrypto, from, nonce)).toBe(getContractAddress({ from, nonce: BigInt(nonce) }).toLowerCase())
      }),
    )
  })
})
