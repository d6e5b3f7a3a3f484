import { type Address, compareBytes, Hash, hexToBytes } from './bytes.ts'
import * as codec from './codec.ts'
import type { Crypto } from './crypto.ts'
import { type PublicKey, publicKeyCodec } from './keys.ts'
import { LIMITS } from './limits.ts'
import { POWER_MAX, Power } from './numbers.ts'
import { idProblem } from './short-name.ts'

export interface Validator {
  /** Names the validator for as long as it exists; its key may change (`idOfName`). */
  readonly id: Hash
  /** Ethereum address of the voting key. */
  readonly address: Address
  readonly publicKey: PublicKey
  /** At least 1. */
  readonly power: Power
  /** Receives the fees of the blocks that this validator proposes. */
  readonly feeAddress: Address
}

/** The validators that vote at a height: at least one, sorted by address. No two have an address or an id in common. */
export interface ValidatorSet {
  readonly validators: readonly Validator[]
  /** Sum of the powers. */
  readonly totalPower: number
  /** The validator with this address, or undefined if it is not in the set. */
  get(address: Address): Validator | undefined
  /** The validator with this id, or undefined if it is not in the set. */
  withId(id: Hash): Validator | undefined
}

export const validatorCodec: codec.Codec<Validator> = codec.struct({
  id: codec.checked(codec.hash, idProblem),
  address: codec.address,
  publicKey: publicKeyCodec,
  power: codec.checked(codec.u64<Power>(POWER_MAX), (power) =>
    power === 0 ? 'the power of a validator must be at least 1' : undefined,
  ),
  feeAddress: codec.address,
})

const members = codec.checked(codec.list(validatorCodec, LIMITS.validatorsMax), orderProblem)

/** The list of validators. Refuses an empty or unsorted list and duplicates. */
export const validatorSetCodec: codec.Codec<ValidatorSet> = {
  bytesMax: members.bytesMax,
  write: (writer, set) => members.write(writer, set.validators),
  read: (reader) => setOf(members.read(reader)),
}

function orderProblem(validators: readonly Validator[]): string | undefined {
  if (validators.length === 0) return 'a validator set must not be empty'
  for (let i = 1; i < validators.length; i++) {
    if (validators[i - 1]!.address >= validators[i]!.address) return 'validators must be sorted by address, without duplicates'
  }
  if (new Set(validators.map(({ id }) => id)).size < validators.length) return 'two validators must not have the same id'
  return undefined
}

/**
 * Makes a set of validators in any order.
 *
 * @throws RangeError for an empty list, more than `LIMITS.validatorsMax` validators, or two with the same address or id. Check untrusted input before.
 */
export function createValidatorSet(validators: readonly Validator[]): ValidatorSet {
  const sorted = validators.toSorted((a, b) => compareBytes(hexToBytes(a.address), hexToBytes(b.address)))
  const problem =
    sorted.length > LIMITS.validatorsMax
      ? `${sorted.length} validators, at most ${LIMITS.validatorsMax} are allowed`
      : orderProblem(sorted)
  if (problem !== undefined) throw new RangeError(problem)
  return setOf(sorted)
}

function setOf(validators: readonly Validator[]): ValidatorSet {
  const byAddress = new Map(validators.map((validator) => [validator.address, validator]))
  const totalPower = validators.reduce((sum, { power }) => sum + power, 0)
  const byId = new Map(validators.map((validator) => [validator.id, validator]))
  return { validators, totalPower, get: (address) => byAddress.get(address), withId: (id) => byId.get(id) }
}

/** SHA-256 of the encoded set, as in `validatorsHash` and `nextValidatorsHash` of a header. */
export const validatorSetHash = (crypto: Crypto, set: ValidatorSet): Hash =>
  Hash(crypto.sha256(codec.encode(validatorSetCodec, set)))
