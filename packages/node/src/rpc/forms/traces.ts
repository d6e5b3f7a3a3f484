import { anyOf, closed, component, componentNamed, list, mapOf, oneOf, open, orNull } from './json-schema.ts'
import { address, bytes, hash, quantity, string, whole } from './values.ts'

/** The forms of traces, after go-ethereum's tracers and Otterscan's documentation. */

const frameType = oneOf('CALL', 'STATICCALL', 'CREATE', 'CREATE2')

export const callFrame = component(
  'CallFrame',
  closed(
    { type: frameType, from: address, gas: quantity, gasUsed: quantity, input: bytes },
    {
      ...{ to: address, value: quantity, output: bytes, error: oneOf('out of gas', 'execution reverted'), revertReason: string },
      // Why the frame failed. go-ethereum has no such member.
      quoin: closed({ reason: string }, { detail: string, stack: string }),
      logs: list(closed({ address, topics: list(hash), data: bytes, index: quantity, position: quantity })),
      calls: list(componentNamed('CallFrame')),
    },
  ),
)

const KEYS = '0x([0-9a-f]{2})*'
const accountStates = component(
  'AccountStates',
  mapOf(closed({}, { balance: quantity, nonce: whole, code: bytes, storage: mapOf(bytes, KEYS) }), '0x[0-9a-f]{40}'),
)

/** Of `callTracer`; of `prestateTracer`, with `diffMode` and without. */
export const trace = component('Trace', anyOf(callFrame, closed({ pre: accountStates, post: accountStates }), accountStates))

export const blockTrace = component('BlockTrace', open({ txHash: hash, result: trace }))

const operands = { from: address, to: address, value: quantity }
export const tracedCall = component(
  'TracedCall',
  closed({ ...operands, type: frameType, depth: whole, value: orNull(quantity), input: bytes, output: bytes }),
)
/** 0 is a transfer, 2 a creation, 3 a creation with a salt. */
export const operation = component('Operation', closed({ type: { type: 'integer', enum: [0, 2, 3] }, ...operands }))
