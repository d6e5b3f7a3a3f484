import { afterEach, beforeEach } from 'vitest'
import { openTestNode, type TestNode } from './chain.ts'
import { crypto, fourValidators } from './fixture.ts'
import { serveTestNode, type TestRpc } from './rpc.ts'

/**
 * Opens a node of four validators and an RPC server for each test of a file.
 *
 * @param use Called before each test, and waited for.
 */
export function serveEach(use: (node: TestNode, rpc: TestRpc) => unknown): void {
  let rpc: TestRpc
  beforeEach(async () => {
    const node = await openTestNode({ crypto, validators: fourValidators })
    rpc = await serveTestNode(node, crypto)
    await use(node, rpc)
  })
  afterEach(() => rpc.server.close())
}
