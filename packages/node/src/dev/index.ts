export { DEV_LIMITS } from './limits.ts'
export { DEV_DEFAULTS, type DevNode, type DevNodeOptions, startDevNode } from './start.ts'
