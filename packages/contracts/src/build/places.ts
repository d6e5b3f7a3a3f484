import type { Place } from './diagnostic.ts'
import type { ProjectFiles } from './project-files.ts'
import type { SourceMap } from './source-map.ts'

/**
 * Finds the place of a message in a contract's files when no backtrace leads to it. It searches the text, so it can miss text that the author's code
 * composes. Then the contract's declaration is the place.
 */
export class DeclarationPlaces {
  readonly #files: ProjectFiles
  readonly #entry: string
  /** The project's own files in the contract's bundle; the contract's module comes first. */
  readonly #own: readonly string[]

  /** `entry` is the contract's module, `sources` are those of its bundle's map. */
  constructor(files: ProjectFiles, entry: string, { sources }: SourceMap) {
    this.#files = files
    this.#entry = entry
    this.#own = [entry, ...sources.filter((source) => files.packageNamed(source) === undefined)]
  }

  /** The default export. */
  get contract(): Place | string {
    return this.#files.find(this.#entry, /\bexport\s+default\b|\bas\s+default\b/) ?? this.#files.name(this.#entry).name
  }

  /** First occurrence of an exact text. */
  text(text: string): Place | undefined {
    return this.#find(new RegExp(escape(text)))
  }

  /** First occurrence of a name that is not a member access. */
  word(name: string): Place | undefined {
    return this.#find(new RegExp(`(?<![\\w$.])${escape(name)}(?![\\w$])`))
  }

  /** The declaration of a state field; if not found, that of the state; else the contract. */
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
