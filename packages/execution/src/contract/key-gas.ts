import type { KeyUse } from '../state/journal.ts'
import type { Ticks } from '../ticks.ts'
import { CONTRACT_GAS } from './contract-gas.ts'

/*
 * Keys of the state (accounts, storage, contract records, codes) are cold or warm within a transaction. The first read of a key
 * costs disk time. The first write adds an entry to the block's batch, the history and the tree. After that the value is in
 * memory, and further uses cost only the in-memory price of the tables.
 */

const { read, write } = CONTRACT_GAS.key
const { codeByte } = CONTRACT_GAS.account

/** Price of reading a key, in addition to the work in memory. Charge it before the read. */
export const keyReadGas = (use: KeyUse): Ticks => (use === 'none' ? read : 0)

/** Price of writing a key; includes its read if there was none yet. */
export const keyWriteGas = (use: KeyUse): Ticks => (use === 'written' ? 0 : keyReadGas(use) + write)

/** Price of reading a code of this many bytes. */
export const codeReadGas = (use: KeyUse, bytes: number): Ticks => (use === 'none' ? read + codeByte * bytes : 0)
