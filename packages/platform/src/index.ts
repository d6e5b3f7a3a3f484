export {
  DEVELOPMENT_ACCOUNTS,
  DEVELOPMENT_BALANCE,
  DEVELOPMENT_MNEMONIC,
  type DevelopmentAccount,
  developmentAccounts,
  developmentAddress,
} from './development-accounts.ts'
export { MemoryKv } from './memory-kv.ts'
export { loadContractEngine, loadEngineBinary } from './wasm.ts'
