import { createInlineRecovery } from '@quoin/node/crypto'
import {
  bytesToHex,
  nobleCrypto as crypto,
  decodeTransaction,
  encodeTransaction,
  signingHash,
  signingPreimage,
  unwrap,
} from '@quoin/protocol'
import fc from 'fast-check'
import { privateKeyToAccount } from 'viem/accounts'
import { expect, it } from 'vitest'
import { address, CHAIN_ID, transaction } from '../../../protocol/test/unsigned-transactions.ts'
import { impersonatedSender, impersonatedSignature, withImpersonation } from './impersonation.ts'

const secretKey = new Uint8Array(32).fill(7)
const account = privateKeyToAccount(bytesToHex(secretKey))

it('marks transactions in the name of others so that their senders are known, and no two of them equal', async () => {
  const recovery = withImpersonation(createInlineRecovery(crypto))
  await fc.assert(
    fc.asyncProperty(transaction, fc.uniqueArray(address, { minLength: 2, maxLength: 4 }), async (fields, senders) => {
      const own = encodeTransaction(fields, crypto.sign(crypto.keccak256(signingPreimage(fields)), secretKey))
      const marked = senders.map((sender) => encodeTransaction(fields, { signature: impersonatedSignature(sender), yParity: 0 }))
      const decoded = [marked[0]!, own, ...marked.slice(1)].map((raw) => unwrap(decodeTransaction(crypto, CHAIN_ID, raw)))
      expect(new Set(decoded.map(({ hash }) => hash)).size).toBe(decoded.length)
      expect(decoded.map(({ signature }) => impersonatedSender(signature))).toEqual([senders[0], undefined, ...senders.slice(1)])
      const signatures = decoded.map((one) => ({ ...one, signingHash: signingHash(crypto, one) }))
      const recovered = unwrap(await recovery.recoverSenders(signatures))
      expect(recovered).toEqual([senders[0], account.address.toLowerCase(), ...senders.slice(1)])
      // No key can make this signature: only the development node finds a sender in it.
      for (const { signingHash, signature } of signatures.filter((_, i) => i !== 1))
        for (const yParity of [0, 1] as const) expect(crypto.recover(signingHash, signature, yParity)).toBeUndefined()
    }),
    { numRuns: 20 },
  )
})
