import { type Address, Hash } from './bytes.ts'
import * as codec from './codec.ts'
import { type Consortium, consortiumCodec } from './consortium.ts'
import type { Crypto } from './crypto.ts'
import { LIMITS } from './limits.ts'
import { nodeRegistryCodec, type RegisteredNode } from './node-registry.ts'
import type { ChainId, Height, TimeMs, Wei } from './numbers.ts'
import { type ChainParameters, parametersCodec } from './parameters.ts'
import { type ValidatorSet, validatorSetCodec } from './validator-set.ts'

/**
 * The document from which a chain starts. It is the same on every node. `parseGenesis` and `genesisToJson` convert it from and to JSON. Block 0
 * contains its digest, so chains with different documents never share a block.
 */
export interface Genesis {
  readonly chainId: ChainId
  /** Time of block 0. */
  readonly timeMs: TimeMs
  /** Whether validators may use the well-known development keys. Has no other effect. */
  readonly development: boolean
  /**
   * Whether this is a chain of `quoin dev`: one process produces the blocks, and any client of its RPC can set state and time. Validators refuse
   * such a chain. False if absent.
   */
  readonly simulated?: boolean
  /** Identifies the rules by which contracts execute; see `HeaderExtra`. */
  readonly executionVersion: Hash
  readonly parameters: ChainParameters
  readonly validators: ValidatorSet
  readonly nodes: readonly RegisteredNode[]
  /** Organisations, accounts with roles, and who governs. `consortiumProblem` checks that it fits to the validators and nodes. */
  readonly consortium: Consortium
  /** Initial balances, sorted by address, without duplicates. */
  readonly alloc: readonly Allocation[]
  /** Contracts at fixed addresses, sorted by address, without duplicates. */
  readonly systemContracts: readonly SystemContract[]
  /** Added later to restart a chain that lost more than a third of its voting power. Not part of the digest. */
  readonly restart: Restart | undefined
}

export interface Allocation {
  readonly address: Address
  readonly balance: Wei
}

export interface SystemContract {
  readonly address: Address
  /** A contract container (`ContractContainer`), followed by the ABI-encoded arguments of its constructor, as in creation data. */
  readonly code: Uint8Array
}

/** A manual restart: all nodes keep the chain up to one block and continue with another validator set. */
export interface Restart {
  /** 1 for the first restart, 2 for the second, and so on. */
  readonly epoch: number
  /** Height of the last block that is kept. */
  readonly height: Height
  /** Hash of the last block that is kept. */
  readonly blockHash: Hash
  /** The validator set from the next height on. */
  readonly validators: ValidatorSet
}

const sortedByAddress = <T extends { readonly address: Address }>(name: string, items: codec.Codec<readonly T[]>) =>
  codec.checked(items, (entries) => {
    for (let i = 1; i < entries.length; i++) {
      if (entries[i - 1]!.address >= entries[i]!.address) return `${name} must be sorted by address, without duplicates`
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
  consortium: consortiumCodec,
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

const GENESIS_VERSION = 2

/** Bits of the byte that marks chains for development. */
const KIND = { development: 1, simulated: 2 } as const

const kindOf = ({ development, simulated = false }: Genesis): number =>
  (development ? KIND.development : 0) | (simulated ? KIND.simulated : 0)

/**
 * SHA-256 of the document's canonical encoding without `restart`. `mixHash` of block 0 commits to this digest.
 *
 * @throws RangeError if the document exceeds a limit or a list is not sorted. `parseGenesis` returns valid documents only.
 */
export const genesisDigest = (crypto: Crypto, genesis: Genesis): Hash =>
  Hash(crypto.sha256(codec.encode(digestCodec, { version: GENESIS_VERSION, kind: kindOf(genesis), ...genesis })))
