import { expect, it } from 'vitest'
import { LogRecorder } from '../../test/chain.ts'
import { ManualClock } from '../../test/clock.ts'
import { Allowances } from './allowance.ts'
import { Dispatcher } from './dispatch.ts'
import { DEFAULT_RPC_LIMITS } from './limits.ts'
import type { CallContext } from './method.ts'

/** A client with this many units, which are not refilled during the test. */
function open(units: number) {
  const allowances = new Allowances(new ManualClock(), { unitsPerSecond: 0.001, unitsBurst: units })
  const taken: number[] = []
  const dispatcher = new Dispatcher({
    ...{ backend: {}, logger: new LogRecorder(), permission: () => undefined, readRefusal: () => undefined },
    methods: { one: { run: () => 1 } },
    allowances: {
      take(remote, cost) {
        taken.push(cost)
        return allowances.take(remote, cost)
      },
    },
  })
  const call = { identity: { remote: 'a', connection: 1 }, limits: DEFAULT_RPC_LIMITS, isSliceOver: () => false, hold: () => {} }
  const answer = async (text: string): Promise<readonly unknown[]> => {
    const given = await dispatcher.answer(Buffer.from(text), call as unknown as CallContext)
    const parsed = JSON.parse(given!.pieces.join('')) as object
    return (Array.isArray(parsed) ? parsed : [parsed]).map(
      ({ result, error }: { result?: unknown; error?: { code: number } }) => error?.code ?? result,
    )
  }
  return { answer, taken }
}

it('a text costs one unit per KiB before it is parsed', async () => {
  const { answer, taken } = open(10)
  const broken = `{"id":1,"method":"one","x":"${'x'.repeat(5 * 1_024)}`
  expect(await answer(`${broken}"}`)).toEqual([1])
  expect(taken).toEqual([5, 1])
  // Without enough units, the text is not parsed at all.
  expect(await answer(broken)).toEqual([-32005])
  expect(taken).toEqual([5, 1, 5])
  expect(await answer('{"id":1,"method":"one"}')).toEqual([1])
})

it('an invalid request and an unknown method cost units too', async () => {
  const { answer, taken } = open(6)
  for (const [text, code] of [
    ['{', -32700],
    ['[]', -32600],
    ['7', -32600],
    ['{"id":{},"method":"one"}', -32600],
    ['{"id":1,"method":"two"}', -32601],
  ] as const)
    expect(await answer(text)).toEqual([code])
  expect(await answer('[1,2]')).toEqual([-32600, -32005])
  expect(taken).toEqual([1, 1, 1, 1, 1, 1, 1])
})
