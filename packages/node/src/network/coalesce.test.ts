import { once } from 'node:events'
import { Socket } from 'node:net'
import { Writable } from 'node:stream'
import { expect, it, vi } from 'vitest'
import { startNodes, stopAll } from '../../test/network.ts'
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

it('finds the sockets of libp2p: a connection of the real transport leaves several pieces in one call', async () => {
  const writev = vi.spyOn(Socket.prototype as unknown as { _writev: (...args: unknown[]) => void }, '_writev')
  try {
    const [a, b] = await startNodes(2)
    a!.transport.send(b!.id, new Uint8Array(200))
    await b!.seen.until(() => b!.seen.messages.length === 1)
    expect(writev.mock.calls.some(([pieces]) => (pieces as unknown[]).length > 1)).toBe(true)
  } finally {
    writev.mockRestore()
    await stopAll()
  }
})
