import fc from 'fast-check'
import { privateKeyToAccount } from 'viem/accounts'
import { expect, it } from 'vitest'
import { CHAIN_ID, transaction } from '../test/unsigned-transactions.ts'
import { bytesToHex } from './bytes.ts'
import { nobleCrypto as crypto } from './noble.ts'
import { unwrap } from './result.ts'
import { decodeTransaction, recoverSender, type Transaction } from './transaction.ts'
import { encodeTransaction, signingPreimage } from './transaction-encoding.ts'

const secretKey = new Uint8Array(32).fill(7)
const account = privateKeyToAccount(bytesToHex(secretKey))

/** The fields that a sender decides. */
const unsigned = ({ yParity, signature, hash, raw, ...fields }: Transaction) => fields

it('encodes and signs as viem does, and reads back', async () => {
  await fc.assert(
    fc.asyncProperty(transaction, async (fields) => {
      const raw = encodeTransaction(fields, crypto.sign(crypto.keccak256(signingPreimage(fields)), secretKey))
      const decoded = unwrap(decodeTransaction(crypto, CHAIN_ID, raw))
      expect(unsigned(decoded)).toEqual(fields)
      expect(recoverSender(crypto, decoded)).toBe(account.address.toLowerCase())
      const { type, chainId, nonce, gasLimit, to, value, data, maxFeePerGas, maxPriorityFeePerGas } = fields
      const prices = type === 2 ? { maxFeePerGas, maxPriorityFeePerGas } : { gasPrice: maxFeePerGas }
      const signed = await account.signTransaction({
        ...{ chainId, nonce, value, ...prices },
        ...(type === 0 ? {} : { accessList: fields.accessList }),
        type: (['legacy', 'eip2930', 'eip1559'] as const)[type],
        gas: BigInt(gasLimit),
        data: bytesToHex(data),
        ...(to === undefined ? {} : { to }),
      } as Parameters<typeof account.signTransaction>[0])
      expect(bytesToHex(raw)).toBe(signed)
    }),
    { numRuns: 30 },
  )
})
