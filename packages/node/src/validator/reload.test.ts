import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { lockDirectory } from '../store/lock.ts'
import { CommandError } from './failure.ts'
import { reload } from './reload.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'quoin-reload-'))
})
afterEach(() => rm(directory, { recursive: true }))

const print = vi.fn()

it('checks before it locks: a wrong path is not changed, and the message says what to do', async () => {
  await mkdir(join(directory, 'other', 'lock'), { recursive: true })
  await writeFile(join(directory, 'file'), '')
  for (const name of ['none', 'none/below', 'other', 'file']) {
    const refused = reload(join(directory, name), print)
    await expect(refused).rejects.toThrow(CommandError)
    await expect(refused).rejects.toThrow(/no node has ever run on .*--data-dir/)
  }
  expect((await readdir(directory, { recursive: true })).sort()).toEqual(['file', 'other', 'other/lock'])
})

it('recognizes a directory whose node has stopped', async () => {
  const lock = await lockDirectory(directory)
  if (lock.ok) await lock.value.close()
  await expect(reload(directory, print)).rejects.toThrow(/no node runs on .*reads its settings when it starts/)
})
