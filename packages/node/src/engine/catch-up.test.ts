import type { Height } from '@quoin/protocol'
import { afterEach, describe, expect, it } from 'vitest'
import { Scope } from '../lifecycle.ts'
import type { SyncedBlock } from '../sync/types.ts'
import { CatchUp } from './catch-up.ts'

const scopes: Scope[] = []
afterEach(() => Promise.all(scopes.splice(0).map((scope) => scope.close())))

/** A block sync that claims and delivers what the test tells it to. */
function setUp() {
  let listener = () => {}
  let timer: (() => void) | undefined
  let head = 5
  const asked: ((block: SyncedBlock | undefined) => void)[] = []
  const failed: ((error: unknown) => void)[] = []
  const failures: string[] = []
  const blocks: SyncedBlock[] = []
  const sync = {
    behind: true,
    onBehind(given: () => void) {
      listener = given
      return () => {}
    },
    next: (signal: AbortSignal) =>
      new Promise<SyncedBlock | undefined>((resolve, reject) => {
        asked.push(resolve)
        failed.push(reject)
        signal.addEventListener('abort', () => reject(signal.reason))
      }),
  }
  const scope = new Scope((error) => {
    throw error
  })
  scopes.push(scope)
  const catchUp = new CatchUp(
    {
      sync,
      clock: {
        after(_ms, action) {
          timer = action
          return () => {
            timer = undefined
          }
        },
      },
      headHeight: () => head as Height,
      spawn: (name, task) => scope.spawn(name, task),
      onFailure: (task, error) => failures.push(`${task}: ${String(error)}`),
    },
    (block) => blocks.push(block),
  )
  const deliver = async (block: SyncedBlock | undefined) => {
    asked.shift()!(block)
    for (let i = 0; i < 5; i++) await Promise.resolve()
  }
  return {
    catchUp,
    sync,
    asked,
    blocks,
    failures,
    deliver,
    async fail(error: unknown) {
      asked.shift()
      failed.at(-1)!(error)
      for (let i = 0; i < 5; i++) await Promise.resolve()
    },
    claim: () => listener(),
    advance: () => head++,
    elapse() {
      const action = timer
      timer = undefined
      action?.()
    },
  }
}

const BLOCK = {} as SyncedBlock

describe('catching up', () => {
  it('does nothing about a claim that consensus catches up with by itself', () => {
    const { claim, elapse, asked, sync } = setUp()
    claim()
    expect(asked).toHaveLength(0)
    sync.behind = false
    elapse()
    expect(asked).toHaveLength(0)
  })

  it('waits on while the head moves, and pulls once it has stood still', () => {
    const { claim, elapse, asked, advance } = setUp()
    claim()
    advance()
    elapse()
    expect(asked).toHaveLength(0)
    elapse()
    expect(asked).toHaveLength(1)
  })

  it('pulls the next block as soon as the last is dealt with, one at a time', async () => {
    const { catchUp, claim, elapse, asked, blocks, deliver } = setUp()
    claim()
    elapse()
    claim()
    elapse()
    expect(asked).toHaveLength(1)
    await deliver(BLOCK)
    expect(blocks).toEqual([BLOCK])
    claim()
    elapse()
    expect(asked).toHaveLength(0)
    catchUp.resume()
    expect(asked).toHaveLength(1)
  })

  it('survives a bug during a fetch, and pulls again after the grace period', async () => {
    const { claim, elapse, asked, failures, fail } = setUp()
    claim()
    elapse()
    await fail(new Error('a bug'))
    expect(failures).toEqual(['catch up: Error: a bug'])
    expect(asked).toHaveLength(0)
    elapse()
    expect(asked).toHaveLength(1)
  })

  it('stops when no peer delivers, until a peer makes a new claim', async () => {
    const { claim, elapse, asked, sync, deliver, blocks } = setUp()
    claim()
    elapse()
    sync.behind = false
    await deliver(undefined)
    expect(blocks).toEqual([])
    sync.behind = true
    claim()
    elapse()
    expect(asked).toHaveLength(1)
    await deliver(undefined)
  })
})
