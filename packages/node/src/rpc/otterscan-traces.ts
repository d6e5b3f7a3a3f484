import type { CallFrame, Trace } from '@quoin/execution'
import { bytesToHex, ZERO_ADDRESS } from '@quoin/protocol'
import { quantityHex } from './format.ts'
import { FRAME_TYPES } from './frame-type.ts'

/*
 * The JSON of Otterscan's traces (github.com/otterscan/otterscan, docs/custom-jsonrpc.md), as Erigon and reth write it.
 */

/** All call frames in a list, or the transfers and creations inside a transaction. */
export interface OtterscanForm {
  readonly kind: 'otterscan-calls' | 'otterscan-operations'
}

/** Otterscan's numbers of operations. 1 is a self-destruct. */
const OPERATION = { transfer: 0, create: 2, create2: 3 } as const

export function* otterscanTexts(trace: Trace, { kind }: OtterscanForm): Generator<string> {
  if (trace.kind !== 'calls') throw new Error('Otterscan needs call frames')
  const items = kind === 'otterscan-calls' ? entriesOf(trace.frame, 0) : operationsOf(trace.frame)
  yield '['
  let separator = ''
  for (const item of items) {
    yield separator + JSON.stringify(item)
    separator = ','
  }
  yield ']'
}

function* entriesOf(frame: CallFrame, depth: number): Generator<object> {
  const { kind, from, to = ZERO_ADDRESS, value, input, end } = frame
  yield {
    ...{ type: FRAME_TYPES[kind], depth, from, to },
    value: kind === 'static-call' ? null : quantityHex(value),
    input: bytesToHex(input),
    output: bytesToHex(end.output),
  }
  for (const call of frame.calls) yield* entriesOf(call, depth + 1)
}

/** Operations of the calls that a frame made. A failed frame has none: what happened in it was undone. */
function* operationsOf({ end, calls }: CallFrame): Generator<object> {
  if (end.kind !== 'returned') return
  for (const call of calls) {
    const { kind, from, to, value } = call
    if (call.end.kind === 'returned') {
      if (kind === 'create' || kind === 'create2') yield { type: OPERATION[kind], from, to, value: quantityHex(value) }
      else if (value > 0n) yield { type: OPERATION.transfer, from, to, value: quantityHex(value) }
    }
    yield* operationsOf(call)
  }
}
