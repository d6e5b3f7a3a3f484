/** The key that votes, and the keys of development networks, which everybody knows. */
export { DEVELOPMENT_VALIDATORS_MAX, developmentNodeSeed, developmentValidatorKey } from './development.ts'
export { type ValidatorKey, validatorKeyOf } from './validator-key.ts'
