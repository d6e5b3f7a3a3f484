import { describe, expect, it } from 'vitest'
import { runAndClose } from './run-and-close.ts'

const lost = new Error('ENOSPC')
const fails = async () => {
  throw lost
}

async function world(run: () => Promise<number>, close: () => Promise<void>, hasEnded = false) {
  const told: unknown[] = []
  const end = await runAndClose({ run, close, hasEnded: () => hasEnded, onLateFailure: (error) => told.push(error) }).then(
    (code) => ({ code }),
    (error: unknown) => ({ error }),
  )
  return { ...end, told }
}

describe('the end of a run', () => {
  it('is decided by the run if the close succeeds', async () => {
    const close = async () => {}
    expect(await world(async () => 76, close, true)).toEqual({ code: 76, told: [] })
    expect(await world(async () => 0, close)).toEqual({ code: 0, told: [] })
    expect(await world(fails, close)).toEqual({ error: lost, told: [] })
  })

  it('is still decided by the run if the close fails after it', async () => {
    expect(await world(async () => 76, fails, true)).toEqual({ code: 76, told: [lost] })
    // The node stayed up after its fatal error until it was told to stop.
    expect(await world(async () => 0, fails, true)).toEqual({ code: 0, told: [lost] })
    const first = new Error('the port is in use')
    const refuse = async () => {
      throw first
    }
    expect(await world(refuse, fails)).toEqual({ error: first, told: [lost] })
  })

  it('is the error of the close if nothing had failed before', async () => {
    expect(await world(async () => 0, fails)).toEqual({ error: lost, told: [] })
    let hasEnded = false
    const close = async () => {
      hasEnded = true
      throw lost
    }
    const run = { run: async () => 0, close, hasEnded: () => hasEnded, onLateFailure: () => {} }
    await expect(runAndClose(run)).rejects.toBe(lost)
  })
})
