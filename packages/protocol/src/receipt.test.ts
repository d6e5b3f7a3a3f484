import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as any from '../test/arbitraries.ts'
import { checkRoundTrip, checkStrict } from '../test/codec-laws.ts'
import { Address, bytesToHex, Hash } from './bytes.ts'
import { decode, encode } from './codec.ts'
import { LIMITS } from './limits.ts'
import { merkleRoot } from './merkle.ts'
import { nobleCrypto as crypto } from './noble.ts'
import { Gas } from './numbers.ts'
import { logCodec, type Receipt, receiptCodec, receiptsCodec, receiptsRoot } from './receipt.ts'

const address = (byte: number) => Address(new Uint8Array(20).fill(byte))
const receipt: Receipt = {
  status: 1,
  gasUsed: Gas(21_000),
  cumulativeGasUsed: Gas(42_000),
  logs: [{ address: address(1), topics: [Hash(new Uint8Array(32).fill(2))], data: Uint8Array.of(3) }],
  errorData: new Uint8Array(0),
  contractAddress: address(4),
  payer: address(5),
}

describe('a receipt', () => {
  it('is its fields in order', () => {
    const log = `${'01'.repeat(20)}00000001${'02'.repeat(32)}0000000103`
    expect(bytesToHex(encode(receiptCodec, receipt))).toBe(
      `0x01${'0000000000005208'}${'000000000000a410'}00000001${log}${'00000000'}01${'04'.repeat(20)}${'05'.repeat(20)}`,
    )
  })

  it('round-trips, in one encoding', () => {
    fc.assert(fc.property(any.receipt, (value) => void checkRoundTrip(receiptCodec, value)))
    checkStrict(receiptCodec, encode(receiptCodec, receipt))
    checkStrict(receiptsCodec, encode(receiptsCodec, [receipt, { ...receipt, contractAddress: undefined }]))
    checkStrict(logCodec, encode(logCodec, receipt.logs[0]!))
  })

  it('keeps to its limits both ways', () => {
    const log = receipt.logs[0]!
    const hash = log.topics[0]!
    const most = {
      status: { ...receipt, status: 1 as const },
      topics: { ...receipt, logs: [{ ...log, topics: Array(LIMITS.logTopicsMax).fill(hash) as Hash[] }] },
      data: { ...receipt, logs: [{ ...log, data: new Uint8Array(LIMITS.logDataBytesMax) }] },
      logs: { ...receipt, logs: Array.from({ length: LIMITS.logsPerReceiptMax }, () => log) },
      errorData: { ...receipt, errorData: new Uint8Array(LIMITS.errorDataBytesMax) },
    }
    const tooMuch = {
      status: { ...receipt, status: 2 as never },
      topics: { ...receipt, logs: [{ ...log, topics: Array(LIMITS.logTopicsMax + 1).fill(hash) as Hash[] }] },
      data: { ...receipt, logs: [{ ...log, data: new Uint8Array(LIMITS.logDataBytesMax + 1) }] },
      logs: { ...receipt, logs: Array.from({ length: LIMITS.logsPerReceiptMax + 1 }, () => log) },
      errorData: { ...receipt, errorData: new Uint8Array(LIMITS.errorDataBytesMax + 1) },
    }
    for (const [name, value] of Object.entries(most))
      expect(decode(receiptCodec, encode(receiptCodec, value)).ok, name).toBe(true)
    for (const [name, value] of Object.entries(tooMuch)) expect(() => encode(receiptCodec, value), name).toThrow(RangeError)
    expect(decode(receiptCodec, encode(receiptCodec, receipt).with(0, 2)).ok).toBe(false)
  })
})

describe('receiptsRoot', () => {
  it('is the Merkle root of the encodings, so every field is committed', () => {
    fc.assert(
      fc.property(fc.array(any.receipt, { maxLength: 9 }), (receipts) => {
        expect(receiptsRoot(crypto, receipts)).toEqual(
          merkleRoot(
            crypto,
            receipts.map((value) => encode(receiptCodec, value)),
          ),
        )
      }),
      { numRuns: 30 },
    )
    fc.assert(
      fc.property(any.receipt, any.receipt, fc.constantFrom(...(Object.keys(receipt) as (keyof Receipt)[])), (a, b, name) => {
        const changed: Receipt = { ...a, [name]: b[name] }
        const same = bytesToHex(encode(receiptCodec, changed)) === bytesToHex(encode(receiptCodec, a))
        expect(bytesToHex(receiptsRoot(crypto, [changed])) === bytesToHex(receiptsRoot(crypto, [a]))).toBe(same)
      }),
    )
  })
})
