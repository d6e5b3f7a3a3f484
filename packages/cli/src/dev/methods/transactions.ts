import {
  address,
  by,
  type CallContext,
  complete,
  forms,
  method,
  RpcError,
  reader,
  type TransactionRequest,
  transactionRequest,
} from '@quoin/node/rpc'
import { type Address, encodeTransaction, type Hash, signingPreimage, type UnsignedTransaction } from '@quoin/protocol'
import { z } from 'zod'
import type { DevBackend } from '../dev-backend.ts'
import { impersonatedSignature } from '../impersonation.ts'
import { estimate } from './calls.ts'
import type { DevMethods } from './naming.ts'

/** A transaction to send: unlike a call, it must name its sender. */
const sending = z.object({ from: address })
const readSending = by(sending)
const SENT = forms.component('SentTransaction', { ...transactionRequest.form, required: ['from'] })
const sentTransaction = reader(SENT, (value, limits) => ({ ...transactionRequest.read(value, limits), ...readSending(value) }))

/** The network encoding: signed with the account's key if the node has it, else with the marker signature of impersonated senders. */
function signed({ accounts, crypto }: DevBackend, sender: Address, transaction: UnsignedTransaction): Uint8Array {
  if (!accounts.hasKey(sender)) return encodeTransaction(transaction, { signature: impersonatedSignature(sender), yParity: 0 })
  return encodeTransaction(transaction, accounts.sign(sender, crypto.keccak256(signingPreimage(transaction))))
}

async function send(backend: DevBackend, request: TransactionRequest, context: CallContext): Promise<Hash> {
  const { from } = request
  const sent = await backend.dev.send(from, async (nonce) =>
    signed(backend, from, await complete(backend, request, context, { nonce: async () => nonce, estimate })),
  )
  if (sent.ok) return sent.value
  throw new RpcError(sent.error.code, sent.error.message)
}

function requireSender({ accounts }: DevBackend, sender: Address): void {
  if (accounts.hasKey(sender) || accounts.isImpersonated(sender)) return
  throw new RpcError(
    'no-key',
    `the node has no key for ${sender}: sign the transaction yourself, or call anvil_impersonateAccount first`,
  )
}

/** Transactions that the node signs, or sends for impersonated accounts. */
export const sendingMethods: DevMethods = {
  eth_sendTransaction: method(
    { summary: 'Completes, signs and sends a transaction; answers its hash.', params: ['transaction'], result: forms.hash },
    [sentTransaction],
    (backend: DevBackend, [request], context) => {
      requireSender(backend, request.from)
      return send(backend, request, context)
    },
  ),
  eth_sendUnsignedTransaction: method(
    {
      summary: 'Completes and sends a transaction of any account; answers its hash.',
      params: ['transaction'],
      result: forms.hash,
    },
    [sentTransaction],
    (backend: DevBackend, [request], context) => send(backend, request, context),
  ),
}
