import type { ChainId, Crypto, Hash } from '@quoin/protocol'
import type { KvReader } from '../state/kv.ts'
import type { Interpreter } from '../vm/index.ts'
import { ProgramCache } from './program-cache.ts'

export interface ContractsOptions {
  readonly crypto: Crypto
  readonly chainId: ChainId
  /** Made by `createContractInterpreter`; several may share one in a thread. */
  readonly interpreter: Interpreter
  /** The database, where images lie. */
  readonly reader: KvReader
  /** `executionVersion` of this package: stands in the record of each contract that is created. */
  readonly executionVersion: Hash
}

/** What runs contracts, whatever the block: one for each executor. */
export interface Contracts {
  readonly crypto: Crypto
  readonly chainId: ChainId
  readonly interpreter: Interpreter
  readonly executionVersion: Hash
  readonly programs: ProgramCache
}

export const createContracts = ({ crypto, chainId, interpreter, reader, executionVersion }: ContractsOptions): Contracts => ({
  crypto,
  chainId,
  interpreter,
  executionVersion,
  programs: new ProgramCache(crypto, interpreter, reader),
})
