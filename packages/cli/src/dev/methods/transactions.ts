import {
  address,
  bigQuantity,
  by,
  type CallContext,
  callObject,
  invalidParams,
  looseInteger,
  method,
  quantity,
  RPC_CODE,
  RpcError,
  reader,
} from '@quoin/node/rpc'
import {
  type Address,
  encodeTransaction,
  type Gas,
  type Hash,
  type Nonce,
  signingPreimage,
  U32_MAX,
  type UnsignedTransaction,
  Wei,
} from '@quoin/protocol'
import { z } from 'zod'
import type { DevBackend } from '../dev-backend.ts'
import { impersonatedSignature } from '../impersonation.ts'
import { estimate } from './calls.ts'
import type { DevMethods } from './naming.ts'

/** Fields of a transaction that a call does not have. */
const sending = z.object({
  from: address,
  nonce: looseInteger.refine((value) => value <= U32_MAX, `is above ${U32_MAX}`).optional(),
  gasPrice: bigQuantity.optional(),
  maxPriorityFeePerGas: bigQuantity.optional(),
  chainId: quantity.optional(),
})
const readSending = by(sending)
const transactionRequest = reader((value, limits) => ({ ...callObject.read(value, limits), ...readSending(value) }))
type TransactionRequest = ReturnType<typeof transactionRequest.read>

/** EIP-1559 (2), unless the request has a gas price: then EIP-2930 (1) with an access list, else legacy (0). */
function typeOf({ gasPrice, accessList }: TransactionRequest): UnsignedTransaction['type'] {
  if (gasPrice === undefined) return 2
  return accessList.length === 0 ? 0 : 1
}

async function prepare(
  backend: DevBackend,
  request: TransactionRequest,
  nonce: number,
  context: CallContext,
): Promise<UnsignedTransaction> {
  const { to, value, data, accessList, gasPrice, maxFeePerGas, maxPriorityFeePerGas = 0n } = request
  const gas = request.gas ?? Number(await estimate(backend, [request, { tag: 'latest' }, new Map(), {}], context))
  const highest = gasPrice ?? (maxFeePerGas > 0n ? maxFeePerGas : backend.nextBaseFee() + maxPriorityFeePerGas)
  return {
    type: typeOf(request),
    chainId: backend.chainId,
    nonce: (request.nonce ?? nonce) as Nonce,
    maxPriorityFeePerGas: Wei(gasPrice ?? maxPriorityFeePerGas),
    maxFeePerGas: Wei(highest),
    gasLimit: gas as Gas,
    ...{ to, value, data, accessList },
  }
}

/** The network encoding: signed with the account's key if the node has it, else with the marker signature of impersonated senders. */
function signed({ accounts, crypto }: DevBackend, sender: Address, transaction: UnsignedTransaction): Uint8Array {
  if (!accounts.hasKey(sender)) return encodeTransaction(transaction, { signature: impersonatedSignature(sender), yParity: 0 })
  return encodeTransaction(transaction, accounts.sign(sender, crypto.keccak256(signingPreimage(transaction))))
}

async function send(backend: DevBackend, request: TransactionRequest, context: CallContext): Promise<Hash> {
  const { from, chainId = backend.chainId } = request
  if (chainId !== backend.chainId)
    throw invalidParams(`transaction is for chain id ${chainId}, but this chain has id ${backend.chainId}`)
  const sent = await backend.dev.send(from, async (nonce) =>
    signed(backend, from, await prepare(backend, request, nonce, context)),
  )
  if (sent.ok) return sent.value
  throw new RpcError(RPC_CODE.transactionRejected, sent.error.message)
}

function requireSender({ accounts }: DevBackend, sender: Address): void {
  if (accounts.hasKey(sender) || accounts.isImpersonated(sender)) return
  throw new RpcError(
    RPC_CODE.unauthorized,
    `the node has no key for ${sender}: sign the transaction yourself, or call anvil_impersonateAccount first`,
  )
}

/** Transactions that the node signs, or sends for impersonated accounts. */
export const sendingMethods: DevMethods = {
  eth_sendTransaction: method([transactionRequest], (backend: DevBackend, [request], context) => {
    requireSender(backend, request.from)
    return send(backend, request, context)
  }),
  eth_sendUnsignedTransaction: method([transactionRequest], (backend: DevBackend, [request], context) =>
    send(backend, request, context),
  ),
}
