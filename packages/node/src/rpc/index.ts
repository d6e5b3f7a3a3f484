export type { AccountView, RpcBackend, StateView } from './backend.ts'
export { DEFAULT_RPC_LIMITS, type RpcLimits } from './limits.ts'
export { createNodeBackend, type NodeParts } from './node-backend.ts'
export { type RpcCounters, type RpcServer, type RpcServerOptions, type RpcSettings, startRpcServer } from './server/server.ts'
