import { loadCrypto } from '../src/crypto/load.ts'
import { testValidators } from './chain.ts'

/** The crypto that a node uses on this machine. */
export const crypto = await loadCrypto()

export const oneValidator = testValidators(crypto, 1)
export const fourValidators = testValidators(crypto, 4)
