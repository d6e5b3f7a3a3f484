import type { Log } from '@quoin/protocol'
import type { RpcLimits } from '../src/rpc/limits.ts'
import type { StoredHeader } from '../src/store/types.ts'
import { appendBlock } from './blocks.ts'
import { openTestNode, type TestNode, testAccounts, testTransfers } from './chain.ts'
import { crypto, oneValidator } from './fixture.ts'
import { serveTestNode, type TestRpc } from './rpc.ts'

/** Transactions, signed once. A store accepts any of them in any block, once each. */
export const raws: readonly Uint8Array[] = await testTransfers(testAccounts[0]!, 0, 32)

/** A chain whose logs the test decides, and its RPC. */
export interface LogChain {
  readonly node: TestNode
  readonly rpc: TestRpc
  /** Appends a block with one transaction per list of logs. */
  append(...transactions: (readonly Log[])[]): Promise<StoredHeader>
}

export async function openLogChain(limits: Partial<RpcLimits> = {}): Promise<LogChain> {
  const node = await openTestNode({ crypto, validators: oneValidator })
  const rpc = await serveTestNode(node, crypto, limits)
  let used = 0
  const append: LogChain['append'] = (...transactions) =>
    appendBlock(
      node,
      crypto,
      transactions.map((logs) => ({ raw: raws[used++]!, logs })),
    )
  return { node, rpc, append }
}
