import { executionVersion } from '@quoin/execution'
import { developmentValidatorKey, type ValidatorKey, validatorKeyOf } from '@quoin/node/keys'
import {
  type Address,
  type ChainId,
  type Crypto,
  createValidatorSet,
  DEFAULT_PARAMETERS,
  type Genesis,
  idOfName,
  ownSeat,
  Power,
  TimeMs,
  ungovernedConsortium,
  unwrap,
  type Wei,
  ZERO_ADDRESS,
} from '@quoin/protocol'

export interface DevGenesisOptions {
  readonly chainId: ChainId
  /** Time of block 0. */
  readonly timeMs: number
  /** Each gets `balance`. */
  readonly accounts: readonly Address[]
  readonly balance: Wei
}

/** The key that signs the blocks of development chains. It is public. */
export const sealerKey = (crypto: Crypto): ValidatorKey => unwrap(validatorKeyOf(crypto, developmentValidatorKey(crypto, 0)))

/** Genesis of a chain with one validator. It is marked `simulated`, so that no other node accepts it. */
export function devGenesis(crypto: Crypto, { chainId, timeMs, accounts, balance }: DevGenesisOptions): Genesis {
  const { address, publicKey } = sealerKey(crypto)
  const sealer = { id: idOfName('sealer')!, address, publicKey, power: Power(1), feeAddress: address }
  return {
    chainId,
    timeMs: TimeMs(timeMs),
    development: true,
    simulated: true,
    executionVersion: executionVersion(crypto),
    parameters: DEFAULT_PARAMETERS,
    validators: createValidatorSet([sealer]),
    nodes: [],
    // Whoever tries the chain governs it: the first account.
    consortium: { ...ungovernedConsortium([ownSeat(sealer)]), governor: accounts[0] ?? ZERO_ADDRESS },
    alloc: accounts.toSorted((a, b) => (a < b ? -1 : 1)).map((account) => ({ address: account, balance })),
    systemContracts: [],
    restart: undefined,
  }
}
