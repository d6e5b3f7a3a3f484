export type { AccountView, RpcBackend, StateView } from './backend.ts'
export { DEFAULT_RPC_LIMITS, type RpcLimits } from './limits.ts'
export { createNodeBackend, type NodeParts } from './node-backend.ts'
export { type RpcServer, type RpcServerOptions, startRpcServer } from './server.ts'
