import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { eachUnder, linkDeadline, linkSignals } from './abort.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const isAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))

describe('a linked signal', () => {
  it('is aborted with the first of its sources, with the same reason', () => {
    const [a, b] = [new AbortController(), new AbortController()]
    const { signal } = linkSignals(a.signal, b.signal)
    b.abort('second')
    a.abort('first')
    expect(signal).toMatchObject({ aborted: true, reason: 'second' })
    expect(linkSignals(new AbortController().signal, a.signal).signal).toMatchObject({ aborted: true, reason: 'first' })
  })

  it('is not aborted after unlink, by sources or by its deadline', () => {
    const source = new AbortController()
    const ended: (() => void)[] = []
    const clock = { after: (_: number, action: () => void) => (ended.push(action), () => ended.splice(0)) }
    const link = linkDeadline(1, [source.signal], clock)
    link.unlink()
    source.abort()
    expect(ended).toEqual([])
    expect(link.signal.aborted).toBe(false)
  })

  it('is aborted at its deadline even if it is unreferenced and garbage is collected, unlike in Node.js 20', async () => {
    const client = new AbortController()
    const late = isAborted(linkDeadline(50, [linkSignals(client.signal).signal]).signal)
    for (let i = 0; i < 5; i++) {
      collectGarbage()
      await new Promise((resolve) => setImmediate(resolve))
    }
    await late
  })

  it('leaves no listener behind, and a thousand at once cause no warning', async () => {
    const source = new AbortController()
    let listeners = 0
    const count = (signal: AbortSignal) => {
      const { addEventListener: add, removeEventListener: remove } = signal
      signal.addEventListener = (...args: Parameters<typeof add>) => (listeners++, add.apply(signal, args))
      signal.removeEventListener = (...args: Parameters<typeof remove>) => (listeners--, remove.apply(signal, args))
    }
    count(source.signal)
    const warnings: unknown[] = []
    const warn = (warning: Error) => warnings.push(warning)
    process.on('warning', warn)
    const links = Array.from({ length: 1_000 }, () => linkSignals(source.signal))
    expect(listeners).toBe(1_000)
    for (const { unlink } of links) unlink()
    async function* each() {
      yield 1
      yield 2
    }
    for await (const _ of eachUnder(linkSignals(source.signal), each)) break
    await new Promise((resolve) => setImmediate(resolve))
    process.off('warning', warn)
    expect({ listeners, warnings }).toEqual({ listeners: 0, warnings: [] })
  })
})
