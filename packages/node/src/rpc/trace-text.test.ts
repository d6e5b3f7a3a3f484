import type { CallFrame } from '@quoin/execution'
import { Address } from '@quoin/protocol'
import { expect, it } from 'vitest'
import { traceText } from './trace-text.ts'

it('counts the bytes of an answer, also where a contract says more than ASCII', () => {
  const end = {
    kind: 'reverted',
    output: new Uint8Array(0),
    reason: 'zu wenig für 𝔸',
    detail: '€'.repeat(50),
    stack: undefined,
  } as const
  const inner: CallFrame = {
    ...{ kind: 'call', from: Address(`0x${'11'.repeat(20)}`), to: Address(`0x${'22'.repeat(20)}`), value: 0n },
    ...{ input: new Uint8Array(0), gas: 5, gasUsed: 3, end, logs: [], calls: [] },
  }
  const traces = [{ hash: undefined, trace: { kind: 'calls', frame: { ...inner, calls: [inner, inner] } } }] as const
  const form = { kind: 'geth', isList: false, state: { kind: 'diff' } } as const
  const text = traceText(traces, form, 10_000)!.join('')
  expect(JSON.parse(text).calls[1].quoin).toEqual({ reason: end.reason, detail: end.detail })
  const bytes = Buffer.byteLength(text)
  expect(bytes).toBeGreaterThan(text.length + 200)
  expect(traceText(traces, form, bytes)?.join('')).toBe(text)
  expect(traceText(traces, form, bytes - 1)).toBeUndefined()
})
