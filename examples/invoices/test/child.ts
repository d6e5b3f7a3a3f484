import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

export const temporaryDirectory = (): Promise<string> => mkdtemp(join(tmpdir(), 'quoin-invoices-'))

/** Bundles a TypeScript file into a program, because Node.js 20 runs no TypeScript. Returns its file. */
export async function bundled(source: URL, directory: string): Promise<string> {
  const outfile = join(directory, 'program.mjs')
  await build({
    ...{ entryPoints: [fileURLToPath(source)], outfile, bundle: true, platform: 'node', format: 'esm', target: 'node20' },
    conditions: ['@quoin/source'],
    logLevel: 'error',
  })
  return outfile
}

/** A process that prints lines. */
export class Child {
  readonly #process: ChildProcess
  readonly #waiting = new Set<() => void>()
  #text = ''
  #errors = ''
  #hasEnded = false

  constructor(file: string, argument: string) {
    this.#process = spawn(process.execPath, [file, argument], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_OPTIONS: '' },
    })
    this.#process.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.#text += text
      this.#changed()
    })
    this.#process.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#errors += text
    })
    this.#process.once('close', () => {
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

  /** Resolves when a condition on its lines holds, or when it has ended. */
  until(condition: (lines: readonly string[]) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!this.#hasEnded && !condition(this.lines)) return
        this.#waiting.delete(look)
        resolve()
      }
      this.#waiting.add(look)
      look()
    })
  }

  async kill(): Promise<void> {
    if (this.#hasEnded) return
    const closed = once(this.#process, 'close')
    this.#process.kill('SIGKILL')
    await closed
  }

  /** Resolves with its exit code; null if it was killed. */
  async ended(): Promise<number | null> {
    if (!this.#hasEnded) await once(this.#process, 'close')
    return this.#process.exitCode
  }

  #changed(): void {
    for (const look of [...this.#waiting]) look()
  }
}
