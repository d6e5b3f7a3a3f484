import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../test/clock.ts'
import { DISK_LIMITS, DiskWatch } from './disk-watch.ts'
import { endingOf } from './ending.ts'

const MiB = 1024 * 1024

async function world(free: { bytes: number | Error }) {
  const clock = new ManualClock()
  const ends: unknown[] = []
  let looked = () => {}
  const freeBytes = async () => {
    looked()
    if (free.bytes instanceof Error) throw free.bytes
    return free.bytes
  }
  const onExhausted = (error: unknown) => void ends.push(error)
  const disk = await DiskWatch.start({
    directory: '/data',
    warnBytes: 100 * MiB,
    stopBytes: 10 * MiB,
    clock,
    freeBytes,
    onExhausted,
  })
  /** Runs the next check and waits for its effects. */
  const look = async () => {
    const begun = new Promise<void>((resolve) => {
      looked = resolve
    })
    clock.advance(DISK_LIMITS.intervalMs)
    await begun
    // The check continues in the following microtasks.
    await new Promise(setImmediate)
  }
  return { disk, ends, look, clock }
}

describe('the disk watch', () => {
  it('warns below the first limit and stops below the second', async () => {
    const free: { bytes: number | Error } = { bytes: 100 * MiB }
    const { disk, ends, look } = await world(free)
    expect(disk.conditions()).toEqual([])
    free.bytes = 100 * MiB - 1
    await look()
    expect(disk.conditions()).toMatchObject([{ code: 'disk-low', message: expect.stringContaining('99 MiB are free in /data') }])
    free.bytes = 200 * MiB
    await look()
    expect(disk.conditions()).toEqual([])
    free.bytes = 10 * MiB
    await look()
    expect(ends).toEqual([])
    free.bytes = 10 * MiB - 1
    await look()
    expect(ends.map((error) => endingOf(error))).toMatchObject([
      { code: 'disk-full', message: expect.stringContaining('9 MiB are free') },
    ])
  })

  it('stops if the free space cannot be read', async () => {
    const free: { bytes: number | Error } = { bytes: 100 * MiB }
    const { ends, look } = await world(free)
    free.bytes = Object.assign(new Error('EIO'), { code: 'EIO' })
    await look()
    expect(ends.map((error) => endingOf(error).code)).toEqual(['storage'])
  })

  it('refuses to start below the second limit, and ends when it is closed', async () => {
    await expect(world({ bytes: 10 * MiB - 1 })).rejects.toThrow('the disk is almost full')
    const free = { bytes: 10 * MiB }
    const { disk, ends, clock } = await world(free)
    await disk.close()
    free.bytes = 0
    clock.advance(10 * DISK_LIMITS.intervalMs)
    await new Promise(setImmediate)
    expect(ends).toEqual([])
  })

  it('reads the real file system', async () => {
    const disk = await DiskWatch.start({
      ...{ directory: '.', warnBytes: 0, stopBytes: 0, clock: new ManualClock() },
      onExhausted: () => undefined,
    })
    expect(disk.freeBytes).toBeGreaterThan(0)
    expect(disk.conditions()).toEqual([])
  })
})
