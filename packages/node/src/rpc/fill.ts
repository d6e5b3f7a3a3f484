import {
  type Address,
  bytesToHex,
  type Gas,
  type Hex,
  type Nonce,
  U32_MAX,
  U256_MAX,
  type UnsignedTransaction,
  Wei,
} from '@quoin/protocol'
import { z } from 'zod'
import { callMembers, callObject } from './call-schema.ts'
import { invalidParams } from './errors.ts'
import { quantityHex } from './format.ts'
import * as forms from './forms/index.ts'
import { by, isGiven, Misfit, optional, reader, readObject } from './reader.ts'
import { bigQuantity, looseInteger, quantity } from './schema.ts'

const readBig = by(bigQuantity)
const readNonce = by(looseInteger.refine((value) => value <= U32_MAX, `is above ${U32_MAX}`))
const readChainId = by(quantity)
const readType = by(
  z.enum(['0x0', '0x1', '0x2'], { error: 'must be 0x0, 0x1 (EIP-2930) or 0x2 (EIP-1559): transaction type not valid' }),
)

/** Members of the types of transaction that this chain does not have: filling such a request would lose them. A price of 0 for blobs is no loss. */
const OTHER_TYPES = ['blobs', 'blobVersionedHashes', 'maxFeePerBlobGas', 'authorizationList'] as const

const REQUEST = forms.component(
  'TransactionRequest',
  forms.notBoth(
    forms.open(
      {},
      {
        ...{ ...callMembers, type: forms.oneOf('0x0', '0x1', '0x2'), nonce: forms.looseUint32, chainId: forms.uint53 },
        ...Object.fromEntries(OTHER_TYPES.map((name) => [name, { const: '0x0' }])),
      },
    ),
    ['gasPrice', 'maxFeePerGas'],
  ),
)

/**
 * A transaction that the node is to complete: a call, and the members of a transaction that a call does not have. Absent members are
 * undefined.
 */
export const transactionRequest = reader(REQUEST, (value, limits) => {
  const call = callObject.read(value, limits)
  const object = readObject(value)
  for (const name of OTHER_TYPES)
    if (isGiven(object, name) && object[name] !== '0x0')
      throw new Misfit(`has ${name}, but transactions of types 3 and 4 are not supported`)
  const type = optional(object, 'type', readType)
  return {
    ...call,
    type: type === undefined ? undefined : (Number(type) as 0 | 1 | 2),
    nonce: optional(object, 'nonce', readNonce),
    gasPrice: optional(object, 'gasPrice', readBig),
    feeCap: optional(object, 'maxFeePerGas', readBig),
    tip: optional(object, 'maxPriorityFeePerGas', readBig),
    chainId: optional(object, 'chainId', readChainId),
  }
})
export type TransactionRequest = ReturnType<typeof transactionRequest.read>

/** EIP-1559 (2), unless the request has a gas price: then EIP-2930 (1) with an access list, else legacy (0). */
function typeOf({ type, gasPrice, accessList }: TransactionRequest): UnsignedTransaction['type'] {
  if (type !== undefined) return type
  if (gasPrice === undefined) return 2
  return accessList.length === 0 ? 0 : 1
}

/** The type of a requested transaction. Throws RpcError if its members contradict each other or the chain. */
export function checkedType(request: TransactionRequest, chainId: number): UnsignedTransaction['type'] {
  const { gasPrice, feeCap, tip, accessList } = request
  if (request.chainId !== undefined && request.chainId !== chainId)
    throw invalidParams(`transaction is for chain id ${request.chainId}, but this chain has id ${chainId}`)
  const type = typeOf(request)
  if (type === 2 && gasPrice !== undefined) throw invalidParams('transaction of type 0x2 has gasPrice: use maxFeePerGas')
  if (type !== 2 && (feeCap ?? tip) !== undefined)
    throw invalidParams(`transaction of type 0x${type} has maxFeePerGas or maxPriorityFeePerGas: use gasPrice`)
  if (type === 0 && accessList.length > 0) throw invalidParams('transaction of type 0x0 has an access list: use type 0x1 or 0x2')
  return type
}

/** What the node knows and a request may lack. The functions are called only if it does. */
export interface Known {
  readonly chainId: number
  readonly baseFee: bigint
  readonly nonce: () => Promise<number>
  readonly gas: () => Promise<number>
}

/** How far the base fee may rise before a filled transaction has to wait: as in go-ethereum. */
const BASE_FEE_FACTOR = 2n

/** Completes a transaction. Throws RpcError if the request contradicts itself or the chain. */
export async function fillTransaction(request: TransactionRequest, known: Known): Promise<UnsignedTransaction> {
  const { to, value, data, accessList, gasPrice, feeCap } = request
  const { chainId } = known
  const type = checkedType(request, chainId)
  const tip = request.tip ?? 0n
  const highest = gasPrice ?? feeCap ?? (type === 2 ? BASE_FEE_FACTOR * known.baseFee + tip : known.baseFee)
  if (highest > U256_MAX) throw invalidParams('maxPriorityFeePerGas and the base fee exceed 256 bits together: give maxFeePerGas')
  if (tip > highest) throw invalidParams(`max priority fee per gas higher than max fee per gas: ${tip} is above ${highest}`)
  return {
    type,
    chainId,
    nonce: (request.nonce ?? (await known.nonce())) as Nonce,
    maxPriorityFeePerGas: Wei(type === 2 ? tip : highest),
    maxFeePerGas: Wei(highest),
    gasLimit: (request.gas ?? (await known.gas())) as Gas,
    ...{ to, value, data, accessList },
  }
}

/** The JSON of an unsigned transaction (`FilledTransaction` of execution-apis). */
export function formatUnsigned(transaction: UnsignedTransaction, from: Address): Readonly<Record<string, Hex | object | null>> {
  const { type, chainId, nonce, gasLimit, maxFeePerGas, maxPriorityFeePerGas, to, value, data, accessList } = transaction
  const fees =
    type === 2 ? { maxFeePerGas: quantityHex(maxFeePerGas), maxPriorityFeePerGas: quantityHex(maxPriorityFeePerGas) } : undefined
  return {
    type: quantityHex(type),
    chainId: quantityHex(chainId),
    from,
    to: to ?? null,
    nonce: quantityHex(nonce),
    gas: quantityHex(gasLimit),
    value: quantityHex(value),
    input: bytesToHex(data),
    gasPrice: quantityHex(maxFeePerGas),
    ...fees,
    ...(type === 0 ? {} : { accessList }),
  }
}
