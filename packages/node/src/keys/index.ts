/** Validator keys, and the public keys of development networks. */
export { DEVELOPMENT_VALIDATORS_MAX, developmentNodeSeed, developmentValidatorKey } from './development.ts'
export { type ValidatorKey, validatorKeyOf } from './validator-key.ts'
