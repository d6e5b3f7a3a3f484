import { createInterpreter, describeInterpreter, type Interpreter, type WasmPower } from '../vm/index.ts'
import { GUEST_LINK } from './guest.ts'
import { CONTRACT_HOST } from './host/index.ts'

/** The interpreter with the host functions and the guest interface of contracts. `binary` is the metered interpreter. */
export const createContractInterpreter = (wasm: WasmPower, binary: Uint8Array): Interpreter =>
  createInterpreter({ wasm, binary, host: CONTRACT_HOST, link: GUEST_LINK })

/** What decides how contracts execute, for the execution version. */
export const describeContractInterpreter = (): readonly string[] => describeInterpreter(CONTRACT_HOST, GUEST_LINK)
