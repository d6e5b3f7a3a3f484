export { MemoryKv } from './memory-kv.ts'
export { loadContractEngine, loadEngineBinary } from './wasm.ts'
