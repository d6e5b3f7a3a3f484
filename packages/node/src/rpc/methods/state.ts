import { type Address, bytesToHex } from '@quoin/protocol'
import { whenThere } from '../../awaitable.ts'
import type { RpcBackend, StateView } from '../backend.ts'
import { requireHeight } from '../blocks.ts'
import { RPC_CODE, RpcError } from '../errors.ts'
import { quantityHex } from '../format.ts'
import { type Methods, method } from '../method.ts'
import { address, type BlockReference, blockReference, storageKey } from '../schema.ts'

/** The state after a block. Throws RpcError if the block does not exist, or its state is no longer kept. */
export function stateOf(backend: RpcBackend, reference: BlockReference): StateView {
  const height = requireHeight(backend, reference)
  const view = backend.stateAt(height)
  if (view === undefined)
    throw new RpcError(RPC_CODE.prunedHistory, `pruned history unavailable: the state of block ${height} is no longer kept`)
  return view
}

/** Pads a value on the left to 32 bytes, as clients expect. Longer values, which Ethereum does not have, are returned unchanged. */
function storageWord(value: Uint8Array): Uint8Array {
  if (value.length >= 32) return value
  const word = new Uint8Array(32)
  word.set(value, 32 - value.length)
  return word
}

/** The sender's next nonce, counting its transactions in the pool that can run. */
export async function nextNonce(backend: RpcBackend, sender: Address): Promise<number> {
  const waiting = await backend.pool.pendingNonce(sender)
  return waiting ?? (await stateOf(backend, { tag: 'latest' }).account(sender)).nonce
}

const isPending = (reference: BlockReference): boolean => 'tag' in reference && reference.tag === 'pending'

export const stateMethods: Methods<RpcBackend> = {
  eth_getBalance: method([address, blockReference], (backend: RpcBackend, [account, reference]) =>
    whenThere(stateOf(backend, reference).account(account), ({ balance }) => quantityHex(balance)),
  ),
  eth_getTransactionCount: method([address, blockReference], (backend: RpcBackend, [account, reference]) => {
    if (isPending(reference)) return nextNonce(backend, account).then(quantityHex)
    return whenThere(stateOf(backend, reference).account(account), ({ nonce }) => quantityHex(nonce))
  }),
  eth_getCode: method([address, blockReference], async (backend: RpcBackend, [account, reference]) =>
    bytesToHex((await stateOf(backend, reference).code(account)) ?? new Uint8Array(0)),
  ),
  eth_getStorageAt: method([address, storageKey, blockReference], async (backend: RpcBackend, [account, key, reference]) =>
    bytesToHex(storageWord((await stateOf(backend, reference).storage(account, key)) ?? new Uint8Array(0))),
  ),
}
