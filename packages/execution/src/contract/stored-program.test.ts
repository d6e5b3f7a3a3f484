import { decodeContainer, Hash, nobleCrypto, unwrap } from '@quoin/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readContract } from '../../../../test/contracts/contract.mjs'
import { OTHER, TestContracts } from '../../test/contracts.ts'
import { contractInterpreter } from '../../test/interpreter.ts'
import type { Journal } from '../state/journal.ts'
import { imageBytes } from '../vm/index.ts'
import { EVALUATION_TICKS_MAX, evaluation } from './evaluation.ts'
import { PROGRAM_CACHE_LIMITS } from './message-limits.ts'
import { interfaceOf, link } from './program.ts'
import { ProgramCache } from './program-cache.ts'
import { packProgram, unpackProgram } from './stored-program.ts'

const interpreter = contractInterpreter()
const { container } = unwrap(decodeContainer(readContract('token', { reentrantSelectors: [0x313ce567] }).container))
const { image } = unwrap(interpreter.compile(evaluation(nobleCrypto, container.source, EVALUATION_TICKS_MAX)))
const program = unwrap(link(unwrap(interfaceOf(nobleCrypto, container)), image))
const packed = packProgram(nobleCrypto, interpreter, program)
const unpack = (bytes: Uint8Array) => unpackProgram(nobleCrypto, interpreter, bytes)

describe('a stored program', () => {
  it('is the program again', () => {
    const again = unpack(packed.bytes)!
    expect(again.entries).toEqual(program.entries)
    expect(again.reentrant).toEqual(new Set([0x313ce567]))
    expect(again.image.heap).toEqual(image.heap)
    // It decides how long a block's load of the code stays paid.
    expect(imageBytes(again.image)).toBe(imageBytes(image))
    expect(again.abi.functions.get(0xa9059cbb)).toMatchObject({ signature: 'transfer(address,uint256)' })
    expect(packProgram(nobleCrypto, interpreter, again)).toEqual(packed)
  })

  it('is rejected when bytes are missing, added or changed', () => {
    const { bytes } = packed
    for (const length of [0, 3, 11, 12, 100, bytes.length - 4]) expect(unpack(bytes.subarray(0, length))).toBeUndefined()
    expect(unpack(Uint8Array.of(...bytes, 0, 0, 0, 0))).toBeUndefined()
    fc.assert(
      fc.property(fc.nat(packed.interfaceBytes + 11), fc.integer({ min: 1, max: 255 }), (at, change) => {
        expect(unpack(bytes.with(at, bytes[at]! ^ change))).toBeUndefined()
      }),
    )
  })
})

describe('programs', () => {
  const lines = ['function add(uint256 n) returns (uint256)', 'event Added(uint256 n)', 'error No(string why)', 'function no()']
  const source = `export default { functions: {
    add(n) { quoin.emit('Added', n); return n + 1n }, no() { quoin.revert('No', 'never') } } }`

  /** A chain with a new cache over a database that another chain wrote. */
  const elsewhere = (journal: Journal, stored: ReadonlyMap<string, Uint8Array>, reads: string[] = []) => {
    const chain = new TestContracts(journal)
    const reader = {
      get: (key: Uint8Array) => {
        reads.push(String(key))
        return stored.get(String(key))
      },
    }
    Object.assign(chain.machine.contracts, { programs: new ProgramCache(nobleCrypto, interpreter, reader) })
    return chain
  }

  it('come from the database without a look at the code, and answer, emit, revert and cost the same', () => {
    const first = new TestContracts()
    const contract = first.deploy(lines, source)
    const written = first.machine.imageOps()
    const stored = new Map(written.map(({ key, value }) => [String(key), value!]))
    expect(stored.size).toBe(1)
    const peek = first.journal.peekCode.bind(first.journal)
    for (const [database, wanted] of [
      [stored, 0],
      [new Map(), 1],
    ] as const) {
      let peeks = 0
      first.journal.peekCode = (address) => {
        peeks++
        return peek(address)
      }
      const chain = elsewhere(first.journal, database)
      expect(chain.call(contract, 'add', [4n])).toBe(5n)
      expect(chain.failure(contract, 'no')).toBe('No("never")')
      expect(peeks).toBe(wanted)
      const gas = (on: TestContracts) => on.attempt(contract, 'add', [1n], { from: OTHER }).gasUsed
      expect(gas(chain)).toBe(gas(first))
      // A program that was made again is stored for the next start.
      expect(chain.machine.imageOps()).toEqual(wanted === 0 ? [] : written)
    }
  })
})

it('a program that is made again counts as used, like one that is called', () => {
  const limits = PROGRAM_CACHE_LIMITS as { bytesMax: number }
  const { bytesMax } = limits
  limits.bytesMax = 2.5 * imageBytes(image)
  try {
    const cache = new ProgramCache(nobleCrypto, interpreter, { get: () => undefined })
    const [a, b, c] = [1, 2, 3].map((byte) => Hash(new Uint8Array(32).fill(byte))) as [Hash, Hash, Hash]
    for (const hash of [a, b, a, c]) cache.add(hash, program)
    const missing = () => {
      throw new Error('not in memory')
    }
    for (const hash of [a, c]) expect(cache.get(hash, missing)).toBe(program)
    expect(() => cache.get(b, missing)).toThrow('not in memory')
  } finally {
    limits.bytesMax = bytesMax
  }
})
