import { once } from 'node:events'
import { Writable } from 'node:stream'
import { expect, it } from 'vitest'
import { coalesceWrites } from './coalesce.ts'

/** A stream that records each call that would be a system call. */
class Recorder extends Writable {
  readonly calls: string[] = []

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.calls.push(chunk.toString())
    done()
  }

  override _writev(chunks: { readonly chunk: Buffer }[], done: () => void): void {
    this.calls.push(chunks.map(({ chunk }) => chunk.toString()).join(''))
    done()
  }
}

it('writes what one turn wrote in one call, in order', async () => {
  const stream = new Recorder()
  coalesceWrites(stream)
  for (const piece of ['len', 'head', 'body']) stream.write(piece)
  await new Promise(setImmediate)
  stream.write('next')
  stream.end()
  await once(stream, 'finish')
  expect(stream.calls).toEqual(['lenheadbody', 'next'])
})

it('keeps the back-pressure of the stream', () => {
  const stream = new Recorder({ highWaterMark: 4 })
  coalesceWrites(stream)
  expect(stream.write('abc')).toBe(true)
  expect(stream.write('d')).toBe(false)
})
