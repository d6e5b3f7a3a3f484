// No directive here: server components may import `contractStateOptions`. Each module of a hook has its own.
export type { ChainId } from './chain.ts'
export {
  type ContractStateOptions,
  type ContractStateParameters,
  contractStateOptions,
} from './contract-state.ts'
export { type UseContractStateParameters, type UseContractStateResult, useContractState } from './use-contract-state.ts'
export { type UseSendResult, useSend } from './use-send.ts'
export { type UseStreamParameters, type UseStreamResult, useStream } from './use-stream.ts'
