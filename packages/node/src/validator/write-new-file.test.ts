import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { CommandError, explain } from './failure.ts'
import { writeNewFile } from './write-new-file.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'quoin-new-file-'))
})
afterEach(() => rm(directory, { recursive: true }))

const failureOf = (writing: Promise<void>): Promise<unknown> =>
  writing.then(
    () => undefined,
    (failure: unknown) => failure,
  )

it('creates a file, and replaces one only with force', async () => {
  const path = join(directory, 'genesis.json')
  await writeNewFile(path, 'first', false)
  const failure = await failureOf(writeNewFile(path, 'second', false))
  expect(failure).toBeInstanceOf(CommandError)
  expect(explain(failure)).toBe(`${path} already exists: choose another file with --out, or add --force to replace it`)
  expect(await readFile(path, 'utf8')).toBe('first')
  await writeNewFile(path, 'third', true)
  expect(await readFile(path, 'utf8')).toBe('third')
})

it('lets exactly one of two commands create a file', async () => {
  const path = join(directory, 'genesis.json')
  const ends = await Promise.all(['a', 'b'].map((text) => failureOf(writeNewFile(path, text, false))))
  expect(ends.filter((end) => end === undefined)).toHaveLength(1)
})

it('names a directory in the place of the file, or a directory that is missing', async () => {
  expect(explain(await failureOf(writeNewFile(directory, 'text', false)))).toContain('already exists')
  expect(explain(await failureOf(writeNewFile(directory, 'text', true)))).toBe(`${directory} is a directory: name a file`)
  const missing = join(directory, 'none', 'genesis.json')
  expect(explain(await failureOf(writeNewFile(missing, 'text', false)))).toBe(`${missing} does not exist`)
  await writeFile(join(directory, 'none'), '')
  expect(explain(await failureOf(writeNewFile(missing, 'text', false)))).toBe(
    `${missing}: a part of this path is a file, not a directory`,
  )
})
