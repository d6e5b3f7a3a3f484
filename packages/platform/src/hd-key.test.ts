import { nobleCrypto as crypto } from '@quoin/protocol'
import fc from 'fast-check'
import { HDKey, mnemonicToAccount } from 'viem/accounts'
import { describe, expect, it } from 'vitest'
import { DEVELOPMENT_MNEMONIC, developmentAccounts } from './development-accounts.ts'
import { childKey, HARDENED, rootKey } from './hd-key.ts'

describe('derived keys', () => {
  it("are those of a wallet's library", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 16, maxLength: 64 }),
        fc.nat(HARDENED - 1),
        fc.nat(HARDENED - 1),
        (seed, first, second) => {
          const ours = childKey(crypto, childKey(crypto, rootKey(seed), HARDENED + first), second)
          const { privateKey } = HDKey.fromMasterSeed(seed).derive(`m/${first}'/${second}`)
          expect(ours.secretKey).toEqual(privateKey)
        },
      ),
      { numRuns: 10 },
    )
  })

  it('are the accounts of anvil and Hardhat', () => {
    const accounts = developmentAccounts(crypto, 12)
    expect(accounts).toHaveLength(12)
    for (const index of [0, 9, 11]) {
      const { address } = mnemonicToAccount(DEVELOPMENT_MNEMONIC, { addressIndex: index })
      expect(accounts[index]?.address).toBe(address.toLowerCase())
    }
  })
})
