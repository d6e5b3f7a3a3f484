import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * Operating systems take the ports of outgoing connections from 32768 on (Linux) or 49152 on (macOS): a listening port in that range could
 * be taken while a killed node is down.
 */
const FIRST = 12_000
const END = 32_000
/** Ports that this process has given away; their users may not listen yet. */
const given = new Set<number>()

/** First of `count` consecutive free ports. */
export async function freePorts(count: number): Promise<number> {
  for (;;) {
    const first = randomInt(FIRST, END - count)
    const run = Array.from({ length: count }, (_, i) => first + i)
    if (run.some((port) => given.has(port))) continue
    if (!(await Promise.all(run.map(isFree))).every(Boolean)) continue
    for (const port of run) given.add(port)
    return first
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (failure: NodeJS.ErrnoException) => (failure.code === 'EADDRINUSE' ? resolve(false) : reject(failure)))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      void once(server, 'close').then(() => resolve(true))
      server.close()
    })
  })
}
