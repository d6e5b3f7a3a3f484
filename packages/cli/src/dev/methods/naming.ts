import { forms, type Method } from '@quoin/node/rpc'
import type { DevBackend } from '../dev-backend.ts'

export type DevMethod = Method<DevBackend>
export type DevMethods = Readonly<Record<string, DevMethod>>

/** A method under both prefixes, `anvil_` and `hardhat_`. */
export const underBothNames = (name: string, method: DevMethod): DevMethods => ({
  [`anvil_${name}`]: method,
  [`hardhat_${name}`]: method,
})

/** Result of methods without a result of their own. Hardhat returns true and anvil null; clients do not rely on the null. */
export const DONE = true
export const DONE_FORM: forms.Schema = { const: DONE }
