import type { ChainId, Crypto, Hash } from '@quoin/protocol'
import type { KvReader } from '../state/kv.ts'
import { executionVersion } from '../version.ts'
import type { Engine } from '../vm/index.ts'
import { ProgramCache } from './program-cache.ts'

export interface ContractsOptions {
  readonly crypto: Crypto
  readonly chainId: ChainId
  /** Made by `createContractEngine`; several may share one in a thread. */
  readonly engine: Engine
  /** The database, where images lie. */
  readonly reader: KvReader
}

/** What runs contracts, whatever the block: one for each executor. */
export interface Contracts {
  readonly crypto: Crypto
  readonly chainId: ChainId
  readonly engine: Engine
  readonly executionVersion: Hash
  readonly programs: ProgramCache
}

export const createContracts = ({ crypto, chainId, engine, reader }: ContractsOptions): Contracts => ({
  crypto,
  chainId,
  engine,
  executionVersion: executionVersion(crypto),
  programs: new ProgramCache(crypto, engine, reader),
})
