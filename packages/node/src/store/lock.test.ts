import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { unwrap } from '@quoin/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { lockDirectory } from './lock.ts'

let directory: string
let killHolder = () => {}
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'quoin-lock-'))
})
afterEach(async () => {
  killHolder()
  await rm(directory, { recursive: true })
})

/** Another process that takes the same lock in the same way (Node 20 cannot run TypeScript) and holds it until it is killed. */
async function holder(): Promise<ChildProcess> {
  const level = createRequire(import.meta.url).resolve('classic-level')
  const script = `
    const { ClassicLevel } = require(${JSON.stringify(level)})
    const path = ${JSON.stringify(join(directory, 'lock'))}
    new ClassicLevel(path).open().then(() => {
      require('fs').writeFileSync(path + '/holder', process.pid + '\\n')
      process.stdout.write('held')
      process.stdin.resume()
    })`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['pipe', 'pipe', 'inherit'] })
  killHolder = () => void child.kill('SIGKILL')
  await once(child.stdout, 'data')
  return child
}

describe('lockDirectory', () => {
  it('keeps a second taker out of the same process, and lets it in after close', async () => {
    const lock = unwrap(await lockDirectory(directory))
    const refused = await lockDirectory(directory)
    expect(refused).toMatchObject({ ok: false, error: { code: 'locked', pid: process.pid } })
    await lock.close()
    await unwrap(await lockDirectory(directory)).close()
  })

  it('keeps another process out, says who holds it and what to do, and recovers after kill -9', async () => {
    const other = await holder()
    const refused = await lockDirectory(directory)
    if (refused.ok) throw new Error('the lock was given twice')
    expect(refused.error.pid).toBe(other.pid)
    expect(refused.error.message).toContain(`process ${other.pid} is using the data directory ${directory}`)
    const gone = once(other, 'exit')
    other.kill('SIGKILL')
    await gone
    await unwrap(await lockDirectory(directory)).close()
  })

  it('is not deceived by what a dead process wrote, even under a process id that lives', async () => {
    await unwrap(await lockDirectory(directory)).close()
    await writeFile(join(directory, 'lock', 'holder'), `${process.ppid}\n`)
    await unwrap(await lockDirectory(directory)).close()
  })
})
