import { executionVersion } from '@quoin/execution'
import { developmentValidatorKey, type ValidatorKey, validatorKeyOf } from '@quoin/node/keys'
import {
  type Address,
  type ChainId,
  type Crypto,
  createValidatorSet,
  DEFAULT_PARAMETERS,
  type Genesis,
  Power,
  TimeMs,
  unwrap,
  type Wei,
} from '@quoin/protocol'

export interface DevGenesisOptions {
  readonly chainId: ChainId
  /** Time of block 0. */
  readonly timeMs: number
  /** Each owns `balance`. */
  readonly accounts: readonly Address[]
  readonly balance: Wei
}

/** The key that seals the blocks of development chains: everybody knows it. */
export const sealerKey = (crypto: Crypto): ValidatorKey => unwrap(validatorKeyOf(crypto, developmentValidatorKey(crypto, 0)))

/** A simulated chain of one validator, which no other node takes for a real one. */
export function devGenesis(crypto: Crypto, { chainId, timeMs, accounts, balance }: DevGenesisOptions): Genesis {
  const { address, publicKey } = sealerKey(crypto)
  return {
    chainId,
    timeMs: TimeMs(timeMs),
    development: true,
    simulated: true,
    executionVersion: executionVersion(crypto),
    parameters: DEFAULT_PARAMETERS,
    validators: createValidatorSet([{ address, publicKey, power: Power(1), feeAddress: address }]),
    nodes: [],
    alloc: accounts.toSorted((a, b) => (a < b ? -1 : 1)).map((account) => ({ address: account, balance })),
    systemContracts: [],
    restart: undefined,
  }
}
