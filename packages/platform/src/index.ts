export {
  DEVELOPMENT_ACCOUNTS,
  DEVELOPMENT_BALANCE,
  DEVELOPMENT_MNEMONIC,
  type DevelopmentAccount,
  developmentAccounts,
  developmentAddress,
} from './development-accounts.ts'
export { MemoryKv } from './memory-kv.ts'
export { loadContractInterpreter, loadInterpreterBinary } from './wasm.ts'
