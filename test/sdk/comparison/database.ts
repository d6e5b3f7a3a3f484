import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { scheduler } from 'node:timers/promises'
import { parseAbi } from 'viem'

/** What each program gets, as JSON in its first argument. */
export interface Task {
  readonly urls: readonly string[]
  readonly directory: string
  readonly address: `0x${string}`
  readonly key: `0x${string}`
  readonly payee: `0x${string}`
}

export const abi = parseAbi(['event Counted(uint256 indexed number)'])
export const task = JSON.parse(process.argv[2]!) as Task

/** The application's database: a file that is replaced as a whole. It stands for any database with transactions, and is no part of the comparison. */
export class Database {
  readonly #file: string
  readonly #values: Record<string, string>
  readonly rows: string[]

  constructor(directory: string) {
    this.#file = join(directory, 'database.json')
    const stored = existsSync(this.#file) ? readFileSync(this.#file, 'utf8') : '{"rows":[],"values":{}}'
    const { rows, values } = JSON.parse(stored) as { rows: string[]; values: Record<string, string> }
    this.rows = rows
    this.#values = values
  }

  get(name: string): string | undefined {
    return this.#values[name]
  }

  /** Writes rows and a value in one transaction. */
  commit(rows: readonly string[], name: string, value: string): void {
    this.rows.push(...rows)
    this.#values[name] = value
    const file = openSync(`${this.#file}.new`, 'w')
    writeSync(file, JSON.stringify({ rows: this.rows, values: this.#values }))
    fsyncSync(file)
    closeSync(file)
    renameSync(`${this.#file}.new`, this.#file)
    for (const row of rows) process.stdout.write(`row ${row}\n`)
  }
}

/** The application's log of what is tried again. */
export const note = (error: unknown): void => void process.stderr.write(`${String(error).split('\n')[0]}\n`)

/** Between two questions to a node, in ms: programs that poll need pauses. */
export const wait = (ms: number): Promise<void> => scheduler.wait(ms)
