import { readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SYSTEM_ADDRESS } from '@quoin/execution'
import { CHAIN_ABI } from '@quoin/execution/contract'
import { decryptKeystoreJson } from 'ethers'
import {
  type Abi,
  createTestClient,
  decodeFunctionData,
  getContractAddress,
  type Hex,
  http,
  parseEther,
  publicActions,
  stringToHex,
  toHex,
  walletActions,
} from 'viem'
import { foundry } from 'viem/chains'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readContract } from '../contracts/contract.mjs'
import { account, temporaryDirectory, walletClient } from './harness.ts'
import { type Finished, type Program, quoin, startQuoin } from './program.ts'

const ABI = CHAIN_ABI as Abi
const [GOVERNOR, BOB, CAROL] = [account(0).address, account(1).address, account(2).address]
const PEER = '12D3KooWM14Q8G6eMyoRAHVV3cHXfDMsFtE3ipw7KKtjyuytZu9n'

let program: Program
let url: string
let directory: string

const client = () =>
  createTestClient({ mode: 'anvil', chain: foundry, transport: http(url, { retryCount: 0 }), pollingInterval: 50, cacheTime: 0 })
    .extend(publicActions)
    .extend(walletActions)

/** Reads a view of the chain contract with viem. */
const view = (functionName: string, ...args: readonly unknown[]) =>
  client().readContract({ address: SYSTEM_ADDRESS, abi: ABI, functionName, args })
const organisationExists = async (name: string): Promise<unknown> =>
  ((await view('organisation', idOf(name))) as readonly unknown[])[0]
const idOf = (name: string): Hex => stringToHex(name, { size: 32 })

/** Runs the command line. Its output has both streams. */
const cli = (...args: readonly string[]): Promise<Finished> => quoin(args, { cwd: directory, env: { QUOIN_RPC: url } })

/** Runs a command that must succeed. */
async function done(...args: readonly string[]): Promise<string> {
  const { code, output } = await cli(...args)
  expect(code, `quoin ${args.join(' ')}\n${output}`).toBe(0)
  return output
}
const json = async (...args: readonly string[]): Promise<unknown> => JSON.parse(await done(...args, '--json'))

async function refused(...args: readonly string[]): Promise<string> {
  const before = await client().getBlockNumber()
  const { code, output } = await cli(...args)
  expect(code, output).toBe(1)
  expect(await client().getBlockNumber()).toBe(before)
  return output
}

const secret = (index: number): Hex => toHex(account(index).getHdKey().privateKey!)

beforeAll(async () => {
  directory = await temporaryDirectory()
  program = startQuoin(['dev', '--port', '0'], { ipc: true })
  const { rpcPort } = await program.message<{ kind: 'ready'; rpcPort: number }>('ready')
  url = `http://127.0.0.1:${rpcPort}`
  const files = { 'governor.key': secret(0), 'bob.key': secret(1), 'carol.key': secret(2), password: 'correct horse\n' }
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text, { mode: 0o600 })
})
afterAll(async () => {
  await program.end('SIGKILL')
  await rm(directory, { recursive: true })
})

