import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { EXIT_CODE } from '../../packages/node/src/validator/exit-code.ts'
import { account, Network, type NetworkOptions, type Validator, walletClient } from './harness.ts'
import { Program, quoin, ROOT, startQuoin } from './program.ts'
import { until } from './watch.ts'

const networks: Network[] = []
const programs: Program[] = []
afterEach(async () => {
  await Promise.all(programs.splice(0).map((program) => program.end('SIGKILL')))
  await Promise.all(networks.splice(0).map((network) => network.close()))
})

async function create(options: NetworkOptions): Promise<Network> {
  const network = await Network.create(options)
  networks.push(network)
  return network
}

interface Probe {
  readonly status: number
  readonly body: {
    readonly reason?: { readonly code: string; readonly message: string }
    readonly reasons: readonly { readonly code: string; readonly message: string }[]
    readonly warnings: readonly { readonly code: string; readonly message: string }[]
    readonly behind: number
  }
}

async function probe({ url }: Validator, path: '/health' | '/ready'): Promise<Probe> {
  const response = await fetch(`${url}${path}`)
  return { status: response.status, body: (await response.json()) as Probe['body'] }
}

const reasonsOf = async (node: Validator): Promise<readonly string[]> =>
  (await probe(node, '/ready')).body.reasons.map(({ code }) => code)

async function call({ url }: Validator, method: string, params: readonly unknown[] = []) {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  return (await response.json()) as {
    readonly result?: unknown
    readonly error?: { readonly code: number; readonly message: string }
  }
}

/**
 * Starts a node whose process may not write files beyond some size: sooner or later a write of the log or the database fails, as on a full
 * disk.
 */
function startLimited(node: Validator, fileKilobytesMax: number, ...args: readonly string[]): Program {
  const quoinPath = join(ROOT, 'packages/cli/bin/quoin.mjs')
  const script = `ulimit -f ${2 * fileKilobytesMax}; exec "$0" "$@"`
  const program = new Program('sh', ['-c', script, process.execPath, quoinPath, 'start', '--data-dir', node.dataDir, ...args])
  programs.push(program)
  return program
}

describe('a node that cannot write any more', () => {
  it('reports it and ends with the code of a full disk; the same directory works again when there is room', async () => {
    const network = await create({ validators: 1 })
    const node = network.validators[0]!
    const program = startLimited(node, 40)
    expect(await program.exit).toEqual({ code: EXIT_CODE['disk-full'], signal: null })
    expect(program.output).toMatch(/"reason":"disk-full".*the node cannot continue/)
    await node.start()
    await network.advance(3)
  })

  it('stays up if configured to: answers reads, takes no transaction, and every probe says why', async () => {
    const network = await create({ validators: 1 })
    const node = network.validators[0]!
    const program = startLimited(node, 40, '--stay-up-when-halted')
    await program.shows(/has left the network and only answers reads/)
    const health = await probe(node, '/health')
    expect(health).toMatchObject({ status: 503, body: { status: 'failed', reason: { code: 'disk-full' } } })
    expect(await probe(node, '/ready')).toMatchObject({ status: 503, body: { ready: false } })
    expect(await reasonsOf(node)).toContain('disk-full')
    expect(await node.metrics()).toMatchObject({
      'quoin_halted{reason="disk-full"}': 1,
      'quoin_halted{reason="halted"}': 0,
      quoin_ready: 0,
    })
    const before = await node.height()
    expect(before).toBeGreaterThan(0)
    await expect(walletClient(node.url, 0).sendTransaction({ to: account(1).address, value: 1n })).rejects.toThrow(
      /accepts no transactions, because it has stopped \(disk-full\)/,
    )
    expect((await call(node, 'eth_getBlockByNumber', ['latest', true])).result).toMatchObject({
      number: `0x${before.toString(16)}`,
    })
    expect(await program.end('SIGTERM')).toEqual({ code: EXIT_CODE.done, signal: null })
  })

  it('ends with the code of a failed storage when its log cannot be written, and names the file', async () => {
    const network = await create({ validators: 1 })
    const node = network.validators[0]!
    await node.start()
    // The log is replaced through a file of this name at each height.
    const obstacle = join(node.dataDir, 'wal.new')
    // The file may exist for a moment, while it becomes the log.
    await until('the obstacle', async () => {
      try {
        await mkdir(obstacle)
        return true
      } catch (failure) {
        if ((failure as NodeJS.ErrnoException).code === 'EEXIST') return false
        throw failure
      }
    })
    expect(await node.program.exit).toEqual({ code: EXIT_CODE.storage, signal: null })
    expect(node.log).toMatch(/EISDIR.*wal\.new.*"reason":"storage"/)
    await rm(obstacle, { recursive: true })
    await node.start()
    await network.advance(3)
  })

  it('does not even start where the free space is below the limit, and warns above it', async () => {
    const network = await create({ validators: 1 })
    const node = network.validators[0]!
    const most = String(2 ** 49)
    const refused = await quoin(['start', '--data-dir', node.dataDir, '--health-disk-stop-bytes', most])
    expect(refused.code).toBe(EXIT_CODE['disk-full'])
    expect(refused.output).toContain('the disk is almost full')
    expect(refused.output).not.toMatch(/^ {4}at /m)
    await node.start({ env: { QUOIN_HEALTH_DISK_WARN_BYTES: most } })
    const ready = await probe(node, '/ready')
    expect(ready.status).toBe(200)
    expect(ready.body.warnings).toMatchObject([{ code: 'disk-low', message: expect.stringContaining('free some disk space') }])
  })
})

