import { copyFile, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createWalletClient, http, parseEther } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { foundry } from 'viem/chains'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { publicClient, temporaryDirectory, Validator } from './harness.ts'
import { freePorts } from './ports.ts'
import { Program, QUOIN, quoin, run } from './program.ts'
import { until } from './watch.ts'

let directory: string
beforeEach(async () => {
  directory = await temporaryDirectory()
})
afterEach(() => rm(directory, { recursive: true }))

/** The entry of a node for a list of validators. */
async function entryOf(dataDir: string): Promise<object> {
  const { code, output } = await quoin(['keys', '--json', '--data-dir', dataDir])
  expect(code).toBe(0)
  return JSON.parse(output) as object
}

describe('quoin', () => {
  it.each([
    [['--help'], ['init', 'start', 'keys', 'genesis', 'version']],
    [
      ['init', '--help'],
      ['--data-dir', '--genesis', '--listen', '--advertise', '--development', '--rpc-port'],
    ],
    [
      ['start', '--help'],
      ['--data-dir', '--rpc-port', 'QUOIN_RPC_PORT', '--p2p-listen', '--log-level', 'an integer from 0 to 65535'],
    ],
    [
      ['keys', '--help'],
      ['--data-dir', '--json'],
    ],
    [
      ['genesis', '--help'],
      [
        '--validator <entry>',
        '--validators',
        '--chain-id',
        '--fee-policy',
        '--fund',
        '--development',
        '--block-interval-ms',
        '--force',
      ],
    ],
    [['--version'], ['0.1.0']],
    [['version'], ['quoin 0.1.0', 'execution 0x', 'crypto ', `node ${process.version}`]],
  ])('%j', async (args, words) => {
    const { code, output } = await quoin(args)
    expect(code).toBe(0)
    // Help is wrapped at the terminal's width.
    for (const word of words) expect(output.replace(/\s+/g, ' ')).toContain(word)
  })

  it.each([
    [['begin'], "unknown command 'begin'"],
    [['genesis'], 'a genesis needs validators: add the --validator option that quoin keys prints for each'],
    [['genesis', '--validators', 'x', '--fee-policy', 'some'], 'Allowed choices are free, burn, to-proposer'],
    [['init', '--rpc-port', 'x'], 'must be a non-negative integer'],
  ])('refuses %j', async (args, message) => {
    const { code, output } = await quoin(args)
    expect(code).toBe(1)
    expect(output).toContain(message)
  })

  it('never replaces a key', async () => {
    const dataDir = join(directory, 'node')
    expect((await quoin(['init', '--data-dir', dataDir, '--development'])).code).toBe(0)
    const path = join(dataDir, 'validator-key.json')
    const key = await readFile(path, 'utf8')
    expect((await stat(path)).mode & 0o077).toBe(0)
    const again = await quoin(['init', '--data-dir', dataDir, '--development'])
    expect(again.code).toBe(1)
    expect(again.output).toContain('validator-key.json already exists')
    expect(await readFile(path, 'utf8')).toBe(key)
    const shown = await quoin(['keys', '--data-dir', dataDir])
    expect(shown.output).not.toContain((JSON.parse(key) as { readonly secretKey: string }).secretKey)
  })
})

it('quoin genesis replaces a file only with --force', async () => {
  const dataDir = join(directory, 'node')
  await quoin(['init', '--data-dir', dataDir, '--development'])
  const list = join(directory, 'validators.json')
  await writeFile(list, JSON.stringify([await entryOf(dataDir)]))
  const out = join(directory, 'genesis.json')
  await writeFile(out, 'mine')
  const genesis = (...args: readonly string[]) =>
    quoin(['genesis', '--validators', list, '--development', ...args], { cwd: directory })
  const refused = await genesis()
  expect(refused).toMatchObject({ code: 1, output: expect.stringContaining('quoin: genesis.json already exists: ') })
  expect(await readFile(out, 'utf8')).toBe('mine')
  expect(await genesis('--force')).toMatchObject({ code: 0 })
  expect(JSON.parse(await readFile(out, 'utf8'))).toMatchObject({ chainId: 31337 })
})

