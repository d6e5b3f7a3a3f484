export type { NetworkCounters } from './counters.ts'
export type { NetworkLimits } from './limits.ts'
export type { NetworkLogger } from './logger.ts'
export { createLibp2pTransport, type Libp2pTransport, type Libp2pTransportOptions } from './transport.ts'
