import { createEngine, describeEngine, type Engine, type WasmPower } from '../vm/index.ts'
import { GUEST_LINK } from './guest.ts'
import { CONTRACT_HOST } from './host/index.ts'

/** The engine with the host functions and the guest interface of contracts. `binary` is the metered interpreter. */
export const createContractEngine = (wasm: WasmPower, binary: Uint8Array): Engine =>
  createEngine({ wasm, binary, host: CONTRACT_HOST, link: GUEST_LINK })

/** What decides how contracts execute, for the execution version. */
export const describeContractEngine = (): readonly string[] => describeEngine(CONTRACT_HOST, GUEST_LINK)
