import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../test/clock.ts'
import { createCounters } from './counters.ts'
import { Handshakes } from './handshakes.ts'

const limits = { handshakesPerAddressMax: 3, handshakesCountMax: 6, handshakeYieldMs: 1_000 }

function setUp() {
  const clock = new ManualClock()
  const counters = createCounters()
  const handshakes = new Handshakes(clock, limits, counters)
  const cut: string[] = []
  const begin = (name: string, owner: string) => {
    let close = () => {}
    const connection = {
      abort: () => cut.push(name),
      addEventListener: (_: 'close', listener: () => void) => {
        close = listener
      },
    }
    return { isIn: handshakes.begin(connection, owner), close: () => close(), done: () => handshakes.done(connection) }
  }
  return { clock, counters, handshakes, cut, begin }
}

describe('handshake slots', () => {
  it('are limited per address, and other addresses have their own', () => {
    const { begin, counters } = setUp()
    for (let i = 0; i < 40; i++) expect(begin(`a${i}`, 'a').isIn).toBe(i < 3)
    expect(begin('b', 'b').isIn).toBe(true)
    expect([counters.handshakesRefused, counters.handshakesCut]).toEqual([37, 0])
  })

  it('are free again when a connection closes or has proved who it is', () => {
    const { begin, handshakes } = setUp()
    const [first, second] = [begin('1', 'a'), begin('2', 'a'), begin('3', 'a')]
    first!.close()
    second!.done()
    // An upgraded connection closes later.
    second!.close()
    expect(handshakes.count).toBe(1)
    expect([begin('4', 'a'), begin('5', 'a'), begin('6', 'a')].map(({ isIn }) => isIn)).toEqual([true, true, false])
  })

  it('pass to a new handshake of the same address when held for a while, the oldest first', () => {
    const { begin, clock, cut, counters } = setUp()
    for (const name of ['1', '2', '3']) {
      begin(name, 'a')
      clock.advance(400)
    }
    expect(begin('4', 'a').isIn).toBe(true)
    expect(begin('5', 'a').isIn).toBe(false)
    expect([cut, counters.handshakesCut]).toEqual([['1'], 1])
    clock.advance(200)
    expect([begin('6', 'a').isIn, cut]).toEqual([true, ['1', '2']])
  })

  it('are taken from the address with the most when all are used', () => {
    const { begin, clock, cut } = setUp()
    begin('slow', 'b')
    for (const name of ['1', '2', '3']) begin(name, 'a')
    for (const name of ['c', 'd']) begin(name, name)
    expect(begin('early', 'e').isIn).toBe(false)
    clock.advance(1_000)
    expect(begin('e', 'e').isIn).toBe(true)
    expect(cut).toEqual(['1'])
  })
})
