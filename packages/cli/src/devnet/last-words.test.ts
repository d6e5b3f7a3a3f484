import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { lastWords } from './last-words.ts'

let directory: string
let path: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'quoin-words-'))
  path = join(directory, 'log')
})
afterEach(() => rm(directory, { recursive: true }))

const line = (level: number, msg: string, more: object = {}) => `${JSON.stringify({ level, time: 1, ...more, msg })}\n`

it('is the last error, not the messages of every shutdown', async () => {
  await writeFile(
    path,
    line(30, 'up') + line(60, 'cannot go on', { err: { message: 'no room', stack: 'x' } }) + line(30, 'stopped'),
  )
  expect(await lastWords(path, 0)).toBe('cannot go on: no room')
})

it('is the output of the command line or Node.js, without a stack', async () => {
  await writeFile(path, `${line(30, 'up')}quoin: port 1 is in use\n    at f (file.js:1)\n\n`)
  expect(await lastWords(path, 0)).toBe('quoin: port 1 is in use')
})

it('is the last line of a process that was killed', async () => {
  await writeFile(path, line(30, 'block final') + line(40, 'peer banned'))
  expect(await lastWords(path, 0)).toBe('peer banned')
})

it('is nothing of an earlier run', async () => {
  await writeFile(path, line(60, 'an old error'))
  const from = Buffer.byteLength(line(60, 'an old error'))
  expect(await lastWords(path, from)).toBeUndefined()
  await appendFile(path, line(30, 'up'))
  expect(await lastWords(path, from)).toBe('up')
})

it('has a limited length for any log', async () => {
  await writeFile(path, `${line(60, 'far away')}${line(30, 'x'.repeat(1_000)).repeat(200)}{"level":30,"msg":"cut`)
  expect(await lastWords(path, 0)).toBe('{"level":30,"msg":"cut')
  await writeFile(path, 'y'.repeat(300_000))
  expect((await lastWords(path, 0))!.length).toBe(500)
})
