import type { Address, Hash, Height, Round } from '@quoin/protocol'
import { ZERO_HASH } from '@quoin/protocol'
import { describe, expect, it } from 'vitest'
import { crc32cTable } from '../../test/crc32c.ts'
import { MemoryLog } from '../store/memory-log.ts'
import { CorruptFileError, RecordFile } from './record-file.ts'
import { type LoggedInput, WAL_FORMAT, Wal } from './wal.ts'

const random = { bytes: (length: number) => new Uint8Array(length).fill(1) }
const open = (file: MemoryLog, genesisHash: Hash = ZERO_HASH) => Wal.open({ file, crc32c: crc32cTable, random }, genesisHash)

const height = 7 as Height
const round = 2 as Round
const validator = `0x${'11'.repeat(20)}` as Address
const valueId = `0x${'22'.repeat(32)}` as Hash
const signature = new Uint8Array(64).fill(3)
const signatures = [{ validator, signature }]
const INPUTS: readonly LoggedInput[] = [
  { kind: 'valueBuilt', height, round, valueId },
  {
    kind: 'proposal',
    proposal: { height, round, valueId, polRound: 1 as Round, proposer: validator, signature },
    polka: { height, round: 1 as Round, valueId, signatures },
  },
  { kind: 'valueValidated', height, round, valueId, valid: true, fresh: false },
  { kind: 'vote', vote: { kind: 'prevote', height, round, valueId: undefined, validator, signature } },
  { kind: 'polkaCertificate', certificate: { height, round, valueId, signatures } },
  {
    kind: 'roundCertificate',
    certificate: { height, round, reason: 'skip', votes: [{ kind: 'precommit', valueId, validator, signature }] },
  },
  { kind: 'commitCertificate', certificate: { height, round, blockHash: valueId, signatures } },
  { kind: 'timeout', timeout: 'prevote', height, round },
]

describe('the write-ahead log', () => {
  it('is empty at first, then gives back a height and its inputs in order', async () => {
    const log = new MemoryLog()
    const { wal, content } = await open(log)
    expect(content).toBeUndefined()
    await wal.checkpoint(height, true)
    for (const input of INPUTS) wal.append(input)
    await wal.sync()
    expect((await open(log)).content).toEqual({ height, isWhole: true, entries: INPUTS })
  })

  it('forgets a height at the next checkpoint, durably', async () => {
    const log = new MemoryLog()
    const { wal } = await open(log)
    await wal.checkpoint(height, true)
    for (const input of INPUTS) wal.append(input)
    await wal.checkpoint(8 as Height, false)
    expect(log.durableLength).toBe(log.content.length)
    expect((await open(log)).content).toEqual({ height: 8, isWhole: false, entries: [] })
  })

  it('torn at any byte of an unsynced input, holds the inputs before it', async () => {
    const log = new MemoryLog()
    const { wal } = await open(log)
    await wal.checkpoint(height, true)
    const ends = INPUTS.map((input) => {
      wal.append(input)
      return log.content.length
    })
    for (let length = ends[0]!; length < ends.at(-1)!; length++) {
      const { content } = await open(new MemoryLog(log.content.slice(0, length)))
      expect(content?.entries).toEqual(INPUTS.slice(0, ends.filter((end) => end <= length).length))
    }
  })

  it('of another chain is refused, and so is a record that this program does not write', async () => {
    const log = new MemoryLog()
    const { wal } = await open(log)
    await wal.checkpoint(height, true)
    await expect(open(log, valueId)).rejects.toThrow(/belongs to the chain with genesis/)
    const other = new MemoryLog()
    const { file } = await RecordFile.open({ file: other, crc32c: crc32cTable, random }, WAL_FORMAT)
    file.append(Uint8Array.of(200))
    await expect(open(other)).rejects.toThrow(CorruptFileError)
  })
})
