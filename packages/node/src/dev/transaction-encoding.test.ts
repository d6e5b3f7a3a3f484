import {
  Address,
  bytesToHex,
  nobleCrypto as crypto,
  decodeTransaction,
  Hash,
  recoverSender,
  type Transaction,
  unwrap,
  Wei,
} from '@quoin/protocol'
import fc from 'fast-check'
import { privateKeyToAccount } from 'viem/accounts'
import { expect, it } from 'vitest'
import { createInlineRecovery } from '../crypto/recovery.ts'
import { impersonatedSender, impersonatedSignature, withImpersonation } from './impersonation.ts'
import { encodeTransaction, signingPreimage, type UnsignedTransaction } from './transaction-encoding.ts'

const CHAIN_ID = 31_337
const secretKey = new Uint8Array(32).fill(7)
const account = privateKeyToAccount(bytesToHex(secretKey))

const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const address = bytesOf(20).map((bytes) => Address(bytes))
const wei = fc.bigInt(0n, 2n ** 128n).map(Wei)
const accessList = fc.array(
  fc.record({
    address,
    storageKeys: fc.array(
      bytesOf(32).map((bytes) => Hash(bytes)),
      { maxLength: 2 },
    ),
  }),
  { maxLength: 2 },
)

const transaction = fc
  .record({
    type: fc.constantFrom(0 as const, 1 as const, 2 as const),
    nonce: fc.nat(),
    maxFeePerGas: wei,
    maxPriorityFeePerGas: wei,
    gasLimit: fc.nat(),
    to: fc.option(address, { nil: undefined }),
    value: wei,
    data: fc.uint8Array({ maxLength: 100 }),
    accessList,
  })
  .map((fields): UnsignedTransaction => {
    const { type, maxFeePerGas, maxPriorityFeePerGas } = fields
    const tip = type === 2 ? (maxPriorityFeePerGas < maxFeePerGas ? maxPriorityFeePerGas : maxFeePerGas) : maxFeePerGas
    const list = type === 0 ? [] : fields.accessList
    return { ...fields, chainId: CHAIN_ID, maxPriorityFeePerGas: tip, accessList: list } as unknown as UnsignedTransaction
  })

/** The fields that a sender decides. */
const unsigned = ({ yParity, signature, hash, signingHash, raw, ...fields }: Transaction) => fields

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

it('marks transactions in the name of others so that their senders are known, and no two of them equal', async () => {
  const recovery = withImpersonation(createInlineRecovery(crypto))
  await fc.assert(
    fc.asyncProperty(transaction, fc.uniqueArray(address, { minLength: 2, maxLength: 4 }), async (fields, senders) => {
      const own = encodeTransaction(fields, crypto.sign(crypto.keccak256(signingPreimage(fields)), secretKey))
      const marked = senders.map((sender) => encodeTransaction(fields, { signature: impersonatedSignature(sender), yParity: 0 }))
      const decoded = [marked[0]!, own, ...marked.slice(1)].map((raw) => unwrap(decodeTransaction(crypto, CHAIN_ID, raw)))
      expect(new Set(decoded.map(({ hash }) => hash)).size).toBe(decoded.length)
      expect(decoded.map(({ signature }) => impersonatedSender(signature))).toEqual([senders[0], undefined, ...senders.slice(1)])
      const recovered = unwrap(await recovery.recoverSenders(decoded))
      expect(recovered).toEqual([senders[0], account.address.toLowerCase(), ...senders.slice(1)])
      // No key makes such a signature: without the dev node it has no sender.
      for (const { signingHash, signature } of decoded.filter((_, i) => i !== 1))
        for (const yParity of [0, 1] as const) expect(crypto.recover(signingHash, signature, yParity)).toBeUndefined()
    }),
    { numRuns: 20 },
  )
})
