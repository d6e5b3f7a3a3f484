import { crc32c as nativeCrc32c } from '@node-rs/crc32'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { crc32cTable } from '../../test/crc32c.ts'
import { MemoryLog } from '../store/memory-log.ts'
import { CorruptFileError, RecordFile, type RecordFormat } from './record-file.ts'

const FORMAT: RecordFormat = {
  magic: 'TEST',
  version: 3,
  name: 'test log',
  remedy: 'Do not delete the file.',
  recordBytesMax: 4_096,
}
let drawn = 0
const random = { bytes: (length: number) => Uint8Array.from({ length }, (_, i) => (i * 31 + ++drawn) & 0xff) }
const open = (file: MemoryLog) => RecordFile.open({ file, crc32c: crc32cTable, random }, FORMAT)
const content = fc.uint8Array({ maxLength: 60 })

/** Writes batches, syncing all but the last; returns how many records and bytes are durable. */
async function write(log: MemoryLog, batches: readonly (readonly Uint8Array[])[]) {
  const { file } = await open(log)
  for (const [index, batch] of batches.entries()) {
    for (const record of batch) file.append(record)
    if (index < batches.length - 1) await file.sync()
  }
  return { records: batches.flat(), durableRecords: batches.slice(0, -1).flat().length }
}

describe('CRC-32C', () => {
  it('of "123456789" is the check value of RFC 3720', () => {
    expect(crc32cTable(new TextEncoder().encode('123456789'))).toBe(0xe306_9283)
  })

  it('agrees with the native one', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
        expect(crc32cTable(bytes)).toBe(nativeCrc32c(Buffer.from(bytes)))
      }),
    )
  })
})

describe('a record file', () => {
  it('gives back what was written, in order, and goes on from there', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(content, { maxLength: 4 }), { minLength: 1, maxLength: 4 }), async (batches) => {
        const log = new MemoryLog()
        const { records } = await write(log, batches)
        const again = await open(log)
        expect(again.records).toEqual(records)
        again.file.append(Uint8Array.of(9))
        await again.file.sync()
        expect((await open(log)).records).toEqual([...records, Uint8Array.of(9)])
      }),
    )
  })

  it('cut at any byte behind the last sync, keeps what was synced and a prefix of the rest, and can be written again', async () => {
    const batches = [
      [Uint8Array.of(1, 2, 3)],
      [new Uint8Array(40).fill(7), Uint8Array.of()],
      [Uint8Array.of(4), new Uint8Array(9)],
    ]
    const whole = new MemoryLog()
    const { records, durableRecords } = await write(whole, batches)
    for (let length = whole.durableLength; length <= whole.content.length; length++) {
      const log = new MemoryLog(whole.content.slice(0, length))
      const { file, records: kept } = await open(log)
      expect(kept.length).toBeGreaterThanOrEqual(durableRecords)
      expect(kept).toEqual(records.slice(0, kept.length))
      file.append(Uint8Array.of(5))
      expect((await open(log)).records).toEqual([...kept, Uint8Array.of(5)])
    }
  })

  it('behind the last sync, any garbage is a torn tail', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(content, { maxLength: 3 }), fc.uint8Array({ maxLength: 80 }), async (batch, garbage) => {
        const log = new MemoryLog()
        const { records } = await write(log, [batch, []])
        log.append(garbage)
        expect((await open(log)).records.slice(0, records.length)).toEqual(records)
      }),
    )
  })

  it('whole records behind a hole that was never synced are cut off with it', async () => {
    const log = new MemoryLog()
    await write(log, [[Uint8Array.of(1)], [new Uint8Array(64).fill(2), new Uint8Array(64).fill(3)]])
    log.content.fill(0, log.durableLength + 20, log.durableLength + 60)
    expect((await open(log)).records).toEqual([Uint8Array.of(1)])
  })

  it('refuses any change to bytes that a later sync mark vouches for, saying where and what to do', async () => {
    const whole = new MemoryLog()
    const { file } = await open(whole)
    file.append(Uint8Array.of(1, 2, 3))
    file.append(new Uint8Array(30).fill(7))
    await file.sync()
    const vouched = whole.content.length
    file.append(Uint8Array.of(4))
    for (let at = 16; at < vouched; at++) {
      const log = new MemoryLog(whole.content)
      log.content[at]! ^= 0x10
      await expect(open(log), `byte ${at}`).rejects.toThrow(/corrupt: the record at byte \d+ .*Do not delete the file/)
    }
  })

  it('cannot be talked into corruption by a record that holds an old mark', async () => {
    const old = new MemoryLog()
    await write(old, [[Uint8Array.of(1)], [Uint8Array.of(2)]])
    const log = new MemoryLog()
    await write(log, [[Uint8Array.of(1)], [Uint8Array.of(8)]])
    const torn = new MemoryLog(log.content.slice(0, -1))
    torn.append(old.content)
    expect((await open(torn)).records).toEqual([Uint8Array.of(1)])
  })

  it('refuses another magic and an unknown version', async () => {
    const log = new MemoryLog()
    await write(log, [[Uint8Array.of(1)]])
    const other = new MemoryLog(log.content)
    other.content[0] = 0x58
    await expect(open(other)).rejects.toThrow(CorruptFileError)
    log.content[7] = 4
    await expect(open(log)).rejects.toThrow(/has format 4, but this program supports format 3/)
  })

  it('replaces its content at once', async () => {
    const log = new MemoryLog()
    const { file } = await open(log)
    file.append(Uint8Array.of(1))
    await file.replace([Uint8Array.of(2), Uint8Array.of(3)])
    expect(log.durableLength).toBe(log.content.length)
    expect((await open(log)).records).toEqual([Uint8Array.of(2), Uint8Array.of(3)])
  })
})
