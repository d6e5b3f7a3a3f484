import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { SourceMap, Tracer } from '@quoin/contracts/build'
import { unlessMissing } from '@quoin/node/process'
import { type Abi, type Crypto, decodeContainer, Hash, parseAbi, parseHex } from '@quoin/protocol'
import { DEV_LIMITS } from './limits.ts'

/** ENOTDIR: the path of the directory is a file. */
const MISSING = ['ENOENT', 'ENOTDIR']

/** A contract's artifact, as `quoin build` wrote it. */
export interface Artifact {
  readonly name: string
  readonly abi: Abi
  readonly bytecode: Uint8Array
  readonly codeHash: Hash
  readonly sourceMap: SourceMap
}

/** A file of the directory, with the time and size that it had when it was read. */
interface ReadFile {
  readonly mtimeMs: number
  readonly size: number
  /** Undefined when the module is not an artifact. */
  readonly artifact: Artifact | undefined
}

/**
 * Finds artifacts in a directory by deployed code. Reads the directory at the first lookup and at every lookup without a match; files whose time
 * and size are unchanged are not read again.
 */
export class Artifacts {
  readonly #directory: string
  readonly #crypto: Crypto
  #files: ReadonlyMap<string, ReadFile> = new Map()
  readonly #tracers = new Map<Hash, Tracer>()

  constructor(directory: string, crypto: Crypto) {
    this.#directory = directory
    this.#crypto = crypto
  }

  /** The artifact of a contract's code. */
  async ofCode(code: Uint8Array): Promise<Artifact | undefined> {
    const codeHash = Hash(this.#crypto.keccak256(code))
    return this.#find((artifact) => artifact.codeHash === codeHash)
  }

  /** The artifact for the data of a creation transaction, which is the code followed by the constructor's arguments. */
  async ofCreation(data: Uint8Array): Promise<Artifact | undefined> {
    const decoded = decodeContainer(data)
    return decoded.ok ? this.ofCode(decoded.value.code) : undefined
  }

  /** Maps a backtrace of the interpreter to the author's source lines. */
  async trace(artifact: Artifact, stack: string): Promise<string> {
    const { codeHash: name, bytecode, sourceMap } = artifact
    let tracer = this.#tracers.get(name)
    if (tracer === undefined) {
      // Loaded when the first known contract fails, because this import loads the bundler.
      const { createTracer } = await import('@quoin/contracts/build')
      const decoded = decodeContainer(bytecode)
      tracer = createTracer([{ name, sourceMap, ...(decoded.ok ? { source: decoded.value.container.source } : {}) }])
      this.#tracers.set(name, tracer)
    }
    return tracer.stack(name, stack)
  }

  async #find(isWanted: (artifact: Artifact) => boolean): Promise<Artifact | undefined> {
    const found = this.#among(isWanted)
    if (found !== undefined) return found
    this.#files = await this.#read()
    return this.#among(isWanted)
  }

  #among(isWanted: (artifact: Artifact) => boolean): Artifact | undefined {
    for (const { artifact } of this.#files.values()) if (artifact !== undefined && isWanted(artifact)) return artifact
    return undefined
  }

  async #read(): Promise<ReadonlyMap<string, ReadFile>> {
    const names = (await unlessMissing(readdir(this.#directory), MISSING)) ?? []
    const files = new Map<string, ReadFile>()
    for (const name of names.filter((file) => file.endsWith('.js')).slice(0, DEV_LIMITS.artifactsMax)) {
      const file = await this.#readFile(name)
      if (file !== undefined) files.set(name, file)
    }
    return files
  }

  async #readFile(name: string): Promise<ReadFile | undefined> {
    const path = join(this.#directory, name)
    const found = await unlessMissing(stat(path), MISSING)
    if (found === undefined || !found.isFile() || found.size > DEV_LIMITS.artifactBytesMax) return undefined
    const { mtimeMs, size } = found
    const known = this.#files.get(name)
    if (known?.mtimeMs === mtimeMs && known.size === size) return known
    const text = await unlessMissing(readFile(path, 'utf8'), MISSING)
    return text === undefined ? undefined : { mtimeMs, size, artifact: parseArtifact(this.#crypto, text) }
  }
}

/** Parses an artifact: a module of JSON constants, so that it is not executed. Undefined for any other module. */
export function parseArtifact(crypto: Crypto, text: string): Artifact | undefined {
  const [name, abi, code, sourceMap] = ['name', 'abi', 'bytecode', 'sourceMap'].map((constant) => constantOf(text, constant))
  const bytecode = typeof code === 'string' ? parseHex(code) : undefined
  const parsed = parseAbi(abi)
  if (typeof name !== 'string' || bytecode === undefined || !parsed.ok || !isSourceMap(sourceMap)) return undefined
  return { name, abi: parsed.value, bytecode, codeHash: Hash(crypto.keccak256(bytecode)), sourceMap }
}

function constantOf(text: string, name: string): unknown {
  const head = `\nexport const ${name} = `
  const start = text.indexOf(head)
  if (start < 0) return undefined
  const from = start + head.length
  const end = text.indexOf('\n', from)
  try {
    return JSON.parse(text.slice(from, end < 0 ? undefined : end)) as unknown
  } catch {
    // Not written by `quoin build`.
    return undefined
  }
}

const isSourceMap = (value: unknown): value is SourceMap =>
  typeof value === 'object' && value !== null && 'mappings' in value && 'sources' in value
