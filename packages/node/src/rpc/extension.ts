/** The RPC server, and helpers to write further methods: `quoin dev` adds its own to those of a node. */
export type { RpcBackend } from './backend.ts'
export { storedForm } from './call-schema.ts'
export { invalidParams, RpcError } from './errors.ts'
export { type TransactionRequest, transactionRequest } from './fill.ts'
export type { Rewind } from './filters.ts'
export { quantityHex } from './format.ts'
export * as forms from './forms/index.ts'
export { DEFAULT_RPC_LIMITS } from './limits.ts'
export { type CallContext, type Method, type Methods, method, type Signature } from './method.ts'
export {
  CallOutOfGas,
  type CallParams,
  CallReverted,
  call,
  callParameters,
  callSignatures,
  complete,
  estimateGas,
  filling,
} from './methods/calls.ts'
export { rpcMethods } from './methods/index.ts'
export { nextNonce } from './methods/state.ts'
export { createNodeBackend, type NodeParts } from './node-backend.ts'
export { discovery } from './openrpc.ts'
export { by, reader } from './reader.ts'
export { address, bigQuantity, data, hash, looseInteger, storageKey, withForm } from './schema.ts'
export { type RpcServer, type RpcSettings, startRpcServer } from './server/server.ts'
