import { bytesToHex } from '@quoin/protocol'
import { encodeErrorResult, parseAbi } from 'viem'
import { describe, expect, it } from 'vitest'
import { abiOf, errorOf, frameOf, refusalOf, runFunction, valueOf } from '../../../test/guest.ts'

const ITEMS = [
  'error InsufficientBalance(uint256 have, uint256 need)',
  'error Odd(address who, string text, bytes data, (uint8 a, bool b)[] list)',
  'error Plain()',
  'error Twice(uint8)',
  'error Twice(bool)',
  'error Large(bytes)',
] as const
const abi = abiOf(...ITEMS)
const viemAbi = parseAbi(ITEMS)
const WHO = '0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045'

describe('revert', () => {
  it('throws an error of that name, whose data is what viem encodes', () => {
    const error = errorOf('quoin.revert("InsufficientBalance", 1n, 2n)', frameOf({ abi }))
    expect(error).toMatchObject({ name: 'InsufficientBalance', message: 'InsufficientBalance(1, 2)' })
    expect(bytesToHex(error.data!)).toBe(encodeErrorResult({ abi: viemAbi, errorName: 'InsufficientBalance', args: [1n, 2n] }))
    const odd = errorOf(
      'quoin.revert("Odd", values[0], "ä\\n", Uint8Array.of(1, 255), [{ a: 7n, b: true }])',
      frameOf({ abi }),
      WHO,
    )
    expect(odd.message).toBe(`Odd(${WHO}, "ä\\n", 0x01ff, [{7, true}])`)
    expect(bytesToHex(odd.data!)).toBe(
      encodeErrorResult({ abi: viemAbi, errorName: 'Odd', args: [WHO, 'ä\n', '0x01ff', [{ a: 7, b: true }]] }),
    )
    expect(errorOf('quoin.revert("Plain")', frameOf({ abi })).data).toHaveLength(4)
    expect(errorOf('quoin.revert("Twice(bool)", true)', frameOf({ abi })).message).toBe('Twice(true)')
  })

  it('can be caught, and says where it was thrown', () => {
    const frame = frameOf({ abi })
    const source = `export default {
      functions: {
        run() {
          try { quoin.revert('Plain') } catch (error) { return [error instanceof Error, error.name, error.data.length] }
        },
      },
    }`
    expect(runFunction(source, frame)).toMatchObject({ kind: 'return', value: [true, 'Plain', 4] })
    expect(errorOf('quoin.revert("Plain")', frame).stack).toContain('contract.js:1')
  })

  it('is for pure functions too', () => {
    expect(errorOf('quoin.revert("Plain")', frameOf({ abi, access: 'pure' })).name).toBe('Plain')
  })

  it('refuses errors that are not in the ABI, and values that do not fit', () => {
    const refusal = (expression: string, given = abi) => {
      const error = errorOf(expression, frameOf({ abi: given }))
      expect(error).toMatchObject({ name: expression.includes('Symbol') ? 'TypeError' : 'Error' })
      expect(error.data).toBeUndefined()
      return error.message
    }
    expect(refusal('quoin.revert("no balance")')).toContain(
      'revert: the abi has no error no balance; it has InsufficientBalance(uint256,uint256), Odd(',
    )
    expect(refusal('quoin.revert("A")', [])).toBe('revert: the abi has no errors')
    expect(refusal('quoin.revert("Twice", 1n)')).toBe(
      'revert: several errors have this name: Twice(uint8), Twice(bool); use the full signature',
    )
    expect(refusal('quoin.revert("Plain", 1n)')).toBe('revert: 1 values, expected 0')
    expect(refusal('quoin.revert("Twice(uint8)", 256n)')).toBe('revert: [0]: the integer is out of range for uint8')
    expect(refusal('quoin.revert("Plain", Symbol())')).toContain('argument 2')
    expect(refusal('quoin.revert("Large", new Uint8Array(961))')).toBe(
      "revert: the error's data takes 1060 bytes, at most 1024 are allowed",
    )
    expect(refusal('quoin.revert("InsufficientBalance", ...Array(71).fill(1n))')).toBe('revert: 71 values, expected 2')
  })

  it('has a text of bounded length', () => {
    const error = errorOf('quoin.revert("Large", new Uint8Array(928))', frameOf({ abi }))
    expect(error.message).toHaveLength(1024)
    expect(error.data).toHaveLength(996)
    expect(refusalOf('quoin.revert("x".repeat(9999))', frameOf({ abi })).length).toBeLessThanOrEqual(1024)
    expect(valueOf('1n', frameOf({ abi }))).toBe(1n)
  })
})
