import { randomBytes } from 'node:crypto'
import { appendFile, copyFile, cp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { codec, type Hash, Height, nobleCrypto, Round, unwrap } from '@quoin/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SIGN_STATE_FORMAT } from '../../packages/node/src/engine/last-sign-state.ts'
import { WAL_FORMAT, Wal } from '../../packages/node/src/engine/wal.ts'
import { BlockStore } from '../../packages/node/src/store/block-store.ts'
import { openClassicKv } from '../../packages/node/src/store/classic-kv.ts'
import { openFileLog } from '../../packages/node/src/store/file-log.ts'
import { FORMAT_VERSION, formatCodec, singleKey } from '../../packages/node/src/store/schema.ts'
import { EXIT_CODE } from '../../packages/node/src/validator/exit-code.ts'
import { crc32cTable } from '../../packages/node/test/crc32c.ts'
import { account, Network, Validator, walletClient } from './harness.ts'
import { type ProgramOptions, quoin } from './program.ts'

let network: Network
/** Has a chain, and is stopped. */
let node: Validator
let copies = 0

beforeAll(async () => {
  network = await Network.start({ validators: 1 })
  node = network.validators[0]!
  const hash = await walletClient(node.url, 0).sendTransaction({ to: account(1).address, value: 1n })
  await network.receipt(hash, node)
  await node.stop()
})
afterAll(() => network.close())

/** A copy of the stopped node's data directory, to be damaged. */
async function copy(): Promise<string> {
  const path = join(network.directory, `copy-${++copies}`)
  await cp(node.dataDir, path, { recursive: true })
  return path
}

/** The node must not start, and must report why. */
async function expectRefused(
  dataDir: string,
  says: readonly (string | RegExp)[],
  args: readonly string[] = [],
  options?: ProgramOptions,
  exitCode: number = EXIT_CODE.usage,
) {
  const { code, output } = await quoin(['start', '--data-dir', dataDir, ...args], options)
  for (const part of says) {
    if (typeof part === 'string') expect(output).toContain(part)
    else expect(output).toMatch(part)
  }
  // Stack traces are for bugs only.
  expect(output).not.toMatch(/^ {4}at /m)
  expect(code).toBe(exitCode)
}

/** The same, for files that it must not trust. */
const expectUntrusted = (dataDir: string, says: readonly (string | RegExp)[]): Promise<void> =>
  expectRefused(dataDir, says, [], {}, EXIT_CODE['untrusted-files'])

describe('settings that are refused by name, with what is allowed', () => {
  it.each([
    [['--rpc-port', '70000'], '--rpc-port 70000: must be an integer from 0 to 65535'],
    [['--log-level', 'loud'], '--log-level loud: must be one of trace, debug, info'],
    [['--rpc-prot', '1'], "unknown option '--rpc-prot'"],
  ])('flag %j', async (args, message) => {
    await expectRefused(node.dataDir, [message], args)
  })

  it.each([
    [{ QUOIN_RPC_PORT: 'http' }, 'QUOIN_RPC_PORT=http: must be an integer from 0 to 65535'],
    [
      { QUOIN_RPC_PROT: '1' },
      'unknown environment variable QUOIN_RPC_PROT; known ones are QUOIN_RPC_ENABLED, QUOIN_RPC_HOST, QUOIN_RPC_PORT',
    ],
  ])('environment %j', async (env, message) => {
    await expectRefused(node.dataDir, [message], [], { env })
  })

  it.each([
    ['[rpc]\nport = "http"\n', /rpc\.port in \S+config\.toml: must be an integer from 0 to 65535/],
    ['[rpc]\nprot = 1\n', /config\.toml: unknown key rpc\.prot; known keys in \[rpc\] are enabled, host, port/],
    ['[rcp]\nport = 1\n', /config\.toml: unknown section \[rcp\]; known sections are rpc, p2p, [a-z, ]*store, log, crypto/],
    ['[rpc\n', /config\.toml is not valid TOML: line 1, column \d+/],
  ])('file %j', async (text, message) => {
    const dataDir = await copy()
    await writeFile(join(dataDir, 'config.toml'), text)
    await expectRefused(dataDir, [message])
  })
})

describe('a data directory that cannot be used', () => {
  it('does not exist', async () => {
    await expectRefused(join(network.directory, 'nothing'), ['genesis.json does not exist', 'quoin init'])
  })

  it('has an invalid genesis', async () => {
    const dataDir = await copy()
    const path = join(dataDir, 'genesis.json')
    const document = JSON.parse(await readFile(path, 'utf8')) as object
    await writeFile(path, JSON.stringify({ ...document, chainId: -1 }))
    await expectRefused(dataDir, ['genesis.json', 'chainId'])
    await writeFile(path, '{')
    await expectRefused(dataDir, ['genesis.json is not valid JSON'])
  })

  it('holds the chain of another genesis', async () => {
    const dataDir = await copy()
    const path = join(dataDir, 'genesis.json')
    const document = JSON.parse(await readFile(path, 'utf8')) as object
    await writeFile(path, JSON.stringify({ ...document, chainId: 4711 }))
    await expectRefused(dataDir, ['contains the chain with genesis 0x', 'choose another data directory'])
  })

  it('has development keys, and genesis is not for development', async () => {
    const dataDir = await copy()
    await rm(join(dataDir, 'db'), { recursive: true })
    const path = join(dataDir, 'genesis.json')
    const document = JSON.parse(await readFile(path, 'utf8')) as object
    await writeFile(path, JSON.stringify({ ...document, development: false }))
    await expectRefused(dataDir, ['the validator key is a development key', '"development": true', 'quoin init'])
  })

  it('has an invalid key file', async () => {
    const dataDir = await copy()
    await writeFile(join(dataDir, 'validator-key.json'), '{"kind":"quoin-validator-key","secretKey":"0x00"}')
    await expectRefused(dataDir, ['validator-key.json: not a secret key'])
  })

  it('is in use, by the process that is named', async () => {
    await node.start()
    try {
      await expectRefused(
        node.dataDir,
        [`process ${node.program.pid} is using the data directory ${node.dataDir}`],
        ['--rpc-port', '0'],
      )
      expect(await node.height()).toBeGreaterThan(0)
    } finally {
      await node.stop()
    }
  })

  it('has a port that is in use', async () => {
    await node.start()
    try {
      const dataDir = await copy()
      await rm(join(dataDir, 'lock'), { recursive: true })
      await expectRefused(
        dataDir,
        [`cannot listen for peers: listen EADDRINUSE: address already in use 127.0.0.1:${node.p2pPort}`, '--p2p-listen'],
        ['--rpc-port', '0'],
      )
      const other = ['--p2p-listen', '/ip4/127.0.0.1/tcp/0']
      await expectRefused(dataDir, [`port ${node.rpcPort} is in use`, '--rpc-port'], other)
      const taken = ['--health-port', String(node.rpcPort)]
      await expectRefused(dataDir, [`port ${node.rpcPort} is in use`, '--health-port'], [...other, '--rpc-port', '0', ...taken])
    } finally {
      await node.stop()
    }
  })
})

describe('files that a node must not trust', () => {
  const powers = async (path: string) => ({
    file: await openFileLog(path),
    crc32c: crc32cTable,
    random: { bytes: (length: number) => new Uint8Array(randomBytes(length)) },
  })

  /** The chain in a database. */
  async function chainOf(dataDir: string): Promise<{ readonly genesisHash: Hash; readonly height: number }> {
    const kv = await openClassicKv(join(dataDir, 'db'))
    try {
      const store = unwrap(BlockStore.open(kv, nobleCrypto))
      return { genesisHash: store.header(Height(0))!.hash, height: store.head.header.number }
    } finally {
      await kv.close()
    }
  }

  /** Writes a log of the open height as a node does, with several syncs; returns its path. */
  async function writeWal(dataDir: string): Promise<string> {
    const path = join(dataDir, 'wal')
    await rm(path)
    const chain = await chainOf(dataDir)
    const height = Height(chain.height + 1)
    const opened = await powers(path)
    const { wal } = await Wal.open(opened, chain.genesisHash)
    await wal.checkpoint(height, true)
    for (let round = 0; round < 4; round++) {
      wal.append({ kind: 'timeout', timeout: 'propose', height, round: Round(round) })
      await wal.sync()
    }
    await opened.file.close()
    return path
  }

  it('a write-ahead log with a changed byte before its end', async () => {
    const dataDir = await copy()
    const path = await writeWal(dataDir)
    const bytes = await readFile(path)
    // In the first record's payload: after the file's header (16), the record's prefix (8) and the checkpoint's kind.
    bytes[30]! ^= 1
    await writeFile(path, bytes)
    await expectUntrusted(dataDir, ['the write-ahead log is corrupt: the record at byte 16 fails its checksum', 'Check the disk'])
  })

  it('a write-ahead log of an unknown format', async () => {
    const dataDir = await copy()
    const path = await writeWal(dataDir)
    const bytes = await readFile(path)
    bytes[7] = 9
    await writeFile(path, bytes)
    await expectUntrusted(dataDir, [`the write-ahead log has format 9, but this program supports format ${WAL_FORMAT.version}`])
  })

  it('but a log that a crash cut off in its last record is accepted', async () => {
    const dataDir = await copy()
    await appendFile(join(dataDir, 'wal'), Buffer.alloc(7, 1))
    const survivor = new Validator('survivor', dataDir, node.rpcPort, node.p2pPort)
    await survivor.start()
    try {
      await network.advance(2, [survivor])
    } finally {
      await survivor.stop()
    }
  })

  it('a sign state that is something else', async () => {
    const dataDir = await copy()
    await copyFile(join(dataDir, 'config.toml'), join(dataDir, 'sign-state'))
    await expectUntrusted(dataDir, [`not a ${SIGN_STATE_FORMAT.name} file`, SIGN_STATE_FORMAT.magic])
  })

  it('a database of an unknown format', async () => {
    const dataDir = await copy()
    const kv = await openClassicKv(join(dataDir, 'db'))
    await kv.write([{ key: singleKey('format'), value: codec.encode(formatCodec, FORMAT_VERSION + 8) }])
    await kv.close()
    await expectRefused(dataDir, [
      `the database has format ${FORMAT_VERSION + 8}, but this release reads format ${FORMAT_VERSION}`,
    ])
  })

  it('a database that lost a file', async () => {
    const dataDir = await copy()
    await writeFile(join(dataDir, 'db', 'CURRENT'), 'MANIFEST-999999\n')
    await expectUntrusted(dataDir, [
      'the database cannot be opened',
      join(dataDir, 'db', 'MANIFEST-999999'),
      'keep its keys and sign-state',
    ])
  })
})
