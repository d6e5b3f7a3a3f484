import { createHash } from 'node:crypto'
import * as protocol from '@quoin/protocol'
import { describe, expect, it } from 'vitest'
import goldens from './goldens.json' with { type: 'json' }
import { diskSamples, executionSamples, wireSamples } from './node-samples.ts'
import { protocolCodecs, protocolHashes, transactionSamples } from './samples.ts'

/**
 * The bytes of every format, pinned. A node with other bytes forks the chain, cannot talk to its peers, or cannot read its own
 * disk, and no round-trip test would notice.
 */
const consequence = {
  protocol: 'changes what is signed and hashed: nodes with and without it make different chains',
  execution: 'changes state roots or how state lies on disk: nodes with and without it make different chains',
  wire: 'changes what nodes say to each other: nodes with and without it cannot talk',
  disk: 'changes what lies on the disks of running nodes: they could not start again',
} as const
type Part = keyof typeof consequence

const samples: Readonly<Record<Part, Readonly<Record<string, Uint8Array>>>> = {
  protocol: { ...protocolCodecs, ...protocolHashes, ...(await transactionSamples()) },
  execution: executionSamples,
  wire: wireSamples,
  disk: diskSamples,
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** Contents of goldens.json, and what they would be for the present code. */
const recorded: Readonly<Record<string, Readonly<Record<string, string>>>> = goldens

describe.each(Object.keys(samples) as Part[])('%s', (part) => {
  it.each(Object.entries(samples[part]))('%s', (name, bytes) => {
    const found = sha256(bytes)
    const advice =
      recorded[part]?.[name] === undefined
        ? `a new format: record "${name}": "${found}" under "${part}" in test/conformance/goldens.json`
        : `the bytes of "${name}" are not what they were. That ${consequence[part]}. If it is meant: write an ADR (docs/adr), raise the ` +
          `format's version or describe the migration there, and only then record "${found}" in test/conformance/goldens.json`
    expect(found, advice).toBe(recorded[part]?.[name])
  })

  it('has a sample for every recorded hash', () => {
    expect(Object.keys(recorded[part] ?? {}).sort()).toEqual(Object.keys(samples[part]).sort())
  })

  it('has no two samples with the same bytes', () => {
    const hashes = Object.values(samples[part]).map(sha256)
    expect(new Set(hashes).size).toBe(hashes.length)
  })
})

describe('goldens', () => {
  it('cover every codec that the protocol exports', () => {
    const codecs = Object.keys(protocol).filter((name) => name.endsWith('Codec'))
    expect(codecs.length).toBeGreaterThan(15)
    const covered = new Set(Object.keys(protocolCodecs).map((name) => name.split(' ')[0]))
    expect(codecs.filter((name) => !covered.has(name))).toEqual([])
  })

  it('cover every kind of message, request and log entry', () => {
    const kinds = (part: Part, prefix: string) =>
      Object.entries(samples[part]).flatMap(([name, bytes]) =>
        name.startsWith(prefix) ? [bytes[prefix === 'request ' ? 1 : 0]] : [],
      )
    expect(kinds('wire', 'message ')).toEqual([0, 1, 2, 3, 4, 5, 6, 6])
    expect(kinds('wire', 'request ')).toEqual([0, 1])
    expect(kinds('disk', 'wal ')).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })
})
