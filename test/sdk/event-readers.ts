import { join } from 'node:path'
import { expect } from 'vitest'
import { type Bundle, Child } from '../../packages/sdk/test/child.ts'
import { BatchJournal, FileJournal, type Lives } from './journal.ts'
import type { ReaderTask } from './reader.ts'

export type ReaderSettings = Omit<ReaderTask, 'directory'>

/** Files of a reader that the SDK keeps the position of: name, and the events that are in it. */
const FILES = {
  items: [['items', () => true]],
  split: [
    ['even', (number: number) => number % 2 === 0],
    ['odd', (number: number) => number % 2 === 1],
  ],
} as const

/** A reader program, which is killed and started again; and what it must have read. */
export class EventReader {
  readonly name: string
  readonly settings: ReaderSettings
  kills = 0
  readonly #program: Bundle
  readonly #directory: string
  #child: Child | undefined
  #isCrashing = false

  constructor(name: string, program: Bundle, directory: string, settings: ReaderSettings) {
    this.name = name
    this.settings = settings
    this.#program = program
    this.#directory = join(directory, name)
  }

  /** For the message of a failure. */
  get report(): string {
    return `${this.name}: ${this.kills} kills, ${this.#child?.lines.at(-1) ?? 'not started'} ${this.#child?.errors ?? ''}`
  }

  get isStarted(): boolean {
    return this.#child !== undefined
  }

  /** Whether its process will kill itself, or has. */
  get isCrashing(): boolean {
    return this.#isCrashing
  }

  /** Resolves when its position is fixed. */
  async start(): Promise<void> {
    this.#begin()
    await this.#child!.until(`${this.name} ready`, (lines) => lines.some((line) => line === 'ready' || line === 'done'))
  }

  /** `kill -9`, and another process in the same directory, which may kill itself at an event. */
  async killAndStart(crashAt?: number): Promise<void> {
    await this.kill()
    this.kills += 1
    this.#begin(crashAt)
  }

  /** Resolves when a process that kills itself has done so, and another one goes on. */
  async afterCrash(): Promise<void> {
    if ((await this.#child!.ended()) === 0) {
      // It had everything before the event.
      this.#isCrashing = false
      return
    }
    await this.killAndStart()
  }

  #begin(crashAt?: number): void {
    this.#isCrashing = crashAt !== undefined
    const task: ReaderTask = { ...this.settings, directory: this.#directory, crashAt }
    this.#child = this.#program.start([JSON.stringify(task)])
  }

  async kill(): Promise<void> {
    await this.#child?.end('SIGKILL')
    expect([this.name, this.#child?.errors ?? '']).toEqual([this.name, ''])
  }

  /** Resolves when it has an event of the first counter. */
  async reaches(number: number): Promise<void> {
    const goal = this.settings.kind === 'filter' ? number - (number % 3) : number
    const isThere = (line: string | undefined): boolean =>
      line === 'done' || (line?.startsWith('at ') === true && Number(line.slice(3)) >= goal)
    await this.#child!.until(`${this.name} at ${goal}`, (lines) => isThere(lines.at(-1)) || lines.some(isThere))
  }

  /** Resolves when it has ended by itself. */
  async ended(): Promise<void> {
    const code = await this.#child!.ended()
    expect([this.name, code, this.#child!.errors]).toEqual([this.name, 0, ''])
  }

  /**
   * Compares what it has written down with the chain's events: all of them, in order, none twice. Where the SDK keeps the position, a life may begin
   * with items that came before the kill.
   *
   * @returns items that came again
   */
  async check(events: ReadonlyMap<string, readonly string[]>, merged: readonly string[]): Promise<number> {
    const { kind, counters } = this.settings
    const own = events.get(counters[0].toLowerCase())!
    const numberOf = (line: string): number => Number(line.split(' ')[1])
    if (kind !== 'items' && kind !== 'split') {
      const journal = await BatchJournal.open(join(this.#directory, 'store'))
      await journal.close()
      const expected =
        kind === 'filter' ? own.filter((line) => numberOf(line) % 3 === 0) : kind === 'logs' || kind === 'merge' ? merged : own
      this.#same(journal.lines, expected)
      return 0
    }
    return FILES[kind].reduce((again, [name, passes]) => {
      const { lives } = new FileJournal(this.#directory, name)
      const once = withoutRepeats(lives)
      this.#same(
        once,
        own.filter((line) => passes(numberOf(line))),
      )
      return again + lives.flat().length - once.length
    }, 0)
  }

  /** The first difference says more than two lists of thousands. */
  #same(read: readonly string[], expected: readonly string[]): void {
    const at = expected.findIndex((line, i) => read[i] !== line)
    const differing = at < 0 ? expected.length : at
    const around = (lines: readonly string[]) => lines.slice(Math.max(0, differing - 2), differing + 3)
    expect([this.name, differing, around(read), read.length]).toEqual([this.name, differing, around(expected), expected.length])
  }
}

/** Items that a life repeats at its beginning are left out; any other disorder is kept. */
function withoutRepeats(lives: Lives): readonly string[] {
  const read: string[] = []
  for (const life of lives) {
    const again = life.length === 0 ? -1 : read.indexOf(life[0]!)
    const repeated = again < 0 ? [] : read.slice(again)
    const same = repeated.findIndex((line, i) => life[i] !== line)
    read.push(...life.slice(same < 0 ? repeated.length : Math.min(same, life.length)))
  }
  return read
}
