import { forms, looseInteger, method, quantityHex, RpcError } from '@quoin/node/rpc'
import { z } from 'zod'
import type { DevBackend } from '../dev-backend.ts'
import { type DevMethods, DONE, DONE_FORM, underBothNames } from './naming.ts'

/** Without a fork, viem still sends `forking`, without a URL and with a block number of null. */
const resetOptions = z
  .object({ forking: z.object({ jsonRpcUrl: z.string().nullish(), blockNumber: z.number().nullish() }).nullish() })
  .optional()

const reset = method(
  { summary: 'Goes back to block 0.', params: ['options'], result: DONE_FORM },
  [resetOptions],
  async ({ dev, accounts }: DevBackend, [options], { shared }) => {
    const { jsonRpcUrl, blockNumber } = options?.forking ?? {}
    if ((jsonRpcUrl ?? blockNumber ?? undefined) !== undefined)
      throw new RpcError('not-supported', 'quoin dev cannot fork another chain: call without `forking` to go back to block 0')
    shared.rewind(await dev.reset())
    accounts.reset()
    return DONE
  },
)

/** Snapshots and reset. */
export const snapshotMethods: DevMethods = {
  evm_snapshot: method(
    { summary: 'Takes a snapshot; answers its id.', params: [], result: forms.quantity },
    [],
    async ({ dev }: DevBackend) => quantityHex(await dev.snapshot()),
  ),
  evm_revert: method(
    { summary: 'Goes back to a snapshot; answers whether it existed.', params: ['id'], result: forms.flag },
    [looseInteger],
    async ({ dev }: DevBackend, [id], { shared }) => {
      const rewind = await dev.revert(id)
      if (rewind !== undefined) shared.rewind(rewind)
      return rewind !== undefined
    },
  ),
  ...underBothNames('reset', reset),
}
