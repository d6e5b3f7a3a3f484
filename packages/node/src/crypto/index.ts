/** The fastest cryptography that loads, and sender recovery with it. */
export { type LoadedCrypto, loadCrypto } from './load.ts'
export { createInlineRecovery, type SenderRecovery } from './recovery.ts'
export type { RecoverableSignature } from './signature-batch.ts'
