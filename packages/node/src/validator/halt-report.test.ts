import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bytesToHex, type Height, headerHash, nobleCrypto, type Round, ZERO_HASH } from '@quoin/protocol'
import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { openTestNode, testAccounts, testTransfers, testValidators } from '../../test/chain.ts'
import { HaltError } from '../engine/halt.ts'
import { writeHaltReport } from './halt-report.ts'

async function haltAt() {
  const node = await openTestNode({ crypto: nobleCrypto, validators: testValidators(nobleCrypto, 1) })
  const block = await node.produce(await testTransfers(testAccounts[1]!, 0, 2))
  const certificate = { height: 1 as Height, round: 0 as Round, blockHash: block.hash, signatures: [] }
  const transaction = block.transactions[1]!.hash
  return { block, halt: new HaltError('it cannot be executed', { certificate, block, head: ZERO_HASH, transaction }) }
}

describe('the halt report', () => {
  it('contains the exact bytes of the block, the transaction and the error', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'quoin-halt-'))
    const { block, halt } = await haltAt()
    const file = join(directory, 'halt.json')
    expect(writeHaltReport(file, halt)).toBe(file)
    const report = JSON.parse(await readFile(file, 'utf8'))
    expect(report).toMatchObject({ transaction: block.transactions[1]!.hash, head: ZERO_HASH, certificate: { height: 1 } })
    expect(report.error).toContain('it cannot be executed')
    expect(report.block.hash).toBe(headerHash(nobleCrypto, block.header))
    expect(report.block.transactions.map(({ raw }: { raw: string }) => raw)).toEqual(
      block.transactions.map(({ raw }) => bytesToHex(raw)),
    )
    await rm(directory, { recursive: true })
  })

  it('returns why it cannot be written, and does not throw', async () => {
    const { halt } = await haltAt()
    expect(writeHaltReport('/dev/null/halt.json', halt)).toMatch(/^\/dev\/null\/halt.json cannot be written: ENOTDIR/)
  })

  it('is not logged, because a block may be megabytes', async () => {
    const { block, halt } = await haltAt()
    const lines: string[] = []
    pino({ base: null }, { write: (line) => lines.push(line) }).fatal({ err: halt }, 'halted')
    expect(lines.join()).toContain('it cannot be executed')
    expect(lines.join()).not.toContain(block.hash)
  })
})
