import { nobleCrypto } from '@quoin/protocol'
import { toHex } from 'viem'
import { mnemonicToAccount, privateKeyToAccount } from 'viem/accounts'
import { expect, it } from 'vitest'
import { testAccounts } from '../../src/testing/accounts.ts'
import { createChain } from '../../src/testing/index.ts'

it('are those that anvil, Hardhat and viem derive from the mnemonic', async () => {
  const accounts = testAccounts(nobleCrypto, 12)
  for (const [addressIndex, { address, privateKey }] of accounts.entries()) {
    const account = mnemonicToAccount('test test test test test test test test test test test junk', { addressIndex })
    expect([address, privateKey]).toEqual([account.address, toHex(account.getHdKey().privateKey!)])
  }
  expect(testAccounts(nobleCrypto, 2)).toEqual(accounts.slice(0, 2))
  const { accounts: addresses, privateKeys } = await createChain()
  expect(privateKeyToAccount(privateKeys[9]).address).toBe(addresses[9])
})
