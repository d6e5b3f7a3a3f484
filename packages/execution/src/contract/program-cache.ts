import { type Crypto, concatBytes, decodeContainer, Hash, hexToBytes, unwrap, utf8ToBytes } from '@quoin/protocol'
import { EngineFault } from '../fault.ts'
import { SPACE } from '../keys.ts'
import type { KvOp, KvReader } from '../kv.ts'
import { type ContractImage, type Engine, imageBytes } from '../vm/index.ts'
import { describeContractEngine } from './engine.ts'
import { EVALUATION_TICKS_MAX, evaluation } from './evaluation.ts'
import { PROGRAM_CACHE_LIMITS } from './message-limits.ts'
import { interfaceOf, link, type Program } from './program.ts'

interface Entry {
  readonly program: Program
  readonly bytes: number
}

/**
 * Programs by code hash. One that is not here comes from the database, where images lie as derived data, or is made again from its code;
 * where it comes from changes nothing that a block shows.
 */
export class ProgramCache {
  readonly #crypto: Crypto
  readonly #engine: Engine
  readonly #reader: KvReader
  readonly #keyPrefix: Uint8Array
  /** The one used longest ago first. */
  readonly #entries = new Map<Hash, Entry>()
  /** Those whose image the database may not have. */
  readonly #unstored = new Set<Hash>()
  #bytes = 0

  constructor(crypto: Crypto, engine: Engine, reader: KvReader) {
    this.#crypto = crypto
    this.#engine = engine
    this.#reader = reader
    const engineId = crypto.sha256(utf8ToBytes(describeContractEngine().join('\n'))).subarray(0, 8)
    this.#keyPrefix = concatBytes(Uint8Array.of(SPACE.image), engineId)
  }

  /** The program of a code that the state holds. */
  get(codeHash: Hash, code: () => Uint8Array): Program {
    const entry = this.#entries.get(codeHash)
    if (entry === undefined) return this.#load(codeHash, code())
    this.#entries.delete(codeHash)
    this.#entries.set(codeHash, entry)
    return entry.program
  }

  /** Takes a program that was made from its code just now. */
  add(codeHash: Hash, program: Program): void {
    this.#unstored.add(codeHash)
    this.#keep(codeHash, program)
  }

  /** Database writes for those of some codes whose image is not stored. */
  storeOps(codeHashes: Iterable<Hash>): readonly KvOp[] {
    const ops: KvOp[] = []
    for (const codeHash of codeHashes) {
      const entry = this.#unstored.has(codeHash) ? this.#entries.get(codeHash) : undefined
      if (entry === undefined) continue
      const key = this.#key(codeHash)
      if (this.#reader.get(key) === undefined) ops.push({ key, value: this.#engine.packImage(entry.program.image) })
      else this.#unstored.delete(codeHash)
    }
    return ops
  }

  #keep(codeHash: Hash, program: Program): void {
    if (this.#entries.has(codeHash)) return
    const bytes = imageBytes(program.image)
    this.#entries.set(codeHash, { program, bytes })
    this.#bytes += bytes
    for (const [oldest, entry] of this.#entries) {
      if (this.#bytes <= PROGRAM_CACHE_LIMITS.bytesMax) break
      this.#entries.delete(oldest)
      this.#unstored.delete(oldest)
      this.#bytes -= entry.bytes
    }
  }

  #key(codeHash: Hash): Uint8Array {
    return concatBytes(this.#keyPrefix, hexToBytes(codeHash))
  }

  #load(codeHash: Hash, code: Uint8Array): Program {
    // A run on a past state reads its code optimistically (`call/past-run.ts`), and the cache outlives a run that guessed wrong.
    if (Hash(this.#crypto.keccak256(code)) !== codeHash) throw new Error(`the code under hash ${codeHash} has another hash`)
    const described = unwrap(interfaceOf(this.#crypto, unwrap(decodeContainer(code)).container))
    const stored = this.#reader.get(this.#key(codeHash))
    let image = stored === undefined ? undefined : this.#engine.unpackImage(stored)
    if (image === undefined) {
      image = this.#evaluate(described.container.source)
      this.#unstored.add(codeHash)
    }
    const program = unwrap(link(described, image))
    this.#keep(codeHash, program)
    return program
  }

  #evaluate(source: string): ContractImage {
    const compiled = this.#engine.compile(evaluation(this.#crypto, source, EVALUATION_TICKS_MAX))
    if (compiled.ok) return compiled.value.image
    if (compiled.error.kind === 'fault') throw new EngineFault(undefined, compiled.error.error)
    throw new Error(`code that the state holds does not evaluate: ${compiled.error.message}`)
  }
}
