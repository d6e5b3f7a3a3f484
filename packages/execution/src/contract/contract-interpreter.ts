import { createInterpreter, describeInterpreter, type Interpreter, type InterpreterOptions, type WasmPower } from '../vm/index.ts'
import { GUEST_LINK } from './guest.ts'
import { CONTRACT_HOST } from './host/index.ts'

/**
 * Creates the interpreter with the host functions and the guest interface of contracts.
 *
 * @param binary the metered binary
 */
export const createContractInterpreter = (
  wasm: WasmPower,
  binary: Uint8Array,
  options: Pick<InterpreterOptions, 'tracesOutOfGas'> = {},
): Interpreter => createInterpreter({ ...options, wasm, binary, host: CONTRACT_HOST, link: GUEST_LINK })

/** Everything that decides how contracts execute, one `name value` per line, for the execution version. */
export const describeContractInterpreter = (): readonly string[] => describeInterpreter(CONTRACT_HOST, GUEST_LINK)
