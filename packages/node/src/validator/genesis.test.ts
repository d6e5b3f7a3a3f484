import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bytesToHex, genesisToJson, idOfName, nobleCrypto, parseGenesis, publicKeyOf, ROLES, unwrap } from '@quoin/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createNodeKey, loadNodeKey } from '../network/node-key.ts'
import { makeGenesis } from './genesis.ts'

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'quoin-genesis-'))
})
afterEach(() => rm(root, { recursive: true }))

const ALICE = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8'

async function entry(n: number): Promise<string> {
  const node = loadNodeKey(await createNodeKey('Ed25519', new Uint8Array(32).fill(n)))
  const publicKey = bytesToHex(publicKeyOf(nobleCrypto.publicKey(new Uint8Array(32).fill(n))!))
  const peerId = node.ok ? node.value.peerId : ''
  return JSON.stringify({ name: `val-${n}`, organisation: 'bank-a', publicKey, peerId, addresses: ['/ip4/10.0.0.1/tcp/1'] })
}

async function make(consortium: unknown) {
  const file = join(root, 'consortium.json')
  const out = join(root, 'genesis.json')
  await writeFile(file, typeof consortium === 'string' ? consortium : JSON.stringify(consortium))
  const settings = {
    chainId: 7,
    timeMs: 1,
    development: false,
    parameters: {},
    fund: [],
    force: true,
    validators: undefined,
    out,
  }
  const genesis = await makeGenesis({ ...settings, validator: [await entry(1), await entry(2)], consortium: file })
  const written = unwrap(parseGenesis(nobleCrypto, JSON.parse(await readFile(out, 'utf8'))))
  expect(genesisToJson(written)).toEqual(genesisToJson(genesis))
  return genesis
}

const BANKS = { 'bank-a': { name: 'Bank A', votes: 2 }, 'bank-b': {} }

describe('a genesis with the file of a consortium', () => {
  it('has its members and rules, beside the validators of the entries', async () => {
    const genesis = await make({
      organisations: BANKS,
      accounts: { [ALICE]: { organisation: 'bank-b', roles: ['admin', 'voter'] } },
      governor: ALICE,
      policies: { deploying: 'members' },
    })
    expect(genesis.validators.validators.map(({ id }) => id)).toEqual([idOfName('val-1'), idOfName('val-2')])
    const { consortium } = genesis
    expect(consortium.organisations.map(({ name, votes }) => [name, votes])).toEqual([
      ['Bank A', 2],
      ['bank-b', 1],
    ])
    expect(consortium.accounts).toEqual([
      { address: ALICE.toLowerCase(), organisation: idOfName('bank-b'), roles: ROLES.admin | ROLES.voter, expiry: 0 },
    ])
    expect(consortium.governor).toBe(ALICE.toLowerCase())
    expect(consortium.policies).toEqual({ sending: 'open', deploying: 'members', reading: 'open' })
  })

  it('has the organisations of the entries where the file names none', async () => {
    const { consortium } = await make({ governor: ALICE })
    expect(consortium.organisations.map(({ name }) => name)).toEqual(['bank-a'])
  })

  it.each<[unknown, string]>([
    ['{', 'is not valid JSON'],
    [[], 'must be an object with organisations'],
    [{ validators: [] }, 'validators: unknown key (known keys: organisations,'],
    [{ organisations: { 'bank-b': {} } }, 'there is no organisation bank-a'],
    [{ organisations: { ...BANKS, 'Bank C': {} } }, 'organisations.Bank C: must be 1 to 31 characters'],
    [{ organisations: { ...BANKS, 'bank-b': { votes: -1 } } }, 'organisations.bank-b.votes: must be an integer from 0'],
    [{ accounts: { [ALICE]: { organisation: 'bank-a', roles: ['chief'] } } }, `accounts.${ALICE}.roles[0]: must be`],
    [{ accounts: { [ALICE]: { organisation: 'bank-z', roles: [] } } }, 'there is no organisation bank-z'],
    [{ policies: { sending: 'closed' } }, 'policies.sending: must be'],
    [{ governor: '0x12' }, 'governor: must be 0x and 40 hex digits'],
  ])('names the path of a fault: %j', async (consortium, message) => {
    await expect(make(consortium)).rejects.toThrow(message)
    await expect(make(consortium)).rejects.toThrow(join(root, 'consortium.json'))
  })
})
