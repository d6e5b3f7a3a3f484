import { type Address, bytesToHex, type Hex } from '@quoin/protocol'
import { whenThere } from '../../awaitable.ts'
import type { RpcBackend, StateView } from '../backend.ts'
import { requireHeight } from '../blocks.ts'
import { RpcError } from '../errors.ts'
import { quantityHex, storageWord } from '../format.ts'
import * as forms from '../forms/index.ts'
import { type CallContext, type Methods, method } from '../method.ts'
import { by, Misfit, member, reader, readList, readObject, requireFew, shown } from '../reader.ts'
import { address, type BlockReference, blockReference, storageKey } from '../schema.ts'

/** The state after a block. Throws RpcError if the block does not exist, or its state is no longer kept. */
export function stateOf(backend: RpcBackend, reference: BlockReference): StateView {
  const height = requireHeight(backend, reference)
  const view = backend.stateAt(height)
  if (view === undefined)
    throw new RpcError('pruned', `pruned history unavailable: the state of block ${height} is no longer kept`)
  return view
}

const STORAGE_REQUESTS: forms.Schema = { ...forms.mapOf(forms.list(forms.storageKey), '0x[0-9a-fA-F]{40}'), minProperties: 1 }
/** Storage keys of several accounts, for `eth_getStorageValues`. */
const storageRequests = reader(STORAGE_REQUESTS, (value, { storageKeysMax }): ReadonlyMap<Address, readonly Uint8Array[]> => {
  const object = readObject(value)
  const requests = new Map<Address, readonly Uint8Array[]>()
  let left = storageKeysMax
  const names = Object.keys(object)
  requireFew(names.length, storageKeysMax, 'accounts')
  for (const name of names) {
    const account = address.usual(name)
    if (account === undefined)
      throw new Misfit(`has the invalid key ${shown(name)}: each key must be an address, 0x and 40 hex digits`)
    const keys = member(object, name, (list) => readList(list, left, 'storage keys after those of earlier accounts', readKey))
    left -= keys.length
    requests.set(account, keys)
  }
  // As in go-ethereum.
  if (left === storageKeysMax) throw new Misfit('is empty: it must name at least one storage key')
  return requests
})
const readKey = by(storageKey)

/** Values of several accounts' storage, by address. Yields to other work between reads. */
async function storageValues(
  backend: RpcBackend,
  [requests, reference]: [ReadonlyMap<Address, readonly Uint8Array[]>, BlockReference],
  call: CallContext,
): Promise<Readonly<Record<Address, readonly Hex[]>>> {
  const { responseBytesMax } = call.limits
  const state = stateOf(backend, reference)
  const values: Record<Address, readonly Hex[]> = {}
  let bytes = 0
  for (const [account, keys] of requests) {
    const found: Hex[] = []
    for (const key of keys) {
      if (call.isSliceOver()) await call.nextTurn()
      const value = bytesToHex(storageWord((await state.storage(account, key)) ?? new Uint8Array(0)))
      bytes += value.length
      if (bytes > responseBytesMax)
        throw new RpcError(
          'answer-too-large',
          `response too large: the values exceed ${responseBytesMax} bytes, ask for fewer keys`,
        )
      call.hold(value.length)
      found.push(value)
    }
    values[account] = found
  }
  return values
}

/** The sender's next nonce, counting its transactions in the pool that can run. */
export async function nextNonce(backend: RpcBackend, sender: Address): Promise<number> {
  const waiting = await backend.pool.pendingNonce(sender)
  return waiting ?? (await stateOf(backend, { tag: 'latest' }).account(sender)).nonce
}

const isPending = (reference: BlockReference): boolean => 'tag' in reference && reference.tag === 'pending'

export const stateMethods: Methods<RpcBackend> = {
  eth_getBalance: method(
    { summary: 'The balance of an account, in wei.', params: ['address', 'block'], result: forms.quantity },
    [address, blockReference],
    (backend: RpcBackend, [account, reference]) =>
      whenThere(stateOf(backend, reference).account(account), ({ balance }) => quantityHex(balance)),
  ),
  eth_getTransactionCount: method(
    {
      summary: 'The next nonce of an account; for pending, behind its transactions that wait.',
      params: ['address', 'block'],
      result: forms.quantity,
    },
    [address, blockReference],
    (backend: RpcBackend, [account, reference]) => {
      if (isPending(reference)) return nextNonce(backend, account).then(quantityHex)
      return whenThere(stateOf(backend, reference).account(account), ({ nonce }) => quantityHex(nonce))
    },
  ),
  eth_getCode: method(
    { summary: 'The code of a contract; empty without one.', params: ['address', 'block'], result: forms.bytes },
    [address, blockReference],
    async (backend: RpcBackend, [account, reference]) =>
      bytesToHex((await stateOf(backend, reference).code(account)) ?? new Uint8Array(0)),
  ),
  eth_getStorageAt: method(
    { summary: 'A value of the storage of a contract.', params: ['address', 'key', 'block'], result: forms.bytes },
    [address, storageKey, blockReference],
    async (backend: RpcBackend, [account, key, reference]) =>
      bytesToHex(storageWord((await stateOf(backend, reference).storage(account, key)) ?? new Uint8Array(0))),
  ),
  eth_getStorageValues: method(
    { summary: 'Values of the storage of several contracts.', params: ['requests', 'block'], result: forms.storageValues },
    [storageRequests, blockReference],
    storageValues,
  ),
}
