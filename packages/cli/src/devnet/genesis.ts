import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { executionVersion } from '@quoin/execution'
import { developmentNodeSeed, developmentValidatorKey, validatorKeyOf } from '@quoin/node/keys'
import { orFail } from '@quoin/node/process'
import { DEVELOPMENT_BALANCE, developmentAccounts } from '@quoin/platform'
import {
  ChainId,
  type Crypto,
  createValidatorSet,
  DEFAULT_PARAMETERS,
  type Genesis,
  genesisToJson,
  idOfName,
  nobleCrypto,
  ownSeat,
  Power,
  TimeMs,
  ungovernedConsortium,
  Wei,
} from '@quoin/protocol'
import { createNodeKey, loadNodeKey } from '@quoin/validator/directory'
import { DEFAULT_SETTINGS, type DevnetSettings } from './settings.ts'

/** Chain id of Hardhat and of viem's `foundry` chain. */
const DEVNET_CHAIN_ID = 31_337
/** A fixed time makes the genesis, and with it block 0 of every devnet, the same on all machines. */
const DEVNET_TIME_MS = Date.UTC(2026, 0, 1)

export const p2pAddress = (settings: DevnetSettings, index: number): string => `/ip4/127.0.0.1/tcp/${settings.p2pPort + index}`

/** The genesis of a devnet: well-known keys, equal power, ten funded accounts. */
export async function devnetGenesis(crypto: Crypto, settings: DevnetSettings): Promise<Genesis> {
  const indices = Array.from({ length: settings.validators }, (_, i) => i)
  const validators = indices.map((i) => {
    const { address, publicKey } = orFail(validatorKeyOf(crypto, developmentValidatorKey(crypto, i)), 'development key')
    return { id: idOfName(`validator-${i}`)!, address, publicKey, power: Power(1), feeAddress: address }
  })
  const nodes = await Promise.all(
    indices.map(async (i) => {
      const key = orFail(loadNodeKey(await createNodeKey('Ed25519', developmentNodeSeed(crypto, i))), 'development node key')
      const { id: organisation } = validators[i]!
      return { peerId: key.peerId, kind: 'validator', organisation, addresses: [p2pAddress(settings, i)] } as const
    }),
  )
  return {
    chainId: ChainId(DEVNET_CHAIN_ID),
    timeMs: TimeMs(DEVNET_TIME_MS),
    development: true,
    executionVersion: executionVersion(crypto),
    parameters: {
      ...DEFAULT_PARAMETERS,
      blockIntervalMs: settings.blockTimeMs,
      heartbeatIntervalMs: Math.max(DEFAULT_PARAMETERS.heartbeatIntervalMs, settings.blockTimeMs),
    },
    validators: createValidatorSet(validators),
    consortium: {
      ...ungovernedConsortium(validators.map((validator, i) => ownSeat(validator, nodes[i]!.peerId))),
      // Newcomers can try everything: the first development account governs.
      governor: developmentAccounts(crypto)[0]!.address,
    },
    nodes: nodes.toSorted((a, b) => (a.peerId < b.peerId ? -1 : 1)),
    alloc: developmentAccounts(crypto)
      .map(({ address }) => ({ address, balance: Wei(DEVELOPMENT_BALANCE) }))
      .sort((a, b) => (a.address < b.address ? -1 : 1)),
    systemContracts: [],
    restart: undefined,
  }
}

/**
 * The genesis file in the repository, for readers and other programs: that of a devnet with default settings. A devnet does not read it. It
 * makes its own, so that a changed file here cannot keep one from starting.
 */
const REPOSITORY_GENESIS = fileURLToPath(new URL('../../../../genesis.json', import.meta.url))

export const genesisText = (genesis: Genesis): string => `${JSON.stringify(genesisToJson(genesis), null, 2)}\n`

/** Rewrites the repository's genesis file. Needed after each change of the execution version. */
export const writeRepositoryGenesis = async (): Promise<void> =>
  writeFile(REPOSITORY_GENESIS, genesisText(await devnetGenesis(nobleCrypto, DEFAULT_SETTINGS)))