it('a validator that cannot follow a final block halts with its own code and keeps the block; the others go on', async () => {
  const network = await create({})
  const [a, b, c, d] = network.validators as [Validator, Validator, Validator, Validator]
  const rule = new URL('./other-rule.mjs', import.meta.url).href
  await Promise.all([a.start(), b.start(), c.start(), d.start({ env: { NODE_OPTIONS: `--import ${rule}` } })])
  expect(await d.program.exit).toEqual({ code: EXIT_CODE.halted, signal: null })
  expect(d.log).toMatch(/a rule of this node alone.*"reason":"halted"/)
  const { block } = JSON.parse(await readFile(join(d.dataDir, 'halt.json'), 'utf8')) as {
    readonly block: { readonly hash: string; readonly header: { readonly number: number } }
  }
  // The others made it final; it may be a later one if its own proposal was block 5.
  expect((await a.client.getBlock({ blockNumber: BigInt(block.header.number) })).hash).toBe(block.hash)
  await network.advance(3)
})

it('a node that is short of memory refuses reads, says so once, and takes transactions', async () => {
  const network = await create({ validators: 1 })
  const node = network.validators[0]!
  await node.start({ env: { QUOIN_HEALTH_MEMORY_BYTES: String(64 * 1024 * 1024) } })
  await until('it is not ready', async () => (await reasonsOf(node)).includes('memory-high'))
  const raw = await account(0).signTransaction({
    type: 'eip1559',
    chainId: 31_337,
    nonce: 0,
    gas: 21_000n,
    to: account(1).address,
  })
  expect(await call(node, 'eth_sendRawTransaction', [raw])).toMatchObject({ result: expect.stringMatching(/^0x/) })
  expect(await call(node, 'eth_getBlockByNumber', ['latest', false])).toMatchObject({
    error: { code: -32_005, message: expect.stringContaining('short of memory') },
  })
  expect((await probe(node, '/health')).status).toBe(200)
  await until(
    'the transaction is final',
    async () => (await call(node, 'eth_getTransactionCount', [account(0).address])).result === '0x1',
  )
  expect(node.log.match(/memory is short/g)).toHaveLength(1)
})

describe('a node and its place in the network', () => {
  it('that is in no registry says so, and the refusing side names it once', async () => {
    const network = await create({ validators: 1, followers: 1 })
    const [node, stranger] = network.validators as [Validator, Validator]
    const genesis = JSON.parse(await readFile(join(network.directory, 'genesis.json'), 'utf8')) as {
      nodes: { addresses: string[] }[]
    }
    const withoutStranger = {
      ...genesis,
      nodes: genesis.nodes.filter(({ addresses }) => addresses[0]!.endsWith(`/${node.p2pPort}`)),
    }
    for (const { dataDir } of network.validators) await writeFile(join(dataDir, 'genesis.json'), JSON.stringify(withoutStranger))
    await network.startAll()
    const ready = await probe(stranger, '/ready')
    expect(ready.status).toBe(503)
    expect(ready.body.reasons.map(({ code }) => code)).toEqual(['not-registered', 'no-peers'])
    const id = /peer (12D3\w+)\) is not in the chain's registry/.exec(ready.body.reasons[0]!.message)![1]
    expect(stranger.log).toContain("is not in the chain's registry of nodes")
    await until('it has been refused twice', async () => ((await node.metrics())['quoin_network_refused_by_id'] ?? 0) >= 2)
    expect(
      node.log.match(new RegExp(`"who":"${id}".*connection refused: the peer is not in the chain's registry`, 'g')),
    ).toHaveLength(1)
    // A validator that can make blocks alone needs no peer.
    expect(await probe(node, '/ready')).toMatchObject({ status: 200, body: { ready: true, reasons: [], warnings: [] } })
  })

  it('without enough peers says which are missing, and is ready when they connect', async () => {
    const network = await create({})
    const [a, b, c] = network.validators as [Validator, Validator, Validator]
    await a.start()
    expect(await reasonsOf(a)).toEqual(['no-peers'])
    expect((await probe(a, '/health')).status).toBe(200)
    await b.start()
    await until('it misses one more', async () => (await reasonsOf(a)).join() === 'no-quorum')
    await c.start()
    await until('it is ready', async () => (await probe(a, '/ready')).status === 200)
  })

  it('whose clock is off: untimely proposals are counted and named, and each side sees the offset', async () => {
    const network = await create({})
    const preload = join(network.directory, 'fast-clock.mjs')
    await writeFile(preload, 'const now = Date.now\nDate.now = () => now() + 5_000\n')
    const [a, b, c, d] = network.validators as [Validator, Validator, Validator, Validator]
    const ahead = { env: { NODE_OPTIONS: `--import ${pathToFileURL(preload).href}` } }
    await Promise.all([a.start(), b.start(), c.start(ahead), d.start(ahead)])
    await a.program.shows(
      /"proposer":"0x\w+","from":"12D3\w+","offsetMs":(4[89]|5[01])\d\d,.*proposal is untimely: its time is ahead/,
    )
    await c.program.shows(/"offsetMs":-(4[89]|5[01])\d\d,.*proposal is untimely: it arrived too long after its time/)
    expect((await a.metrics())['quoin_engine_proposals_early']).toBeGreaterThan(0)
    for (const [node, offsetMs] of [
      [a, 5_000],
      [c, -5_000],
    ] as const) {
      await until(
        `${node.name} knows its offset`,
        async () => Math.abs(((await node.metrics())['quoin_clock_offset_ms'] ?? 0) - offsetMs) < 300,
      )
      expect((await probe(node, '/ready')).body.warnings.map(({ code }) => code)).toContain('clock-off')
    }
  })
})

