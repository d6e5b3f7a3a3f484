import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { workerFile } from './start-worker.ts'

let root: string
beforeEach(async () => {
  // A folder named src above the package must not be mistaken for the package's own.
  root = join(await mkdtemp(join(tmpdir(), 'quoin-')), 'src', 'node')
  await mkdir(join(root, 'dist', 'crypto'), { recursive: true })
  await writeFile(join(root, 'dist', 'crypto', 'task.js'), '')
})
afterEach(() => rm(join(root, '..', '..'), { recursive: true }))

const url = (...path: string[]) => pathToFileURL(join(root, ...path)).href

it('is the module next to a compiled caller', () => {
  expect(workerFile(url('dist', 'crypto', 'pool.js'), 'task').href).toBe(url('dist', 'crypto', 'task.js'))
})

it('is the compiled file under dist for a caller that runs from source', () => {
  expect(workerFile(url('src', 'crypto', 'pool.ts'), 'task').href).toBe(url('dist', 'crypto', 'task.js'))
})

it('says what to do if it is not built', () => {
  expect(() => workerFile(url('src', 'crypto', 'pool.ts'), 'other')).toThrow(
    /dist.crypto.other\.js is missing: build the packages first/,
  )
  expect(() => workerFile(url('dist', 'crypto', 'pool.js'), 'other')).toThrow(/is missing/)
})
