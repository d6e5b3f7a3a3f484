import type { ChainId, Crypto, Hash } from '@quoin/protocol'
import type { KvReader } from '../state/kv.ts'
import type { Engine } from '../vm/index.ts'
import { ProgramCache } from './program-cache.ts'

export interface ContractsOptions {
  readonly crypto: Crypto
  readonly chainId: ChainId
  /** Made by `createContractEngine`; several may share one in a thread. */
  readonly engine: Engine
  /** The database, where images lie. */
  readonly reader: KvReader
  /** `executionVersion` of this package: stands in the record of each contract that is created. */
  readonly executionVersion: Hash
}

/** What runs contracts, whatever the block: one for each executor. */
export interface Contracts {
  readonly crypto: Crypto
  readonly chainId: ChainId
  readonly engine: Engine
  readonly executionVersion: Hash
  readonly programs: ProgramCache
}

export const createContracts = ({ crypto, chainId, engine, reader, executionVersion }: ContractsOptions): Contracts => ({
  crypto,
  chainId,
  engine,
  executionVersion,
  programs: new ProgramCache(crypto, engine, reader),
})
