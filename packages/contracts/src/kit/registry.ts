import type { Declared, Merged } from './declaration.ts'

/** Who wants to know of a contract when it is declared. In a contract that is deployed, nobody does. */
export const registry: { declared?: (module: object, declared: Declared, merged: Merged) => void } = {}
