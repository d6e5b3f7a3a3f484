import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as any from '../test/arbitraries.ts'
import { checkRoundTrip, checkStrict } from '../test/codec-laws.ts'
import { Address, bytesToHex, concatBytes, type Hash, hexToBytes, numberToBytes } from './bytes.ts'
import { decode, encode } from './codec.ts'
import { publicKeyOf } from './keys.ts'
import { LIMITS } from './limits.ts'
import { nobleCrypto as crypto } from './noble.ts'
import { POWER_MAX, Power } from './numbers.ts'
import { idOfName } from './short-name.ts'
import {
  createValidatorSet,
  type Validator,
  type ValidatorSet,
  validatorCodec,
  validatorSetCodec,
  validatorSetHash,
} from './validator-set.ts'

const member = (n: number, power = 1): Validator => ({
  id: idOfName(`v${n}`)!,
  address: Address(numberToBytes(n, 20)),
  publicKey: publicKeyOf(new Uint8Array(33).fill(2)),
  power: Power(power),
  feeAddress: Address(new Uint8Array(20).fill(0xee)),
})
const members = ({ validators }: ValidatorSet) => validators
/** Encodes without any check. */
const written = (...validators: readonly Validator[]) =>
  concatBytes(
    numberToBytes(validators.length, 4),
    ...validators.flatMap(({ id, address, publicKey, power, feeAddress }) => [
      hexToBytes(id),
      hexToBytes(address),
      publicKey,
      numberToBytes(power, 8),
      hexToBytes(feeAddress),
    ]),
  )
const refusal = (bytes: Uint8Array) => {
  const decoded = decode(validatorSetCodec, bytes)
  return decoded.ok ? undefined : decoded.error.message
}

describe('a validator set', () => {
  it('round-trips, in one encoding', () => {
    fc.assert(fc.property(any.validatorSet, (set) => void checkRoundTrip(validatorSetCodec, set, members)))
    const set = createValidatorSet([member(1), member(2, 5)])
    expect(encode(validatorSetCodec, set)).toEqual(written(member(1), member(2, 5)))
    checkStrict(validatorSetCodec, encode(validatorSetCodec, set))
    checkStrict(validatorCodec, encode(validatorCodec, member(1)))
  })

  it('is the same from members in any order', () => {
    fc.assert(
      fc.property(
        any.validatorSet.chain((set) =>
          fc.tuple(fc.constant(set), fc.shuffledSubarray([...set.validators], { minLength: set.validators.length })),
        ),
        ([set, shuffled]) => {
          const again = createValidatorSet(shuffled)
          expect(again.validators).toEqual(set.validators)
          expect(validatorSetHash(crypto, again)).toBe(validatorSetHash(crypto, set))
        },
      ),
    )
  })

  it('sums its power and finds its members, also when it was decoded', () => {
    fc.assert(
      fc.property(any.validatorSet, any.address, (made, stranger) => {
        const decoded = decode(validatorSetCodec, encode(validatorSetCodec, made))
        for (const set of [made, decoded.ok ? decoded.value : undefined]) {
          expect(BigInt(set!.totalPower)).toBe(made.validators.reduce((sum, { power }) => sum + BigInt(power), 0n))
          for (const validator of made.validators) expect(set!.get(validator.address)).toEqual(validator)
          if (!made.validators.some(({ address }) => address === stranger)) expect(set!.get(stranger)).toBeUndefined()
        }
      }),
    )
  })

  it.each([
    ['nobody', [], 'a validator set must not be empty'],
    ['one validator twice', [member(1), member(1, 2)], 'validators must be sorted by address, without duplicates'],
    ['validators out of order', [member(2), member(1)], 'validators must be sorted by address, without duplicates'],
    ['one validator under two keys', [member(1), { ...member(2), id: member(1).id }], 'must not have the same id'],
    ['an id that is no name', [{ ...member(1), id: `0x${'00'.repeat(32)}` as Hash }], 'is not the id of a name'],
  ] as const)('does not decode with %s', (_what, validators, message) => {
    expect(refusal(written(...validators))).toContain(message)
  })

  it('cannot be empty, have duplicates, or be too large', () => {
    expect(() => createValidatorSet([])).toThrow('a validator set must not be empty')
    expect(() => createValidatorSet([member(1), member(2), member(1)])).toThrow('without duplicates')
    const many = (count: number) => Array.from({ length: count }, (_, i) => member(i, POWER_MAX))
    const full = createValidatorSet(many(LIMITS.validatorsMax))
    expect(Number.isSafeInteger(full.totalPower)).toBe(true)
    expect(encode(validatorSetCodec, full).length).toBe(validatorSetCodec.bytesMax)
    expect(() => createValidatorSet(many(LIMITS.validatorsMax + 1))).toThrow('129 validators, at most 128 are allowed')
    expect(refusal(written(...many(LIMITS.validatorsMax + 1)))).toBeDefined()
  })

  it('has no member without power, above the limit of power, or with a key of an unknown kind', () => {
    const bytes = written(member(1))
    const powerAt = 4 + 32 + 20 + 34
    expect(refusal(bytes.with(powerAt + 7, 0))).toContain('the power of a validator must be at least 1')
    expect(refusal(bytes.with(powerAt + 3, 1))).toContain(`is above ${POWER_MAX}`)
    expect(refusal(bytes.with(4 + 32 + 20, 2))).toContain('unknown key type 2')
    expect(() => encode(validatorCodec, member(1, 0))).toThrow('the power of a validator must be at least 1')
    expect(refusal(written(member(1, POWER_MAX)))).toBeUndefined()
  })
})

describe('the hash of a set', () => {
  it('is SHA-256 of its encoding, another for any other member', () => {
    const set = createValidatorSet([member(1), member(2)])
    expect(validatorSetHash(crypto, set)).toBe(
      bytesToHex(
        createHash('sha256')
          .update(written(member(1), member(2)))
          .digest(),
      ),
    )
    const others: readonly Validator[][] = [
      [member(1)],
      [member(1), member(3)],
      [member(1), member(2, 2)],
      [member(1), { ...member(2), feeAddress: member(1).address }],
      [member(1), { ...member(2), publicKey: publicKeyOf(new Uint8Array(33).fill(3)) }],
    ]
    const hashes = new Set([set, ...others.map(createValidatorSet)].map((each) => validatorSetHash(crypto, each)))
    expect(hashes.size).toBe(1 + others.length)
  })
})
