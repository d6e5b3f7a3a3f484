import type { Address, ChainId, Crypto, Hash } from '@quoin/protocol'
import type { KvReader } from '../state/kv.ts'
import type { Interpreter } from '../vm/index.ts'
import type { CallAbi } from './abi/abi.ts'
import { ProgramCache } from './program-cache.ts'

export interface ContractsOptions {
  readonly crypto: Crypto
  readonly chainId: ChainId
  /** Made by `createContractInterpreter`. Several `Contracts` in one thread may share it. */
  readonly interpreter: Interpreter
  /** The database, which holds the images. */
  readonly reader: KvReader
  /** For tools: a contract threw. Its ABI tells how to read the error. */
  readonly onThrow?: OnThrow | undefined
  /** `executionVersion` of this package. It is stored in the record of each contract that is created. */
  readonly executionVersion: Hash
}

/** Dependencies for running contracts that do not change from block to block. One per executor. */
export interface Contracts {
  readonly crypto: Crypto
  readonly chainId: ChainId
  readonly interpreter: Interpreter
  readonly executionVersion: Hash
  readonly programs: ProgramCache
  readonly onThrow: OnThrow | undefined
}

export type OnThrow = (address: Address, abi: CallAbi) => void

/** Creates what runs contracts, with an empty program cache. */
export const createContracts = ({
  crypto,
  chainId,
  interpreter,
  reader,
  executionVersion,
  onThrow,
}: ContractsOptions): Contracts => ({
  crypto,
  chainId,
  interpreter,
  executionVersion,
  programs: new ProgramCache(crypto, interpreter, reader),
  onThrow,
})
