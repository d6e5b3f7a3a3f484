import { invalidParams } from '@quoin/node/rpc'
import type { Result } from '@quoin/protocol'
import type { ChainTime, TimeRefusal } from '../chain-time.ts'
import type { DevBackend } from '../dev-backend.ts'

/**
 * The value of a result.
 *
 * @throws RpcError (invalid params) with the refusal's message
 */
export function orRefuse<T>(result: Result<T, { readonly message: string }>): T {
  if (result.ok) return result.value
  throw invalidParams(result.error.message)
}

/** Changes the chain's time while no other change runs. `parentMs` is the time of the last block. */
export const timed = async <T>(
  { dev }: DevBackend,
  change: (time: ChainTime, parentMs: number) => Result<T, TimeRefusal>,
): Promise<T> => orRefuse(await dev.exclusive(async () => change(dev.time, dev.head.header.timeMs)))
