import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import * as vm from '../src/vm/index.ts'
import { interpreterBinary } from './interpreter.ts'
import { runReference } from './reference.mjs'

const program = new URL('./reference.mjs', import.meta.url)
const lines = runReference(vm, interpreterBinary())
const [image, ...calls] = lines

/** The same in another process, from dist, with V8 flags. */
async function inProcess(flags: readonly string[]): Promise<readonly string[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, fileURLToPath(program)])
  return JSON.parse(stdout) as string[]
}

describe('result, gas, image and all memory are the same', () => {
  it('as ever: golden', () => {
    expect(createHash('sha256').update(lines.join('\n')).digest('hex')).toBe(
      'ed125f1f18c0c6d949b047536892c05fd2bbb856a35d5b016acec747f4221152',
    )
  })

  it('in repeats, also after traps, exhaustion and the loss of an instance', () => {
    expect(runReference(vm, interpreterBinary(), 3)).toEqual([image, ...calls, ...calls, ...calls])
  })

  it('in a worker thread', async () => {
    const worker = new Worker(program, { execArgv: [], env: {}, resourceLimits: { stackSizeMb: 16 } })
    const [found] = (await once(worker, 'message')) as [string[]]
    await worker.terminate()
    expect(found).toEqual(lines)
  })

  it.each([
    ['unchanged', []],
    ['baseline compiler only', ['--liftoff-only']],
    ['optimising compiler only', ['--no-liftoff']],
    ['without tier-up', ['--no-wasm-tier-up']],
    ['without lazy compilation', ['--no-wasm-lazy-compilation']],
    ['without SSE4 and AVX', ['--no-enable-sse4-1', '--no-enable-avx']],
    ['explicit bounds checks', ['--wasm-enforce-bounds-checks']],
  ] as const)('in another process: %s', async (_, flags) => {
    expect(await inProcess(flags)).toEqual(lines)
  })
})