it('an exception that nobody caught ends with the code of a bug', async () => {
  const network = await create({ validators: 1 })
  const node = network.validators[0]!
  const preload = join(network.directory, 'bug.mjs')
  await writeFile(preload, "process.on('message', () => {\n  throw new Error('a bug')\n})\n")
  await node.start({ env: { NODE_OPTIONS: `--import ${pathToFileURL(preload).href}` } })
  node.program.send({ kind: 'anything' })
  expect(await node.program.exit).toEqual({ code: EXIT_CODE.failed, signal: null })
  expect(node.log).toContain('Error: a bug')
})

it('a damaged file ends the start with a code of its own, and an unknown setting with that of usage', async () => {
  const network = await create({ validators: 1 })
  const node = network.validators[0]!
  await writeFile(join(node.dataDir, 'wal'), 'this is no log of a node at all')
  const damaged = await quoin(['start', '--data-dir', node.dataDir])
  expect([damaged.code, damaged.output.includes('not a write-ahead log file')]).toEqual([EXIT_CODE['untrusted-files'], true])
  expect((await quoin(['start', '--data-dir', node.dataDir, '--rpc-port', 'x'])).code).toBe(EXIT_CODE.usage)
  const program = startQuoin(['start', '--data-dir', join(network.directory, 'none')])
  programs.push(program)
  expect((await program.exit).code).toBe(EXIT_CODE.usage)
})

describe('settings of a node that runs', () => {
  it('are read again by reload, or not at all when one is wrong; the probes have a port of their own', async () => {
    const network = await create({ validators: 1 })
    const node = network.validators[0]!
    await node.start()
    const [, healthPort] = /"port":(\d+),"msg":"probes listening"/.exec(node.log)!
    const ready = await fetch(`http://127.0.0.1:${healthPort}/ready`)
    expect([ready.status, ((await ready.json()) as Probe['body']).reasons]).toEqual([200, []])
    const config = join(node.dataDir, 'config.toml')
    const before = await readFile(config, 'utf8')
    const changed = before
      .replace(/^requests-per-minute = .*$/m, 'requests-per-minute = 60')
      .replace(/^level = .*$/m, 'level = "warn"')
      .replace(/^call-ms = .*$/m, 'call-ms = 4000')
    await writeFile(config, before.replace(/^level = .*$/m, 'level = "loud"'))
    const wrong = await quoin(['reload', '--data-dir', node.dataDir])
    expect([wrong.code, wrong.output]).toEqual([EXIT_CODE.usage, expect.stringContaining('log.level')])
    await writeFile(config, changed)
    expect(await quoin(['reload', '--data-dir', node.dataDir])).toMatchObject({ code: EXIT_CODE.done })
    await node.program.shows(/"changed":\["rpc.call-ms"\],"msg":"these settings take effect after a restart"/)
    const codes = []
    for (let i = 0; i < 70; i++) codes.push((await call(node, 'eth_chainId')).error?.code)
    expect(new Set(codes)).toEqual(new Set([undefined, -32005]))
    await node.stop()
    const none = await quoin(['reload', '--data-dir', node.dataDir])
    expect([none.code, none.output]).toEqual([EXIT_CODE.usage, expect.stringContaining('no node runs on')])
  })
})
