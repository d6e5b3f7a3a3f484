import { executionVersion } from '@quoin/execution'
import {
  type Address,
  addressOfPublicKey,
  type ChainId,
  type ChainParameters,
  concatBytes,
  createValidatorSet,
  DEFAULT_PARAMETERS,
  encodeRlp,
  type Genesis,
  hexToBytes,
  idOfName,
  integerPayload,
  numberToBytes,
  ownSeat,
  type Power,
  publicKeyOf,
  type TimeMs,
  ungovernedConsortium,
  type Wei,
} from '@quoin/protocol'
import { simCrypto } from './crypto.ts'

export const CHAIN_ID = 31_337 as ChainId
/** Wall-clock time at which simulations begin; genesis is one second older. */
export const EPOCH_MS = 1_800_000_000_000

/** A short cycle, so that a simulation of some seconds sees many heights; the relations match the defaults. */
const PARAMETERS: ChainParameters = {
  ...DEFAULT_PARAMETERS,
  blockIntervalMs: 200,
  heartbeatIntervalMs: 1_000,
  clockPrecisionMs: 200,
  messageDelayMs: 800,
  timeoutProposeMs: 600,
  timeoutPrevoteMs: 200,
  timeoutPrecommitMs: 200,
  timeoutDeltaMs: 200,
}

export interface Account {
  readonly secretKey: Uint8Array
  readonly address: Address
}

const accountOf = (seed: number): Account => {
  const secretKey = numberToBytes(seed, 32)
  const address = addressOfPublicKey(simCrypto, publicKeyOf(simCrypto.publicKey(secretKey)!))!
  return { secretKey, address }
}

export const validatorKey = (index: number): Account => accountOf(1_000 + index)
export const clientAccount = (index: number): Account => accountOf(2_000 + index)
/** The account of a node's operator. */
export const operatorSecret = (index: number): Uint8Array => numberToBytes(3_000 + index, 32)
export const OPENING_BALANCE = 10n ** 18n
/** The account that governs. */
export const governor = accountOf(3_000)

export function simGenesis(validatorCount: number, clientCount: number, parameters: Partial<ChainParameters> = {}): Genesis {
  const validators = Array.from({ length: validatorCount }, (_, index) => {
    const { secretKey, address } = validatorKey(index)
    const publicKey = publicKeyOf(simCrypto.publicKey(secretKey)!)
    return { id: idOfName(`v${index}`)!, address, publicKey, power: 1 as Power, feeAddress: address }
  })
  return {
    chainId: CHAIN_ID,
    timeMs: (EPOCH_MS - 1_000) as TimeMs,
    development: true,
    executionVersion: executionVersion(simCrypto),
    parameters: { ...PARAMETERS, ...parameters },
    validators: createValidatorSet(validators),
    nodes: [],
    consortium: { ...ungovernedConsortium(validators.map((validator) => ownSeat(validator))), governor: governor.address },
    alloc: Array.from({ length: clientCount }, (_, index) => ({
      address: clientAccount(index).address,
      balance: OPENING_BALANCE as Wei,
    })).sort((a, b) => (a.address < b.address ? -1 : 1)),
    systemContracts: [],
    restart: undefined,
  }
}

/** Fields of a transaction to be signed. */
interface Order {
  /** Undefined to create a contract. */
  readonly to: Address | undefined
  readonly value: bigint
  readonly data: Uint8Array
  readonly gas: number
}

/** A signed transaction (type 2). */
export function signed(from: Account, nonce: number, { to, value, data, gas }: Order): Uint8Array {
  const fields = [
    integerPayload(CHAIN_ID),
    integerPayload(nonce),
    integerPayload(1),
    integerPayload(2),
    integerPayload(gas),
    to === undefined ? new Uint8Array(0) : hexToBytes(to),
    integerPayload(value),
    data,
    [],
  ]
  const typed = (values: Parameters<typeof encodeRlp>[0]) => concatBytes(Uint8Array.of(2), encodeRlp(values))
  const { signature, yParity } = simCrypto.sign(simCrypto.keccak256(typed(fields)), from.secretKey)
  return typed([...fields, integerPayload(yParity), signature.slice(0, 32), signature.slice(32)])
}

/** A signed transfer. */
export const transfer = (from: Account, to: Address, nonce: number, value: bigint): Uint8Array =>
  signed(from, nonce, { to, value, data: new Uint8Array(0), gas: 21_000 })
