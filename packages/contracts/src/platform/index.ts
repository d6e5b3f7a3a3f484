export { loadContractEngine, loadEngineBinary } from './wasm.ts'
