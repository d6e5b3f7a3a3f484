import { isPromise } from '../awaitable.ts'
import { CallGivenUp } from './call.ts'
import { invalidParams, RpcError } from './errors.ts'
import { quantityHex } from './format.ts'
import type { CallContext } from './method.ts'
import { Misfit, readBy } from './reader.ts'
import { quantity } from './schema.ts'

function readHeight(given: unknown): number {
  try {
    return readBy(quantity, given)
  } catch (thrown) {
    if (!(thrown instanceof Misfit)) throw thrown
    throw invalidParams(`invalid minHeight: ${thrown.description}`)
  }
}

/**
 * Undefined if the head has the height that a request must see; otherwise resolves when it has. Throws RpcError, or rejects with it, if the
 * height is invalid or does not come in time.
 */
export const whenReached = (minHeight: unknown, call: CallContext): Promise<void> | undefined =>
  reach(readHeight(minHeight), call)

/** The same for a height that was read. */
export function reach(height: number, call: CallContext): Promise<void> | undefined {
  const { heights } = call.shared
  const checked = (isReached: boolean): undefined => {
    if (isReached) return undefined
    if (call.isGivenUp) throw new CallGivenUp()
    throw behind(height, heights.head)
  }
  const reached = heights.reach(
    height,
    () => call.waitMs(),
    () => call.signal,
  )
  return isPromise(reached) ? reached.then(checked) : checked(reached)
}

const behind = (height: number, head: number): RpcError =>
  new RpcError('behind', `block ${height} is not here yet: the head of this node is block ${head}`, {
    height: quantityHex(head),
    minHeight: quantityHex(height),
  })
