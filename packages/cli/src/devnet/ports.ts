import { readdir, readFile, readlink } from 'node:fs/promises'
import { createServer } from 'node:net'
import { CommandError } from '@quoin/node/process'

export interface WantedPort {
  readonly port: number
  /** Purpose of the port, and the flag that changes it. */
  readonly use: string
  readonly flag: string
}

/**
 * Checks that TCP ports of 127.0.0.1 are free.
 *
 * @throws CommandError for the first port in use; it names the process if the system tells
 */
export async function requireFreePorts(ports: readonly WantedPort[]): Promise<void> {
  for (const { port, use, flag } of ports) {
    if (await isFree(port)) continue
    const holder = await holderOf(port)
    throw new CommandError(
      `port ${port} (needed for ${use}) is in use${holder === undefined ? '' : ` by ${holder}`}. Stop that process, or choose other ports with ${flag}.`,
    )
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (failure: NodeJS.ErrnoException) => (failure.code === 'EADDRINUSE' ? resolve(false) : reject(failure)))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)))
  })
}

/** The process that listens on a port, from Linux's /proc; undefined elsewhere, or when it belongs to another user. */
async function holderOf(port: number): Promise<string | undefined> {
  try {
    const inode = await listeningInode(port)
    return inode === undefined ? undefined : await processWithSocket(inode)
  } catch (failure) {
    // No /proc, or the process ended in the meantime. The port counts as in use.
    if (typeof (failure as NodeJS.ErrnoException).code === 'string') return undefined
    throw failure
  }
}

const LISTEN_STATE = '0A'

async function listeningInode(port: number): Promise<string | undefined> {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0')
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of (await readFile(table, 'utf8')).split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/)
      if (fields[1]?.endsWith(`:${wanted}`) && fields[3] === LISTEN_STATE) return fields[9]
    }
  }
  return undefined
}

async function processWithSocket(inode: string): Promise<string | undefined> {
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    if (!(await holdsSocket(pid, inode))) continue
    const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ').trim()
    return `process ${pid} (${command.slice(0, 120)})`
  }
  return undefined
}

async function holdsSocket(pid: string, inode: string): Promise<boolean> {
  try {
    for (const descriptor of await readdir(`/proc/${pid}/fd`)) {
      if ((await readlink(`/proc/${pid}/fd/${descriptor}`)) === `socket:[${inode}]`) return true
    }
    return false
  } catch (failure) {
    const { code } = failure as NodeJS.ErrnoException
    if (code === 'EACCES' || code === 'EPERM' || code === 'ENOENT' || code === 'ESRCH') return false
    throw failure
  }
}
