import type { Tracer } from '@quoin/execution'
import { bytesToHex } from '@quoin/protocol'
import type { RpcBackend } from '../backend.ts'
import { findTransaction } from '../blocks.ts'
import * as forms from '../forms/index.ts'
import type { JsonText } from '../json-text.ts'
import { type Method, type Methods, method } from '../method.ts'
import type { OtterscanForm } from '../otterscan-traces.ts'
import { hash } from '../schema.ts'
import { TRACE_TIMEOUT_MS } from '../trace-schema.ts'
import { traceTransaction } from './traces.ts'

const CALLS: Tracer = { kind: 'calls', onlyTopCall: false, withLog: false }

const traced = (kind: OtterscanForm['kind'], summary: string, item: forms.Schema): Method<RpcBackend> =>
  method(
    { summary, params: ['hash'], result: forms.orNull(forms.list(item)) },
    [hash],
    (backend: RpcBackend, [transactionHash], call): Promise<JsonText> | null => {
      const found = findTransaction(backend, transactionHash)
      return found === undefined ? null : traceTransaction(backend, found, CALLS, { kind }, TRACE_TIMEOUT_MS, call)
    },
  )

/** Methods of Otterscan that look into a transaction. An unknown transaction is null. */
export const otterscanTraceMethods: Methods<RpcBackend> = {
  ots_traceTransaction: traced(
    'otterscan-calls',
    'All calls of a transaction in the order of their starts, or null.',
    forms.tracedCall,
  ),
  ots_getInternalOperations: traced(
    'otterscan-operations',
    'Transfers and creations inside a transaction, or null.',
    forms.operation,
  ),
  /** The error data of a failed transaction is in its receipt, so nothing is run. */
  ots_getTransactionError: method(
    {
      summary: 'What a failed transaction returned, or null for an unknown one.',
      params: ['hash'],
      result: forms.orNull(forms.bytes),
    },
    [hash],
    (backend: RpcBackend, [transactionHash]) => {
      const found = findTransaction(backend, transactionHash)
      if (found === undefined) return null
      const { block, index } = found
      const receipt = backend.blocks.receipts(block.header.number)?.[index]
      if (receipt === undefined) throw new Error(`the database is damaged: no receipt ${index} of block ${block.header.number}`)
      return bytesToHex(receipt.errorData)
    },
  ),
}
