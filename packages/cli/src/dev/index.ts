export { type DevNode, type DevNodeOptions, startDevNode } from './start.ts'
