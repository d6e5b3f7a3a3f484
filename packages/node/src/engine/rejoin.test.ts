import type { Height } from '@quoin/protocol'
import { describe, expect, it } from 'vitest'
import { LogRecorder } from '../../test/chain.ts'
import { ENGINE_LIMITS } from './limits.ts'
import { honestPeersNeeded, Rejoin } from './rejoin.ts'

const { rejoinLonelyMsMax, rejoinMsMax, rejoinMsMin, rejoinStallMsMax } = ENGINE_LIMITS

function setUp({ needed = 2, lost = false } = {}) {
  const world = { nowMs: 0, behind: false, heard: 0, peers: [] as string[], head: 5, over: 0 }
  let timer: { atMs: number; action: () => void } | undefined
  const log = new LogRecorder()
  const rejoin = new Rejoin(
    {
      clock: {
        monotonic: () => world.nowMs,
        after(ms, action) {
          timer = { atMs: world.nowMs + ms, action }
          return () => {
            timer = undefined
          }
        },
      },
      sync: world,
      transport: { peers: () => world.peers },
      headHeight: () => world.head as Height,
      peersNeeded: () => needed,
      isLost: () => lost,
      logger: log,
    },
    () => world.over++,
  )
  const pass = (ms: number) => {
    const end = world.nowMs + ms
    while (timer !== undefined && timer.atMs <= end) {
      const { atMs, action } = timer
      timer = undefined
      world.nowMs = atMs
      action()
    }
    world.nowMs = end
  }
  rejoin.begin()
  return { world, rejoin, pass, log }
}

describe('after a start a validator waits', () => {
  it('for nobody if it is alone', () => {
    const { world, rejoin } = setUp({ needed: 0 })
    expect([world.over, rejoin.active]).toEqual([1, false])
  })

  it('until enough peers, and all connected ones, have reported their height, and what they claim is committed', () => {
    const { world, rejoin, pass } = setUp()
    world.peers = ['a', 'b', 'c']
    world.heard = 2
    pass(1_000)
    world.heard = 3
    world.behind = true
    pass(1_000)
    expect([world.over, rejoin.active]).toEqual([0, true])
    world.behind = false
    pass(100)
    expect([world.over, rejoin.active]).toEqual([1, false])
    pass(60_000)
    expect(world.over).toBe(1)
  })

  it('long enough that peers can show it its own votes', () => {
    const { world, pass } = setUp()
    world.peers = ['a', 'b']
    world.heard = 2
    pass(rejoinMsMin - 10)
    expect(world.over).toBe(0)
    pass(60)
    expect(world.over).toBe(1)
  })

  it.each([
    [['a', 'b'], rejoinMsMax],
    [['a'], rejoinLonelyMsMax],
  ])('with peers %j that say nothing for %i ms', (peers, limitMs) => {
    const { world, pass } = setUp()
    world.peers = peers
    pass(limitMs - 100)
    expect(world.over).toBe(0)
    pass(200)
    expect(world.over).toBe(1)
  })

  it('no longer than that for a block that peers claim and do not deliver, from the last one that came', () => {
    const { world, pass } = setUp()
    world.behind = true
    pass(rejoinStallMsMax - 100)
    world.head++
    pass(rejoinStallMsMax - 100)
    expect(world.over).toBe(0)
    pass(200)
    expect(world.over).toBe(1)
  })

  it('without a time limit if its sign state is lost, and logs that', () => {
    const { world, pass, log } = setUp({ lost: true })
    world.heard = 1
    pass(10 * rejoinStallMsMax)
    expect(world.over).toBe(0)
    expect(log.lines.filter(({ level }) => level === 'warn').length).toBe(10)
    world.heard = 2
    pass(100)
    expect(world.over).toBe(1)
  })

  it('for enough peers that one of them is honest', () => {
    expect([1, 2, 3, 4, 7, 10].map(honestPeersNeeded)).toEqual([0, 1, 1, 2, 3, 4])
  })
})
