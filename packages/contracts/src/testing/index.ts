/**
 * A chain in memory for tests: the executor of the nodes, without consensus, RPC and signatures.
 *
 * @module
 */

export type { Artifact } from './artifact.ts'
export {
  type Accounts,
  type AtBlock,
  type Block,
  Chain,
  type ChainOptions,
  createChain,
  type LogFilter,
  type RawCallRequest,
  type SendRequest,
} from './chain.ts'
export type {
  BlockRange,
  Contract,
  DeployParameters,
  EventFilter,
  ReadOptions,
  SendOptions,
  SimulateOptions,
  Simulation,
} from './contract-types.ts'
export type { SnapshotId } from './core.ts'
export { ChainError } from './error.ts'
export type { GasOfFunction, GasStatistics } from './gas-report.ts'
export { TESTING_LIMITS } from './limits.ts'
export type { EventArguments, EventName, Log } from './log.ts'
export type { ContractEvent, Receipt } from './receipt.ts'
export { ContractRevert } from './revert.ts'
