import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BuildOptions, build } from 'esbuild'

/** A new directory; the caller deletes it. */
export const temporaryDirectory = (): Promise<string> => mkdtemp(join(tmpdir(), 'quoin-sdk-'))

/** A TypeScript file of these tests as a program. Node.js 20 runs no TypeScript, so it is bundled. */
export class Bundle {
  readonly #directory: string
  readonly #file: string

  private constructor(directory: string) {
    this.#directory = directory
    this.#file = join(directory, 'program.mjs')
  }

  static make(source: URL): Promise<Bundle> {
    return Bundle.#build({ entryPoints: [fileURLToPath(source)] })
  }

  /** A text as a program; its imports are found from a directory. */
  static of(contents: string, resolveDir: string): Promise<Bundle> {
    return Bundle.#build({ stdin: { contents, resolveDir, loader: 'ts' } })
  }

  static async #build(source: BuildOptions): Promise<Bundle> {
    const bundle = new Bundle(await temporaryDirectory())
    await build({
      ...source,
      outfile: bundle.#file,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      conditions: ['@quoin/source'],
      // For packages in CommonJS that require modules of Node.js.
      banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
      logLevel: 'error',
    })
    return bundle
  }

  start(args: readonly string[]): Child {
    return new Child(
      spawn(process.execPath, [this.#file, ...args], {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, NODE_OPTIONS: '' },
      }),
    )
  }

  remove(): Promise<void> {
    return rm(this.#directory, { recursive: true, force: true })
  }
}

/** A process that prints lines. */
export class Child {
  readonly #process: ChildProcess
  readonly #waiting = new Set<() => void>()
  #text = ''
  #errors = ''
  #hasEnded = false

  constructor(child: ChildProcess) {
    this.#process = child
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.#text += text
      this.#changed()
    })
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#errors += text
    })
    child.once('close', () => {
      this.#hasEnded = true
      this.#changed()
    })
  }

  /** Complete lines that it printed. */
  get lines(): readonly string[] {
    return this.#text.split('\n').slice(0, -1)
  }

  get errors(): string {
    return this.#errors
  }

  /** Resolves when a condition on its lines holds; rejects if it ends first. */
  until(what: string, condition: (lines: readonly string[]) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (condition(this.lines)) resolve()
        else if (this.#hasEnded)
          reject(new Error(`${what}: the process ended first:\n${this.#text.slice(-2_000)}${this.#errors}`))
        else return
        this.#waiting.delete(look)
      }
      this.#waiting.add(look)
      look()
    })
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal)
  }

  /** Sends a signal and waits for the end. */
  async end(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (this.#hasEnded) return
    const closed = once(this.#process, 'close')
    this.#process.kill(signal)
    await closed
  }

  /** Resolves with its exit code. */
  async ended(): Promise<number | null> {
    if (!this.#hasEnded) await once(this.#process, 'close')
    return this.#process.exitCode
  }

  #changed(): void {
    for (const look of [...this.#waiting]) look()
  }
}
