import type { Method } from '@quoin/node/rpc'
import type { DevBackend } from '../dev-backend.ts'

export type DevMethod = Method<DevBackend>
export type DevMethods = Readonly<Record<string, DevMethod>>

/** A method under the names that anvil and Hardhat have for it. */
export const underBothNames = (name: string, method: DevMethod): DevMethods => ({
  [`anvil_${name}`]: method,
  [`hardhat_${name}`]: method,
})

/** What methods answer that have nothing to say: Hardhat's answer; anvil's null is nobody's concern. */
export const DONE = true
