import { type Crypto, concatBytes, decodeContainer, Hash, hexToBytes, unwrap, utf8ToBytes } from '@quoin/protocol'
import { InterpreterFault } from '../fault.ts'
import { SPACE } from '../state/keys.ts'
import type { KvOp, KvReader } from '../state/kv.ts'
import { type ContractImage, type Interpreter, imageBytes } from '../vm/index.ts'
import { describeContractInterpreter } from './contract-interpreter.ts'
import { EVALUATION_TICKS_MAX, evaluation } from './evaluation.ts'
import { PROGRAM_CACHE_LIMITS } from './message-limits.ts'
import { interfaceOf, link, type Program } from './program.ts'
import { PROGRAM_FORMAT, type ProgramSize, packProgram, unpackProgram } from './stored-program.ts'

interface Entry {
  readonly program: Program
  readonly bytes: number
}

/**
 * Programs by code hash. A program that is not in memory is read from the database, which stores programs as derived data, or
 * made again from its code. The source does not affect any block.
 */
export class ProgramCache {
  readonly #crypto: Crypto
  readonly #interpreter: Interpreter
  readonly #reader: KvReader
  readonly #keyPrefix: Uint8Array
  /** Least recently used first. */
  readonly #entries = new Map<Hash, Entry>()
  /** Packed programs that may be missing in the database. */
  readonly #unstored = new Map<Hash, Uint8Array>()
  #bytes = 0

  constructor(crypto: Crypto, interpreter: Interpreter, reader: KvReader) {
    this.#crypto = crypto
    this.#interpreter = interpreter
    this.#reader = reader
    const description = [`program ${PROGRAM_FORMAT}`, ...describeContractInterpreter()].join('\n')
    const interpreterId = crypto.sha256(utf8ToBytes(description)).subarray(0, 8)
    this.#keyPrefix = concatBytes(Uint8Array.of(SPACE.image), interpreterId)
  }

  /**
   * Returns the program of a code in the state.
   *
   * @param code reads the code; called only when the program must be made again
   * @throws InterpreterFault when this machine fails
   * @throws Error when the code is damaged
   */
  get(codeHash: Hash, code: () => Uint8Array): Program {
    return this.#recent(codeHash) ?? this.#load(codeHash, code)
  }

  /** A program in memory, which counts as used. */
  #recent(codeHash: Hash): Program | undefined {
    const entry = this.#entries.get(codeHash)
    if (entry === undefined) return undefined
    this.#entries.delete(codeHash)
    this.#entries.set(codeHash, entry)
    return entry.program
  }

  /** Adds a program that was just made from its code. Returns its stored size, which is the same on every node. */
  add(codeHash: Hash, program: Program): ProgramSize {
    const packed = packProgram(this.#crypto, this.#interpreter, program)
    this.#keep(codeHash, program, packed.bytes)
    return packed
  }

  /** Database writes for those of the given codes whose programs are not stored yet. */
  storeOps(codeHashes: Iterable<Hash>): readonly KvOp[] {
    const ops: KvOp[] = []
    for (const codeHash of codeHashes) {
      const value = this.#unstored.get(codeHash)
      if (value === undefined) continue
      const key = this.#key(codeHash)
      if (this.#reader.get(key) === undefined) ops.push({ key, value })
      else this.#unstored.delete(codeHash)
    }
    return ops
  }

  /** @param packed the packed program, if the database may not have it */
  #keep(codeHash: Hash, program: Program, packed?: Uint8Array): void {
    if (this.#recent(codeHash) !== undefined) return
    if (packed !== undefined) this.#unstored.set(codeHash, packed)
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

  #load(codeHash: Hash, code: () => Uint8Array): Program {
    const stored = this.#reader.get(this.#key(codeHash))
    const known = stored === undefined ? undefined : unpackProgram(this.#crypto, this.#interpreter, stored)
    if (known !== undefined) {
      this.#keep(codeHash, known)
      return known
    }
    const program = this.#make(codeHash, code())
    this.#keep(codeHash, program, packProgram(this.#crypto, this.#interpreter, program).bytes)
    return program
  }

  #make(codeHash: Hash, code: Uint8Array): Program {
    // A run on a past state reads code optimistically (`call/past-run.ts`). The cache outlives a run that guessed wrong, so check
    // the hash.
    if (Hash(this.#crypto.keccak256(code)) !== codeHash) throw new Error(`the code under hash ${codeHash} has another hash`)
    const described = unwrap(interfaceOf(this.#crypto, unwrap(decodeContainer(code)).container))
    return unwrap(link(described, this.#evaluate(described.container.source)))
  }

  #evaluate(source: string): ContractImage {
    const compiled = this.#interpreter.compile(evaluation(this.#crypto, source, EVALUATION_TICKS_MAX))
    if (compiled.ok) return compiled.value.image
    if (compiled.error.kind === 'fault') throw new InterpreterFault(undefined, compiled.error.error)
    throw new Error(`code that the state holds does not evaluate: ${compiled.error.message}`)
  }
}
