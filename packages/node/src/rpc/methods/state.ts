import { bytesToHex, type Wei } from '@quoin/protocol'
import type { RpcBackend, StateView } from '../backend.ts'
import { requireHeight } from '../blocks.ts'
import { RPC_CODE, RpcError } from '../errors.ts'
import { quantityHex } from '../format.ts'
import { type Methods, method } from '../method.ts'
import { address, type BlockReference, blockReference, type CallRequest, callRequest } from '../schema.ts'

function stateOf(backend: RpcBackend, reference: BlockReference): StateView {
  const height = requireHeight(backend, reference)
  const view = backend.stateAt(height)
  if (view === undefined)
    throw new RpcError(RPC_CODE.prunedHistory, `pruned history unavailable: the state of block ${height} is not kept`)
  return view
}

const isPending = (reference: BlockReference): boolean => 'tag' in reference && reference.tag === 'pending'

async function estimateGas(backend: RpcBackend, request: CallRequest, reference: BlockReference) {
  const { from, value = 0n } = request
  if (from !== undefined && value > 0n) {
    const { balance } = await stateOf(backend, reference).account(from)
    if (balance < value)
      throw new RpcError(RPC_CODE.server, `insufficient funds for gas * price + value: have ${balance} want ${value}`)
  }
  const estimate = backend.estimate({
    to: request.to ?? undefined,
    data: request.input ?? request.data ?? new Uint8Array(0),
    value: value as Wei,
    accessList: request.accessList ?? [],
  })
  if (!estimate.ok) throw new RpcError(RPC_CODE.server, estimate.error.message)
  return quantityHex(estimate.value)
}

export const stateMethods: Methods<RpcBackend> = {
  eth_getBalance: method([address, blockReference], async (backend: RpcBackend, [account, reference]) =>
    quantityHex((await stateOf(backend, reference).account(account)).balance),
  ),
  eth_getTransactionCount: method([address, blockReference], async (backend: RpcBackend, [account, reference]) => {
    const waiting = isPending(reference) ? backend.pool.pendingNonce(account) : undefined
    return quantityHex(waiting ?? (await stateOf(backend, reference).account(account)).nonce)
  }),
  eth_getCode: method([address, blockReference], async (backend: RpcBackend, [account, reference]) =>
    bytesToHex(await stateOf(backend, reference).code(account)),
  ),
  eth_estimateGas: method([callRequest, blockReference], (backend: RpcBackend, [request, reference]) =>
    estimateGas(backend, request, reference),
  ),
}
