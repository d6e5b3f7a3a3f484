import { type Address, compareBytes, Hash, hexToBytes } from './bytes.ts'
import * as codec from './codec.ts'
import type { Crypto } from './crypto.ts'
import { type PublicKey, publicKeyCodec } from './keys.ts'
import { LIMITS } from './limits.ts'
import { POWER_MAX, Power } from './numbers.ts'

export interface Validator {
  /** Ethereum address of the voting key. */
  readonly address: Address
  readonly publicKey: PublicKey
  /** At least 1. */
  readonly power: Power
  /** Receives the fees of the blocks that this validator proposes. */
  readonly feeAddress: Address
}

/** The voters of a height, sorted by address, each once, never empty. */
export interface ValidatorSet {
  readonly validators: readonly Validator[]
  readonly totalPower: number
  get(address: Address): Validator | undefined
}

export const validatorCodec: codec.Codec<Validator> = codec.struct({
  address: codec.address,
  publicKey: publicKeyCodec,
  power: codec.checked(codec.u64<Power>(POWER_MAX), (power) => (power === 0 ? 'a validator must have power' : undefined)),
  feeAddress: codec.address,
})

const members = codec.checked(codec.list(validatorCodec, LIMITS.validatorsMax), orderProblem)

/** Decodes to a set only from sorted, distinct, non-empty members. */
export const validatorSetCodec: codec.Codec<ValidatorSet> = {
  bytesMax: members.bytesMax,
  write: (writer, set) => members.write(writer, set.validators),
  read: (reader) => setOf(members.read(reader)),
}

function orderProblem(validators: readonly Validator[]): string | undefined {
  if (validators.length === 0) return 'a validator set must not be empty'
  for (let i = 1; i < validators.length; i++) {
    if (validators[i - 1]!.address >= validators[i]!.address) return 'validators are not sorted by address, each once'
  }
  return undefined
}

/** A set of validators in any order. Throws when it is empty, over the limit, or names one twice: check such input before. */
export function createValidatorSet(validators: readonly Validator[]): ValidatorSet {
  const sorted = validators.toSorted((a, b) => compareBytes(hexToBytes(a.address), hexToBytes(b.address)))
  const problem = sorted.length > LIMITS.validatorsMax ? `more than ${LIMITS.validatorsMax} validators` : orderProblem(sorted)
  if (problem !== undefined) throw new RangeError(problem)
  return setOf(sorted)
}

function setOf(validators: readonly Validator[]): ValidatorSet {
  const byAddress = new Map(validators.map((validator) => [validator.address, validator]))
  const totalPower = validators.reduce((sum, { power }) => sum + power, 0)
  return { validators, totalPower, get: (address) => byAddress.get(address) }
}

export const validatorSetHash = (crypto: Crypto, set: ValidatorSet): Hash =>
  Hash(crypto.sha256(codec.encode(validatorSetCodec, set)))
