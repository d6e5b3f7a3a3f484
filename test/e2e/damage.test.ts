import { cp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Hex, hexToBytes, keccak256 } from 'viem'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EXIT_CODE } from '../../packages/node/src/validator/exit-code.ts'
import { account, Network, Validator, walletClient } from './harness.ts'
import { quoin } from './program.ts'
import { until } from './watch.ts'

/** Transfers per block, so that each body is larger than a block of a LevelDB table, and so has one of its own. */
const transfersCount = 60

/** Signed transfers of one account, sent at once. */
async function sendTransfers(to: Validator, from: number): Promise<readonly Hex[]> {
  const client = walletClient(to.url, from)
  const raws = await Promise.all(
    Array.from({ length: transfersCount }, (_, nonce) =>
      client.signTransaction({ to: account(9).address, value: 1n, gas: 21_000n, gasPrice: 10n ** 10n, type: 'legacy', nonce }),
    ),
  )
  const call = (raw: Hex, id: number) => ({ jsonrpc: '2.0', id, method: 'eth_sendRawTransaction', params: [raw] })
  await to.post(JSON.stringify(raws.map(call)))
  return raws
}

const filesOf = async (dataDir: string, end: string): Promise<readonly string[]> => {
  const files = await readdir(join(dataDir, 'db'))
  return files.filter((name) => name.endsWith(end)).map((name) => join(dataDir, 'db', name))
}

/** The log with the newest commits. */
const logOf = async (dataDir: string) => (await filesOf(dataDir, '.log')).toSorted().at(-1)!

async function change(path: string, at: number, count: number): Promise<void> {
  const bytes = await readFile(path)
  for (let i = at; i < at + count; i++) bytes[i]! ^= 0xff
  await writeFile(path, bytes)
}

async function flipBit(path: string, at: number): Promise<void> {
  const bytes = await readFile(path)
  bytes[at]! ^= 1
  await writeFile(path, bytes)
}

