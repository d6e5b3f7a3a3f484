import type { Place } from './diagnostic.ts'
import type { ProjectFiles } from './project-files.ts'
import type { SourceMap } from './source-map.ts'

/**
 * Finds what a message is about in a contract's files, where no backtrace leads to it. A search in the text: it may miss what is put
 * together, and then the declaration of the contract is the place.
 */
export class DeclarationPlaces {
  readonly #files: ProjectFiles
  readonly #entry: string
  /** The project's own files that the contract is made of, its module first. */
  readonly #own: readonly string[]

  /** `entry` is the contract's module; the map that of its bundle. */
  constructor(files: ProjectFiles, entry: string, { sources }: SourceMap) {
    this.#files = files
    this.#entry = entry
    this.#own = [entry, ...sources.filter((source) => files.packageNamed(source) === undefined)]
  }

  /** The default export. */
  get contract(): Place | string {
    return this.#files.find(this.#entry, /\bexport\s+default\b|\bas\s+default\b/) ?? this.#files.name(this.#entry).name
  }

  /** A text as it stands. */
  text(text: string): Place | undefined {
    return this.#find(new RegExp(escape(text)))
  }

  /** A name that is no member of something. */
  word(name: string): Place | undefined {
    return this.#find(new RegExp(`(?<![\\w$.])${escape(name)}(?![\\w$])`))
  }

  /** A field of the state if it is written plainly, else the state, else the contract. */
  field(name: string): Place | string {
    return this.#find(new RegExp(`(?<![\\w$.])${escape(name)}\\s*:`)) ?? this.#find(/(?<![\w$.])state\s*[:,=]/) ?? this.contract
  }

  #find(pattern: RegExp): Place | undefined {
    for (const file of this.#own) {
      const place = this.#files.find(file, pattern)
      if (place !== undefined) return place
    }
    return undefined
  }
}

const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
