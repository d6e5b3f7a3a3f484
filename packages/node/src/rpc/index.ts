export type { AccountView, RpcBackend, StateView } from './backend.ts'
export { DEFAULT_RPC_LIMITS, type RpcLimits } from './limits.ts'
export { type RpcServer, type RpcServerOptions, startRpcServer } from './server.ts'
