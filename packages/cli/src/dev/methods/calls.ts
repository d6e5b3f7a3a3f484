import {
  type CallContext,
  CallOutOfGas,
  type CallParams,
  CallReverted,
  call,
  callParameters,
  callSignatures,
  estimateGas,
  filling,
  method,
} from '@quoin/node/rpc'
import type { DevBackend } from '../dev-backend.ts'
import type { DevMethods } from './naming.ts'

type Run<Answer> = (backend: DevBackend, params: CallParams, context: CallContext) => Promise<Answer>

/** A call whose error gets the author's source lines; the log prints it too. */
const telling =
  <Answer>(name: string, run: Run<Answer>): Run<Answer> =>
  async (backend, params, context) => {
    const { instance } = backend.dev
    try {
      return await run(backend, params, context)
    } catch (failure) {
      if (!(failure instanceof CallReverted || failure instanceof CallOutOfGas)) throw failure
      throw await backend.log.call(name, params[0], failure, instance)
    }
  }

export const estimate = telling('eth_estimateGas', estimateGas)

/** Read-only calls. Their errors contain the author's source lines if the artifacts are known. */
export const callMethods: DevMethods = {
  eth_call: method(callSignatures.eth_call, callParameters, telling('eth_call', call)),
  eth_estimateGas: method(callSignatures.eth_estimateGas, callParameters, estimate),
  eth_fillTransaction: filling(estimate),
}