describe('a damaged database', () => {
  let network: Network
  let node: Validator
  let copies = 0

  beforeAll(async () => {
    network = await Network.start({ validators: 1 })
    node = network.validators[0]!
    const [raw] = await sendTransfers(node, 0)
    await network.receipt(keccak256(raw!), node)
    await network.advance(10)
    await node.stop()
    // A start sorts the log into tables.
    await node.start()
    await network.advance(10)
    await node.stop()
  })
  afterAll(() => network.close())

  async function copy(): Promise<string> {
    const path = join(network.directory, `copy-${++copies}`)
    await cp(node.dataDir, path, { recursive: true })
    return path
  }

  async function expectFault(dataDir: string, ...says: readonly RegExp[]): Promise<void> {
    const { code, output } = await quoin(['doctor', '--data-dir', dataDir])
    for (const part of says) expect(output).toMatch(part)
    expect(output).not.toMatch(/^ {4}at /m)
    expect(output).not.toContain('no fault found')
    expect(code).toBe(EXIT_CODE['untrusted-files'])
  }

  async function expectRefused(dataDir: string, ...says: readonly RegExp[]): Promise<void> {
    const { code, output } = await quoin(['start', '--data-dir', dataDir])
    for (const part of says) expect(output).toMatch(part)
    expect(output).not.toMatch(/^ {4}at /m)
    expect(code).toBe(EXIT_CODE['untrusted-files'])
  }

  it('is distinguished by doctor from an intact one, which it checks completely', async () => {
    const { code, output } = await quoin(['doctor', '--data-dir', await copy()])
    for (const part of [
      /files: \d+ tables \(\d+ bytes\)/,
      /records: \d+ \(\d+ bytes\)/,
      /blocks: 0 to \d+ 0x/,
      /indexes: \d{2,} entries/,
      /state: \d+ keys and the stored tree match the root 0x/,
      /sign-state: \d+ records/,
      /wal: height \d+/,
    ])
      expect(output).toMatch(part)
    expect(output.trimEnd()).toMatch(/no fault found$/)
    expect(code).toBe(0)
  })

  it('is reported by doctor and start alike if the sign state is missing', async () => {
    const dataDir = await copy()
    await rm(join(dataDir, 'sign-state'))
    await expectFault(dataDir, /sign-state: no sign state of validator 0x/)
    await expectRefused(dataDir, /no sign state of validator 0x/)
  })

  it('is not touched while a node runs on it', async () => {
    await node.start()
    try {
      const { code, output } = await quoin(['doctor', '--data-dir', node.dataDir])
      expect(output).toContain(`process ${node.program.pid} is using the data directory`)
      expect(code).toBe(EXIT_CODE.usage)
    } finally {
      await node.stop()
    }
  })

  it('in its log: doctor names the position, and the node starts without the blocks after it and reports that', async () => {
    const dataDir = await copy()
    const log = await logOf(dataDir)
    await change(log, Math.floor((await readFile(log)).length / 2), 64)
    await expectFault(
      dataDir,
      /its log \d+\.log is corrupt from byte \d+ on, and byte \d+ proves/,
      /fetches the blocks after that point from the peers/,
    )
    const survivor = new Validator('survivor', dataDir, node.rpcPort, node.p2pPort)
    await survivor.start()
    await survivor.stop()
    expect(survivor.log).toContain('it was cut at the damage')
    expect(survivor.log).toContain('the database lost final blocks')
    expect(survivor.log).toContain('signs nothing until that height is final')
    expect(await filesOf(dataDir, '.damaged')).toHaveLength(1)
  })

  it('whose log lost its end: no checksum shows it, but the write-ahead log does', async () => {
    const dataDir = await copy()
    const log = await logOf(dataDir)
    await truncate(log, Math.floor((await readFile(log)).length / 2))
    await expectFault(dataDir, /the database lost final blocks: its head is block \d+, but \S+wal was started after block \d+/)
  })

  it('in any bit of a table is noticed', async () => {
    const dataDir = await copy()
    const [table] = await filesOf(dataDir, '.ldb')
    const bytes = await readFile(table!)
    for (const part of [0.1, 0.35, 0.6, 0.9]) {
      await writeFile(table!, bytes)
      await flipBit(table!, Math.floor(part * bytes.length))
      await expectFault(dataDir, /table \d+\.ldb fails LevelDB's checksum in the \S+.* at byte \d+/, /let the node fetch/)
    }
    await writeFile(table!, bytes.subarray(0, bytes.length - 1_000))
    await expectFault(dataDir, /table \d+\.ldb fails LevelDB's checksum in the footer/)
    await expectRefused(dataDir, /in the footer/, /keep its keys and sign-state/)
  })

  it('without CURRENT, or without the file that it names', async () => {
    const dataDir = await copy()
    const current = join(dataDir, 'db', 'CURRENT')
    const files = await filesOf(dataDir, '.ldb')
    await rm(current)
    for (const expectation of [expectFault, expectRefused])
      await expectation(dataDir, /has lost its file CURRENT/, /keep its keys and sign-state/)
    await writeFile(current, 'MANIFEST-999999\n')
    for (const expectation of [expectFault, expectRefused]) await expectation(dataDir, /the database cannot be opened/)
    expect(await filesOf(dataDir, '.ldb')).toEqual(files)
  })
})

describe('a validator of four with a damaged database', () => {
  let network: Network
  let raws: readonly Hex[]
  beforeAll(async () => {
    network = await Network.start({ validators: 4 })
    raws = await sendTransfers(network.validators[0]!, 1)
    await network.advance(10)
  })
  afterAll(() => network.close())

  async function expectWhole(validator: Validator): Promise<void> {
    await network.advance(3)
    await network.agreement()
    await validator.stop()
    const { code, output } = await quoin(['doctor', '--data-dir', validator.dataDir])
    expect(output).toContain('no fault found')
    expect(code).toBe(0)
    await validator.start()
  }

  it('gets the blocks again that its log lost, and votes again', async () => {
    const validator = network.validators[3]!
    await validator.kill()
    const log = await logOf(validator.dataDir)
    await change(log, Math.floor((await readFile(log)).length / 2), 64)
    await network.advance(5)
    await validator.start()
    await expectWhole(validator)
    expect(validator.log).toContain('the database lost final blocks')
  })

  it('gets a body again of which a bit has changed', async () => {
    const validator = network.validators[2]!
    await validator.stop()
    await validator.start()
    await validator.stop()
    const raw = Buffer.from(hexToBytes(raws[transfersCount / 2]!))
    const found = await Promise.all(
      (await filesOf(validator.dataDir, '.ldb')).map(async (path) => ({ path, at: (await readFile(path)).indexOf(raw) })),
    )
    const { path, at } = found.find(({ at }) => at >= 0)!
    await flipBit(path, at + 50)
    await validator.start()
    await until('the block is repaired', async () => ((await validator.metrics())['quoin_engine_repaired_blocks'] ?? 0) > 0, {
      report: () =>
        validator.log
          .split('\n')
          .filter((line) => /damage|repair|store/.test(line))
          .join('\n'),
    })
    await expectWhole(validator)
    expect(validator.log).toContain('a damaged block was fetched from a peer and rewritten')
  })
})