/** The commands of one heading of the guide, with whether they are refused. */
async function commandsOf(
  heading: string,
): Promise<readonly { readonly args: readonly string[]; readonly isRefused: boolean }[]> {
  const guide = await readFile(new URL('../../docs/permissions.md', import.meta.url), 'utf8')
  const section = guide.split(/^### /m).find((text) => text.startsWith(`${heading}\n`))
  const blocks = [...(section ?? '').matchAll(/^```sh\n(.*?)^```/gms)].map(([, text]) => text!)
  const lines = blocks.flatMap((text) => text.split('\n')).filter((line) => line.startsWith('quoin '))
  expect(lines.length, heading).toBeGreaterThan(0)
  return lines.map((line) => {
    const [command, comment = ''] = line.split(' # ') as [string, string?]
    const words = [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!)
    return { args: words.slice(1), isRefused: comment.startsWith('refused') }
  })
}

/** Runs the commands of a heading of the guide, in order. Returns what they printed. */
async function runGuide(heading: string): Promise<readonly string[]> {
  const outputs: string[] = []
  for (const { args, isRefused } of await commandsOf(heading))
    outputs.push(isRefused ? await refused(...args) : await done(...args))
  return outputs
}

describe('the guide, on a development chain', () => {
  it('keys: encrypted, for their owner alone, and what ethers opens', async () => {
    await runGuide('Keys')
    for (const name of ['new.json', 'governor.json']) expect((await stat(join(directory, name))).mode & 0o777).toBe(0o600)
    const imported = await decryptKeystoreJson(await readFile(join(directory, 'governor.json'), 'utf8'), 'correct horse')
    expect(imported.privateKey).toBe(secret(0))
    const again = await refused('account', 'new', '--out', 'new.json', '--password-file', 'password')
    expect(again).toContain('new.json already exists')
  })

  it('organisations', async () => {
    const outputs = await runGuide('Organisations')
    expect(outputs[1]).toContain('Dry run as')
    expect(outputs[2]).toMatch(/Transaction 0x[0-9a-f]{64} in block 1, /)
    expect(outputs[2]).toContain('OrganisationChanged: id bank-a, name "Bank A", votes 2')
    expect(outputs.join('')).toContain('the organisation has votes: set them to 0 first')
    expect(await view('organisation', idOf('bank-a'))).toEqual([true, 'Bank A', 2, 1, 0xffff_007c, false, 0, 0])
    expect(await organisationExists('bank-b')).toBe(false)
    // Without a key the call is printed.
    const data = /Data {4}(0x[0-9a-f]+)/.exec(outputs[3]!)![1] as Hex
    expect(decodeFunctionData({ abi: ABI, data })).toEqual({
      functionName: 'setOrganisation',
      args: [idOf('bank-a'), 'Bank A', 2, 5, 0xffff_007c],
    })
  })

  it('accounts', async () => {
    const outputs = await runGuide('Accounts')
    expect(outputs.join('')).toContain('AccountOffered')
    expect(outputs.join('')).toContain('it may give and take the roles')
    expect(outputs.at(-2)).toContain('2030-01-31T00:00:00Z')
    expect(await view('account', BOB)).toEqual([true, idOf('bank-a'), 29, 0n, false])
    expect(((await view('account', CAROL)) as readonly unknown[])[0]).toBe(false)
    expect(await json('account', 'list')).toEqual([
      {
        address: BOB.toLowerCase(),
        organisation: 'bank-a',
        roles: 'admin,sender,deployer,operator',
        expiry: 'never',
        suspended: false,
      },
    ])
  })

  it('policies and parameters, which hold for stock viem', async () => {
    await runGuide('Policies and parameters')
    expect(await view('parameter', 'heartbeatIntervalMs')).toBe(10_000n)
    const stranger = walletClient(url, 5)
    await expect(stranger.sendTransaction({ to: BOB, value: parseEther('1') })).rejects.toThrow(/sending|sender/)
    const hash = await walletClient(url, 1).sendTransaction({ to: GOVERNOR, value: 1n })
    expect((await client().getTransactionReceipt({ hash })).status).toBe('success')
  })

  it('contracts', async () => {
    const token = readContract('token')
    const nonce = await client().getTransactionCount({ address: BOB })
    const hash = await walletClient(url, 1).deployContract({ ...token, args: ['T', 'T', BOB, 1n] })
    const { contractAddress } = await client().getTransactionReceipt({ hash })
    expect(contractAddress).toBe(getContractAddress({ from: BOB, nonce: BigInt(nonce) }).toLowerCase())
    const guide = await commandsOf('Contracts')
    // The guide names the contract of a fresh account.
    for (const [i, { args }] of guide.entries()) {
      const output = await done(...args.map((word) => (word.startsWith('0x') ? contractAddress! : word)))
      if (i === 0) expect(await view('restriction', contractAddress)).toBe(65_536)
      if (i === 1) expect(output).toContain('teller')
    }
    expect(await view('restriction', contractAddress)).toBe(0)
  })

  it('nodes', async () => {
    await runGuide('Nodes')
    expect(await json('node', 'list')).toEqual([
      { peerId: PEER, kind: 'validator', organisation: 'bank-a', addresses: ['/ip4/10.0.0.8/tcp/26656'] },
    ])
  })

  it('validators: added, ready, rotated, removed', async () => {
    const outputs = await runGuide('Validators')
    expect(outputs[3]).toContain('ValidatorReady: id bank-a-1')
    expect(outputs[5]).toMatch(/readyAt +[1-9]/)
    expect(outputs[8]).toContain('KeyRotated')
    expect((await stat(join(directory, 'next-validator-key.json'))).mode & 0o777).toBe(0o600)
    expect(outputs[9]).toContain('PowerChanged: id bank-a-1, power 3')
    expect(await json('validator', 'list')).toMatchObject([{ shortName: 'sealer' }])
  })

  it('governance is handed over', async () => {
    const outputs = await runGuide('Governance')
    expect(JSON.parse(outputs[3]!)).toMatchObject({
      governor: BOB.toLowerCase(),
      kind: 'account',
      participants: [BOB.toLowerCase()],
    })
    expect(outputs[4]).toContain(`${GOVERNOR.toLowerCase()} is not the governor: only ${BOB.toLowerCase()} may do this`)
  })
})

describe('commands', () => {
  it('refuse a key that others may read, and a wrong password', async () => {
    await writeFile(join(directory, 'open.key'), secret(1), { mode: 0o644 })
    expect(await refused('org', 'set', 'x', '--key', 'open.key')).toContain('chmod 600 open.key')
    await writeFile(join(directory, 'wrong'), 'wrong horse', { mode: 0o600 })
    const output = await refused('org', 'set', 'x', '--key', 'governor.json', '--password-file', 'wrong')
    expect(output).toContain('the password is wrong')
    expect(await refused('org', 'set', 'x', '--key', 'governor.json')).toContain('--password-file')
  })

  it.each<[string[], string]>([
    [['org', 'show', 'nobody'], 'there is no organisation nobody: quoin org list shows all'],
    [['org', 'set', 'Bank A'], 'is not a short name'],
    [['account', 'set', CAROL], 'a new one needs --organisation and --roles'],
    [['account', 'set', BOB, '--roles', 'chief'], 'there is no role "chief"'],
    [['account', 'set', BOB, '--expires', 'soon'], 'must be a date such as'],
    [['param', 'set', 'speed', '1'], 'there is no parameter "speed"'],
    [['node', 'remove', 'x', '--key', 'bob.key'], 'the node x is not registered: quoin node list shows all'],
    [['account', 'remove', CAROL, '--key', 'bob.key'], 'has no entry: quoin account list shows all'],
    [['validator', 'power', 'x', '1', '--key', 'bob.key'], 'there is no validator x'],
    [['gov', 'accept', '--key', 'governor.key'], 'governance is not offered to it'],
    [['org', 'list', '--rpc', 'http://127.0.0.1:9'], 'Name its URL with --rpc'],
  ])('%j says what to do', async (args, message) => {
    expect(await refused(...args)).toContain(message)
  })

  it('a dry run changes nothing, and says what a run would do', async () => {
    const before = await client().getBlockNumber()
    const tried = (await json('org', 'set', 'bank-c', '--key', 'bob.key', '--dry-run')) as {
      readonly gasUsed: number
      readonly events: readonly object[]
    }
    expect(tried).toMatchObject({
      dryRun: true,
      from: BOB.toLowerCase(),
      events: [{ name: 'OrganisationChanged', values: { id: 'bank-c' } }],
    })
    expect(await client().getBlockNumber()).toBe(before)
    expect(await organisationExists('bank-c')).toBe(false)
    const made = (await json('org', 'set', 'bank-c', '--key', 'bob.key')) as typeof tried & { readonly transactionHash: Hex }
    expect(made.events).toEqual(tried.events)
    const receipt = await client().getTransactionReceipt({ hash: made.transactionHash })
    expect(Number(receipt.gasUsed)).toBe(tried.gasUsed)
  })

  it('print the call for a proposal where the governor is a contract', async () => {
    const token = readContract('token')
    const hash = await walletClient(url, 1).deployContract({ ...token, args: ['G', 'G', BOB, 1n] })
    const contract = (await client().getTransactionReceipt({ hash })).contractAddress!
    await done('gov', 'offer', contract, '--key', 'bob.key')
    await client().impersonateAccount({ address: contract })
    await client().writeContract({
      account: contract,
      address: SYSTEM_ADDRESS,
      abi: ABI,
      functionName: 'acceptGovernor',
      args: [],
    })
    expect(await json('gov', 'show')).toMatchObject({ governor: contract, kind: 'contract' })
    const before = await client().getBlockNumber()
    const call = (await json('param', 'set', 'feePolicy', 'burn', '--key', 'bob.key')) as {
      readonly target: Hex
      readonly data: Hex
    }
    expect(call).toMatchObject({
      target: SYSTEM_ADDRESS,
      function: 'setParameter',
      why: expect.stringContaining('propose this call'),
    })
    expect(decodeFunctionData({ abi: ABI, data: call.data })).toEqual({ functionName: 'setParameter', args: ['feePolicy', 1n] })
    expect(await client().getBlockNumber()).toBe(before)
    // What the governor would do can be tried.
    expect(await done('param', 'set', 'feePolicy', 'burn', '--from', contract, '--dry-run')).toContain('ParameterChanged')
    // An admin still does by itself what it may.
    await done('node', 'set', 'observer', '--organisation', 'bank-a', '--key', 'bob.key')
  })
})
