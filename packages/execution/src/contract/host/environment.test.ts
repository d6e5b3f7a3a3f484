import { Address } from '@quoin/protocol'
import { getAddress } from 'viem'
import { describe, expect, it } from 'vitest'
import { frameOf, GAS, gasOf, refusalOf, SELF, SENDER, valueOf } from '../../../test/guest.ts'
import { gasLeftOf } from '../../ticks.ts'

describe('the environment', () => {
  const frame = frameOf()

  it('is what the frame holds, integers as bigints and addresses with their checksum', () => {
    expect(valueOf('[quoin.sender, quoin.value, quoin.self, quoin.chainId]', frame)).toEqual([
      getAddress(SENDER),
      5n,
      getAddress(SELF),
      7357n,
    ])
    const { number, timestamp, milliseconds, proposer, gasLimit, baseFee } = valueOf('quoin.block', frame) as never
    expect({ number, timestamp, milliseconds, proposer, gasLimit, baseFee }).toEqual({
      number: 12n,
      timestamp: 1_700_000_000n,
      milliseconds: 1_700_000_000_123n,
      proposer: getAddress(frame.block.proposer),
      gasLimit: 60_000_000n,
      baseFee: 7n,
    })
  })

  it('has the checksum of every address', () => {
    for (let i = 1; i < 40; i++) {
      const sender = Address(`0x${(0x9e3779b97f4a7c15n ** BigInt(i)).toString(16).slice(0, 40).padStart(40, 'a')}`)
      expect(valueOf('quoin.sender', frameOf({ sender }))).toBe(getAddress(sender))
    }
  })

  it('counts the gas that is left', () => {
    const [before, after] = valueOf(
      '[quoin.gasLeft, quoin.keccak256(new Uint8Array(1000)), quoin.gasLeft].filter((v) => typeof v === "bigint")',
      frame,
    ) as bigint[]
    expect(after).toBeLessThan(before! - 500n)
    expect(before).toBeLessThan(BigInt(gasLeftOf(GAS)))
    expect(before).toBeGreaterThan(BigInt(gasLeftOf(GAS)) - 20_000n)
  })

  it('is read without a call, and cannot be replaced', () => {
    expect(refusalOf('quoin.sender()', frame)).toBe('not a function')
    for (const name of ['sender', 'load', 'keccak256']) {
      expect(refusalOf(`(() => { 'use strict'; quoin.${name} = 1 })()`, frame), name).not.toBe('')
      expect(refusalOf(`Object.defineProperty(quoin, '${name}', { value: 1 })`, frame), name).not.toBe('')
    }
    expect(refusalOf('(() => { "use strict"; quoin.more = 1 })()', frame)).toBe('object is not extensible')
    expect(refusalOf('(() => { "use strict"; globalThis.quoin = 1 })()', frame)).toContain('read-only')
    expect(refusalOf('(() => { "use strict"; quoin.load.prototype = 1 })()', frame)).toBe('object is not extensible')
  })

  it('costs the same whether an address is known or not', () => {
    const [first, again] = [1, 2].map(() => gasOf('quoin.sender', frameOf({ sender: Address(new Uint8Array(20).fill(0x3c)) })))
    expect(first).toBe(again)
  })
})
