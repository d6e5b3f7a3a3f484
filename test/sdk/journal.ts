import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Store } from '@quoin/sdk'
import { fileStore } from '@quoin/sdk/store/node'

/** An event as the programs of these tests write it down, one a line. */
export interface Noted {
  readonly address: string
  readonly number: bigint
  readonly blockNumber: bigint
  readonly blockHash: string
  readonly logIndex: number
}

export const lineOf = ({ address, number, blockNumber, blockHash, logIndex }: Noted): string =>
  `${address.toLowerCase()} ${number} ${blockNumber} ${blockHash} ${logIndex}`

const BATCHES = 'batch/'
const CURSOR = 'cursor'
const LIFE = 'life'

/** What a reader has written, in order, as lines and as the lives of its process. */
export type Lives = readonly (readonly string[])[]

/** Items and the cursor behind them, in one commit of a store: exactly once. */
export class BatchJournal {
  readonly #store: Store
  #next: number
  readonly lines: readonly string[]

  private constructor(store: Store, entries: readonly string[]) {
    this.#store = store
    this.#next = entries.length
    this.lines = entries.flatMap((text) => text.split('\n'))
  }

  static async open(directory: string): Promise<BatchJournal> {
    const store = await fileStore(directory)
    const entries = await store.list(BATCHES, { limit: Number.MAX_SAFE_INTEGER })
    return new BatchJournal(
      store,
      entries.map(([, text]) => text),
    )
  }

  cursor(): Promise<string | undefined> {
    return this.#store.get(CURSOR)
  }

  async commit(lines: readonly string[], cursor: string): Promise<void> {
    const key = `${BATCHES}${String(this.#next++).padStart(8, '0')}`
    const changes = [
      { key, value: lines.join('\n') },
      { key: CURSOR, value: cursor },
    ]
    if (!(await this.#store.commit(changes, { if: [{ key, value: undefined }] }))) throw new Error(`${key} is there already`)
  }

  close(): Promise<void> {
    return this.#store.close()
  }
}

/** Items at the end of a file, and the cursor elsewhere: after a kill the newest items come again. */
export class FileJournal {
  readonly #file: string

  constructor(directory: string, name: string) {
    this.#file = join(directory, `${name}.lines`)
  }

  /** Items of each life of the process. */
  get lives(): Lives {
    if (!existsSync(this.#file)) return []
    return readFileSync(this.#file, 'utf8')
      .split(`${LIFE}\n`)
      .slice(1)
      .map((text) => text.split('\n').slice(0, -1))
  }

  beginLife(): void {
    appendFileSync(this.#file, `${LIFE}\n`)
  }

  /** Takes as long as a disk does: meanwhile the SDK writes positions. */
  append(line: string): Promise<void> {
    return appendFile(this.#file, `${line}\n`, { flush: true } as object)
  }
}