describe('a network set up by four organisations', () => {
  const running: Validator[] = []
  afterEach(async () => {
    await Promise.all(running.splice(0).map((validator) => validator.kill()))
  })

  it('each with keys of its own: starts, and makes a transaction final', async () => {
    const firstPort = await freePorts(8)
    const members = [0, 1, 2, 3].map(
      (i) => new Validator(`member-${i}`, join(directory, `${i}`), firstPort + i, firstPort + 4 + i),
    )
    const owner = privateKeyToAccount(generatePrivateKey())

    const options = await Promise.all(
      members.map(async ({ name, dataDir, rpcPort, p2pPort }) => {
        const p2p = `/tcp/${p2pPort}`
        // It listens on every address, and advertises one to the others.
        const ports = ['--listen', `/ip4/0.0.0.0${p2p}`, '--advertise', `/ip4/127.0.0.1${p2p}`, '--rpc-port', `${rpcPort}`]
        const made = await quoin(['init', '--data-dir', dataDir, '--development', ...ports])
        expect({ name, code: made.code, output: made.output }).toMatchObject({ code: 0 })
        const { code, output } = await quoin(['keys', '--data-dir', dataDir])
        expect(code).toBe(0)
        expect(made.output).toBe(`Created ${dataDir}.\n${output}`)
        return output.trimEnd().split('\n').at(-1)!
      }),
    )
    const genesis = join(directory, 'genesis.json')
    const wei = parseEther('5')
    // As a person does who copies what `quoin keys` printed.
    const line = `genesis ${options.join(' ')} --out '${genesis}' --chain-id 4711 --block-interval-ms 200 --fund ${owner.address}=${wei} --development`
    const made = await run(new Program('/bin/sh', ['-c', `exec "${process.execPath}" "${QUOIN}" ${line}`]))
    expect(made.output).toContain(`Wrote ${genesis}: chain 4711, 4 validators`)
    expect(made.code).toBe(0)
    for (const { dataDir } of members) await copyFile(genesis, join(dataDir, 'genesis.json'))

    await Promise.all(
      members.map(async (member) => {
        running.push(member)
        await member.start()
      }),
    )
    const [a, b] = members
    expect(await a!.client.getChainId()).toBe(4711)
    const chain = { ...foundry, id: 4711 }
    const wallet = createWalletClient({ account: owner, chain, transport: http(a!.url) })
    const hash = await wallet.sendTransaction({ to: '0x00000000000000000000000000000000000000aa', value: wei })
    const receipts = await Promise.all(members.map(({ url }) => publicClient(url).waitForTransactionReceipt({ hash })))
    expect(new Set(receipts.map(({ status, blockHash }) => `${status} ${blockHash}`)).size).toBe(1)
    expect(receipts[0]!.status).toBe('success')
    expect(await b!.client.getBalance({ address: owner.address })).toBe(0n)
    await until('each has the three others as peers', async () => {
      const peers = await Promise.all(members.map(({ client }) => client.request({ method: 'net_peerCount' } as never)))
      return peers.every((count) => count === '0x3')
    })
  })

  it('refuses addresses at which no other machine can reach the node, and says what to use', async () => {
    const init = (...args: readonly string[]) => quoin(['init', '--data-dir', join(directory, 'node'), ...args])
    const refused = async (args: readonly string[], message: string): Promise<void> => {
      const { code, output } = await init(...args)
      expect({ args, code, says: output.includes(message) }).toEqual({ args, code: 1, says: true })
    }
    await refused([], '--listen: /ip4/0.0.0.0/tcp/26656 means all interfaces of this machine')
    await refused(['--listen', '/ip4/127.0.0.1/tcp/1'], '--listen: /ip4/127.0.0.1/tcp/1 is only reachable from this machine')
    await refused(
      ['--advertise', '/ip4/127.0.0.1/tcp/1'],
      '--advertise: /ip4/127.0.0.1/tcp/1 is only reachable from this machine',
    )
    await refused(['--development', '--listen', '/ip6/::/tcp/1'], 'use --advertise to give the address')
    const made = await init('--listen', '/ip4/0.0.0.0/tcp/5', '--advertise', '/dns4/a.example.org/tcp/5')
    expect(made.code).toBe(0)
    const entry = await entryOf(join(directory, 'node'))
    expect(entry).toMatchObject({ addresses: ['/dns4/a.example.org/tcp/5'] })
    const list = join(directory, 'validators.json')
    const genesis = async (address: string, ...args: readonly string[]) => {
      await writeFile(list, JSON.stringify([{ ...entry, name: 'a', addresses: [address] }]))
      return quoin(['genesis', '--validators', list, '--out', join(directory, 'out.json'), '--force', ...args])
    }
    expect((await genesis('/ip4/127.0.0.1/tcp/5')).output).toContain(
      '[0.addresses] of a: /ip4/127.0.0.1/tcp/5 is only reachable from',
    )
    expect((await genesis('/ip4/0.0.0.0/tcp/5', '--development')).output).toContain('means all interfaces of this machine')
    expect((await genesis('/ip4/127.0.0.1/tcp/5', '--development')).code).toBe(0)
    expect((await genesis('/ip4/10.0.0.1/tcp/5')).code).toBe(0)
  })

  it('refuses a list that names a key twice, or none', async () => {
    const dataDir = join(directory, 'node')
    await quoin(['init', '--data-dir', dataDir, '--development'])
    const entry = await entryOf(dataDir)
    const list = join(directory, 'validators.json')
    const refuse = async (content: unknown, message: string): Promise<void> => {
      await writeFile(list, typeof content === 'string' ? content : JSON.stringify(content))
      const answer = await quoin(['genesis', '--validators', list, '--development', '--out', join(directory, 'out.json')])
      expect(answer.code).toBe(1)
      expect(answer.output).toContain(message)
      expect(answer.output).not.toMatch(/^ {4}at /m)
    }
    await refuse([entry, entry], 'validators 0 and 1 have the same publicKey')
    await refuse([], 'must list at least one validator')
    await refuse([{ ...entry, power: 0 }], '[0.power]')
    await refuse([{ ...entry, stake: 1 }], 'stake')
    await refuse('{', 'validators.json is not valid JSON')
    expect((await quoin(['genesis', '--validators', join(directory, 'none.json')])).output).toContain('none.json does not exist')
    const option = (value: object) => ['--validator', JSON.stringify(value)]
    const refuseOptions = async (options: readonly string[], message: string): Promise<void> => {
      const answer = await quoin(['genesis', ...options, '--development', '--out', join(directory, 'out.json')])
      expect(answer).toMatchObject({ code: 1, output: expect.stringContaining(message) })
    }
    await refuseOptions([...option(entry), ...option({ ...entry, power: 0 })], '--validator 2: [power]')
    await refuseOptions([...option({ ...entry, addresses: ['/ip4/0.0.0.0/tcp/5'] })], '--validator 1: [addresses] of 12D3')
    await refuseOptions([...option(entry), '--validators', list], 'is not valid JSON')
    await writeFile(list, JSON.stringify([entry]))
    await refuseOptions([...option(entry), '--validators', list], 'validators 0 and 1 have the same publicKey')
  })
})
