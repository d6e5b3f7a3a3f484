import fc from 'fast-check'
import { Bloom } from 'ox'
import { keccak256 } from 'viem'
import { describe, expect, it } from 'vitest'
import * as any from '../test/arbitraries.ts'
import { addToBloom, BLOOM_BYTES, bloomBits, bloomMayContain, emptyBloom } from './bloom.ts'
import { Address, bytesToBigInt, bytesToHex, Hash, hexToBytes, utf8ToBytes } from './bytes.ts'
import { nobleCrypto as crypto } from './noble.ts'
import type { Log } from './receipt.ts'

/** Yellow paper, 4.3.1 (M3:2048): bit n, counted from the last, for the low 11 bits of each of the first three pairs of bytes. */
function modelBloom(logs: readonly Log[]): bigint {
  let bloom = 0n
  for (const item of logs.flatMap(({ address, topics }) => [address, ...topics])) {
    const digest = keccak256(item).slice(2)
    for (const pair of [0, 1, 2]) bloom |= 1n << BigInt(Number.parseInt(digest.slice(4 * pair, 4 * pair + 4), 16) % 2048)
  }
  return bloom
}

function bloomOf(logs: readonly Log[]): Uint8Array {
  const bloom = emptyBloom()
  addToBloom(crypto, bloom, logs)
  return bloom
}

const anyLogs = fc.array(any.log, { maxLength: 5 })

describe('the bloom', () => {
  it("is the yellow paper's", () => {
    fc.assert(
      fc.property(anyLogs, (logs) => {
        expect(bytesToBigInt(bloomOf(logs))).toBe(modelBloom(logs))
      }),
    )
    expect(emptyBloom()).toEqual(new Uint8Array(BLOOM_BYTES))
  })

  it("is go-ethereum's of a hundred items (core/types/bloom9_test.go, TestBloomExtensively)", () => {
    const bloom = emptyBloom()
    for (let i = 0; i < 100; i++) {
      const item = bytesToHex(utf8ToBytes(`xxxxxxxxxx data ${i} yyyyyyyyyyyyyy`))
      addToBloom(crypto, bloom, [{ address: item as Address, topics: [], data: new Uint8Array(0) }])
    }
    expect(keccak256(bloom)).toBe('0xc8d3ca65cdb4874300a9e39475508f23ed6da09fdbc487f89a2dcf50b09eb263')
  })

  it('contains what was added, as ox reads it, and not the data', () => {
    fc.assert(
      fc.property(anyLogs, any.hash, (logs, other) => {
        const bloom = bloomOf(logs)
        for (const { address, topics } of logs) {
          for (const item of [address, ...topics]) {
            expect(bloomMayContain(bloom, bloomBits(crypto, hexToBytes(item)))).toBe(true)
            expect(Bloom.contains(bytesToHex(bloom), item)).toBe(true)
          }
        }
        expect(bloomMayContain(bloom, bloomBits(crypto, hexToBytes(other)))).toBe(Bloom.contains(bytesToHex(bloom), other))
      }),
    )
    const data = new Uint8Array(32).fill(7)
    const log: Log = { address: Address(new Uint8Array(20)), topics: [], data }
    expect(bloomMayContain(bloomOf([log]), bloomBits(crypto, data))).toBe(false)
    expect(bloomMayContain(emptyBloom(), bloomBits(crypto, hexToBytes(Hash(data))))).toBe(false)
  })
})
