import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as any from '../test/arbitraries.ts'
import { checkRoundTrip, checkStrict } from '../test/codec-laws.ts'
import { bytesToHex } from './bytes.ts'
import { decode, encode } from './codec.ts'
import { LIMITS } from './limits.ts'
import { Gas, Wei } from './numbers.ts'
import {
  type ChainParameters,
  DEFAULT_PARAMETERS,
  FEE_POLICIES,
  PARAMETER_RANGES,
  parametersCodec,
  parametersProblem,
} from './parameters.ts'

describe('parameters', () => {
  it('by default are valid, and a block fits the limits', () => {
    expect(parametersProblem(DEFAULT_PARAMETERS)).toBeUndefined()
    expect(DEFAULT_PARAMETERS.blockGasMax).toBeLessThanOrEqual(LIMITS.blockGasMax)
    expect(DEFAULT_PARAMETERS).toMatchObject({ feePolicy: 'free', blockIntervalMs: 500, heartbeatIntervalMs: 5_000 })
  })

  it('are their fields in order', () => {
    const words = [500, 5_000, 500, 2_000, 1_500, 500, 500, 500, 1, 128].map((ms) => ms.toString(16).padStart(8, '0')).join('')
    const gas = [72_000_000, 36_000_000].map((value) => value.toString(16).padStart(16, '0')).join('')
    const fee = 1_000_000_000n.toString(16).padStart(64, '0')
    expect(bytesToHex(encode(parametersCodec, DEFAULT_PARAMETERS))).toBe(`0x00${gas}${fee}${words}`)
  })

  it('round-trip, in one encoding', () => {
    fc.assert(fc.property(any.parameters, (parameters) => void checkRoundTrip(parametersCodec, parameters)))
    checkStrict(parametersCodec, encode(parametersCodec, DEFAULT_PARAMETERS))
  })

  it('have one of the fee policies', () => {
    FEE_POLICIES.forEach((feePolicy, i) => {
      expect(encode(parametersCodec, { ...DEFAULT_PARAMETERS, feePolicy })[0]).toBe(i)
    })
    const wrong = encode(parametersCodec, DEFAULT_PARAMETERS).with(0, FEE_POLICIES.length)
    expect(decode(parametersCodec, wrong)).toMatchObject({ ok: false, error: { message: 'unknown fee policy 3 (at byte 1)' } })
  })

  it.each(Object.entries(PARAMETER_RANGES))('%s has a range, ends included', (name, [min, max]) => {
    const wide: ChainParameters = {
      ...DEFAULT_PARAMETERS,
      blockGasMax: Gas(LIMITS.blockGasMax),
      transactionGasMax: Gas(21_000),
      heartbeatIntervalMs: 3_600_000,
      blockIntervalMs: 100,
    }
    // The minimum blockGasMax allows twice the minimum transactionGasMax, and the minimum heartbeat equals the minimum block interval.
    for (const end of [min, max]) expect(parametersProblem({ ...wide, [name]: end }), `${name} ${end}`).toBeUndefined()
    for (const value of [min - 1, max + 1, min + 0.5, Number.NaN]) {
      const wrong = { ...wide, [name]: value }
      const message = `${name} is ${value}, must be an integer from ${min} to ${max}`
      expect(parametersProblem(wrong)).toBe(message)
      expect(() => encode(parametersCodec, wrong)).toThrow(message)
    }
  })

  it.each<[Partial<ChainParameters>, string]>([
    [{ initialBaseFee: Wei(0n) }, 'initialBaseFee is 0, must be at least 1 wei'],
    [{ transactionGasMax: Gas(36_000_001) }, 'transactionGasMax is above half of blockGasMax'],
    [{ heartbeatIntervalMs: 499 }, 'heartbeatIntervalMs is below blockIntervalMs'],
  ])('fit together: %o', (changes, message) => {
    expect(parametersProblem({ ...DEFAULT_PARAMETERS, ...changes })).toBe(message)
  })

  it('that violate a rule are refused by the decoder too', () => {
    const bytes = encode(parametersCodec, DEFAULT_PARAMETERS)
    const zeroFee = bytes.map((byte, at) => (at >= 17 && at < 49 ? 0 : byte))
    expect(decode(parametersCodec, zeroFee)).toMatchObject({
      ok: false,
      error: { message: expect.stringContaining('initialBaseFee is 0') },
    })
    const hugeInterval = bytes.with(49, 0xff)
    expect(decode(parametersCodec, hugeInterval)).toMatchObject({
      ok: false,
      error: { message: expect.stringContaining('blockIntervalMs is') },
    })
  })
})
