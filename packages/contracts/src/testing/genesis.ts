import {
  type Address,
  addressOfPublicKey,
  type ChainId,
  type Crypto,
  createValidatorSet,
  DEFAULT_PARAMETERS,
  type Genesis,
  type Hash,
  idOfName,
  ownSeat,
  type Power,
  publicKeyOf,
  type TimeMs,
  ungovernedConsortium,
  type Validator,
  type Wei,
  ZERO_ADDRESS,
} from '@quoin/protocol'

/** The default chain id of anvil and Hardhat. */
export const CHAIN_ID = 31_337

let validator: Validator | undefined

/** The chain's only validator. It never votes. */
export function testValidator(crypto: Crypto): Validator {
  validator ??= makeValidator(crypto)
  return validator
}

function makeValidator(crypto: Crypto): Validator {
  const compressed = crypto.publicKey(new Uint8Array(32).fill(1))
  const publicKey = compressed === undefined ? undefined : publicKeyOf(compressed)
  const address = publicKey === undefined ? undefined : addressOfPublicKey(crypto, publicKey)
  if (publicKey === undefined || address === undefined) throw new Error('the secret key of ones has a public key')
  const id = idOfName('test')
  if (id === undefined) throw new Error('the name of the validator is a short name')
  return { id, address, publicKey, power: 1 as Power, feeAddress: address }
}

/** Genesis of a chain without fees, with funded accounts. */
export function testGenesis(
  crypto: Crypto,
  executionVersion: Hash,
  timeMs: number,
  accounts: readonly Address[],
  balance: bigint,
): Genesis {
  return {
    chainId: CHAIN_ID as ChainId,
    timeMs: timeMs as TimeMs,
    development: true,
    executionVersion,
    parameters: DEFAULT_PARAMETERS,
    validators: createValidatorSet([testValidator(crypto)]),
    nodes: [],
    consortium: { ...ungovernedConsortium([ownSeat(testValidator(crypto))]), governor: accounts[0] ?? ZERO_ADDRESS },
    alloc: accounts.toSorted().map((address) => ({ address, balance: balance as Wei })),
    systemContracts: [],
    restart: undefined,
  }
}
