import { type Address, Hash } from './bytes.ts'
import * as codec from './codec.ts'
import type { Crypto } from './crypto.ts'
import { LIMITS } from './limits.ts'
import { nodeRegistryCodec, type RegisteredNode } from './node-registry.ts'
import type { ChainId, Height, TimeMs, Wei } from './numbers.ts'
import { type ChainParameters, parametersCodec } from './parameters.ts'
import { type ValidatorSet, validatorSetCodec } from './validator-set.ts'

/**
 * The document from which a chain starts, the same on every node. `genesis-json.ts` reads and writes its text form; the digest of its
 * encoding stands in block 0, so that chains of different documents never share a block.
 */
export interface Genesis {
  readonly chainId: ChainId
  /** Time of block 0. */
  readonly timeMs: TimeMs
  /** Allows well-known development keys, and nothing else. */
  readonly development: boolean
  /**
   * A chain of `quoin dev`: one process makes its blocks, and whoever reaches its RPC sets its state and time. No validator takes part in one.
   * False where absent.
   */
  readonly simulated?: boolean
  readonly executionVersion: Hash
  readonly parameters: ChainParameters
  readonly validators: ValidatorSet
  readonly nodes: readonly RegisteredNode[]
  /** Opening balances, sorted by address, each once. */
  readonly alloc: readonly Allocation[]
  /** Contracts placed at fixed addresses; sorted by address, each once. */
  readonly systemContracts: readonly SystemContract[]
  /** Added to a running chain's document to restart it after the loss of more than a third of the power; not in the digest. */
  readonly restart: Restart | undefined
}

export interface Allocation {
  readonly address: Address
  readonly balance: Wei
}

export interface SystemContract {
  readonly address: Address
  /** Contract container. */
  readonly code: Uint8Array
}

export interface Restart {
  /** 1 for the first restart, one more each time. */
  readonly epoch: number
  /** Last block that is kept. */
  readonly height: Height
  readonly blockHash: Hash
  /** Who votes from the next height on. */
  readonly validators: ValidatorSet
}

const sortedByAddress = <T extends { readonly address: Address }>(name: string, items: codec.Codec<readonly T[]>) =>
  codec.checked(items, (entries) => {
    for (let i = 1; i < entries.length; i++) {
      if (entries[i - 1]!.address >= entries[i]!.address) return `${name} is not sorted by address, each once`
    }
    return undefined
  })

const digestCodec = codec.struct({
  version: codec.u8(),
  chainId: codec.u64<ChainId>(),
  timeMs: codec.u64<TimeMs>(),
  kind: codec.u8(),
  executionVersion: codec.hash,
  parameters: parametersCodec,
  validators: validatorSetCodec,
  nodes: nodeRegistryCodec,
  alloc: sortedByAddress(
    'alloc',
    codec.list(codec.struct({ address: codec.address, balance: codec.u256<Wei>() }), LIMITS.genesisAllocMax),
  ),
  systemContracts: sortedByAddress(
    'systemContracts',
    codec.list(
      codec.struct({ address: codec.address, code: codec.bytes(LIMITS.transactionBytesMax) }),
      LIMITS.genesisSystemContractsMax,
    ),
  ),
})

const GENESIS_VERSION = 1

/** Bits of the byte that tells chains for development from others. */
const KIND = { development: 1, simulated: 2 } as const

const kindOf = ({ development, simulated = false }: Genesis): number =>
  (development ? KIND.development : 0) | (simulated ? KIND.simulated : 0)

/** SHA-256 of the document's canonical encoding, without its `restart`. */
export const genesisDigest = (crypto: Crypto, genesis: Genesis): Hash =>
  Hash(crypto.sha256(codec.encode(digestCodec, { version: GENESIS_VERSION, kind: kindOf(genesis), ...genesis })))
