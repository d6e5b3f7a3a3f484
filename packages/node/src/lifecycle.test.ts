import { describe, expect, it } from 'vitest'
import { Scope } from './lifecycle.ts'

const failures = () => {
  const seen: [unknown, string][] = []
  return { seen, onFailure: (error: unknown, name: string) => void seen.push([error, name]) }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))

describe('Scope', () => {
  it('closes what it owns last in, first out, one after another', async () => {
    const order: string[] = []
    const scope = new Scope(failures().onFailure)
    const resource = (name: string) => ({
      async close() {
        order.push(`${name} closes`)
        await Promise.resolve()
        order.push(`${name} closed`)
      },
    })
    scope.own(resource('store'))
    scope.own(resource('chain'))
    scope.spawn('engine', async (signal) => {
      await aborted(signal)
      order.push('engine ended')
    })
    await scope.close()
    expect(order).toEqual(['engine ended', 'chain closes', 'chain closed', 'store closes', 'store closed'])
  })

  it('waits for a loop before it closes what the loop may still use', async () => {
    const order: string[] = []
    const scope = new Scope(failures().onFailure)
    let finish = () => {}
    scope.own({ close: () => void order.push('store closed') })
    scope.spawn('loop', async () => {
      await new Promise<void>((resolve) => {
        finish = resolve
      })
      order.push('loop ended')
    })
    const closing = scope.close()
    await Promise.resolve()
    expect(order).toEqual([])
    finish()
    await closing
    expect(order).toEqual(['loop ended', 'store closed'])
  })

  it('reports the failure of a loop once, immediately, and still closes', async () => {
    const { seen, onFailure } = failures()
    const scope = new Scope(onFailure)
    const error = new Error('disk full')
    scope.spawn('engine', async () => {
      throw error
    })
    await new Promise((resolve) => setImmediate(resolve))
    expect(seen).toEqual([[error, 'engine']])
    await expect(scope.close()).resolves.toBeUndefined()
  })

  it('treats a rejection with the abort reason as a normal end', async () => {
    const { seen, onFailure } = failures()
    const scope = new Scope(onFailure)
    scope.spawn('waiter', async (signal) => {
      await aborted(signal)
      signal.throwIfAborted()
    })
    await scope.close()
    expect(seen).toEqual([])
  })

  it('closes everything even if parts fail, and reports every error', async () => {
    const closed: string[] = []
    const [first, second, third] = [new Error('first'), new Error('second'), new Error('third')]
    const scope = new Scope(failures().onFailure)
    scope.own({
      close() {
        throw first
      },
    })
    scope.own({ close: () => void closed.push('middle') })
    scope.own({ close: () => Promise.reject(second) })
    scope.spawn('loop', async (signal) => {
      await aborted(signal)
      throw third
    })
    const error = await scope.close().catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(AggregateError)
    expect((error as AggregateError).errors).toEqual([third, second, first])
    expect(closed).toEqual(['middle'])
    await expect(scope.close()).rejects.toBe(error)
  })

  it('rethrows a single error unchanged', async () => {
    const scope = new Scope(failures().onFailure)
    const error = new Error('only')
    scope.own({ close: () => Promise.reject(error) })
    await expect(scope.close()).rejects.toBe(error)
  })

  it('takes no ownership once it is closing', async () => {
    const scope = new Scope(failures().onFailure)
    const closing = scope.close()
    expect(() => scope.own({ close() {} })).toThrow('closed')
    expect(() => scope.spawn('late', async () => {})).toThrow('closed')
    await closing
  })
})
