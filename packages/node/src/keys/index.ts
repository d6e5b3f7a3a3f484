/** Keys of validators and accounts, their files, and the public keys of development networks. */
export { type DataDir, dataDir } from './data-dir.ts'
export { DEVELOPMENT_VALIDATORS_MAX, developmentNodeSeed, developmentValidatorKey } from './development.ts'
export {
  addressInKeystore,
  addressOfSecret,
  KEYSTORE_LIMITS,
  type KeystoreError,
  openKeystore,
  parseKeystore,
  sealKeystore,
} from './keystore.ts'
export { readPasswordFile, readSecretFile } from './secret-file.ts'
export { type KeyError, type ValidatorKey, validatorKeyFile, validatorKeyOf } from './validator-key.ts'
export { type PasswordSource, readValidatorKey } from './validator-key-file.ts'
