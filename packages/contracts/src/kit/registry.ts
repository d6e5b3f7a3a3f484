import type { Declared, Merged } from './declaration.ts'

/** Hook that the build sets to observe declarations. It is not set in deployed contracts. */
export const registry: { declared?: (module: object, declared: Declared, merged: Merged) => void } = {}
