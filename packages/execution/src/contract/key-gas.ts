import type { KeyUse } from '../state/journal.ts'
import type { Ticks } from '../ticks.ts'
import { CONTRACT_GAS } from './contract-gas.ts'

/*
 * Keys of the state (accounts, storage, contract records, codes) are cold or warm for a transaction. The first read of a key takes the disk's
 * time, the first write a place in the block's batch, in the history and in the tree. Once the transaction has used a key its value is in
 * memory, and using it again costs what the table has for that.
 */

const { read, write } = CONTRACT_GAS.key
const { codeByte } = CONTRACT_GAS.account

/** Of reading a key, besides what the work in memory costs. To be taken before the read. */
export const keyReadGas = (use: KeyUse): Ticks => (use === 'none' ? read : 0)

/** Of writing a key that was read or is read for this. */
export const keyWriteGas = (use: KeyUse): Ticks => (use === 'written' ? 0 : keyReadGas(use) + write)

/** Of reading a code of so many bytes. */
export const codeReadGas = (use: KeyUse, bytes: number): Ticks => (use === 'none' ? read + codeByte * bytes : 0)
