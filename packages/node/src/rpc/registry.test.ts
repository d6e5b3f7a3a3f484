import { flatKeyOf, SYSTEM_ADDRESS, SYSTEM_ENTRIES } from '@quoin/execution'
import { MemoryKv } from '@quoin/platform'
import { type AccountEntry, type Address, bytesToHex, codec, idOfName, ROLES, storageKey } from '@quoin/protocol'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTestNode, type TestNode, testGenesis } from '../../test/chain.ts'
import { crypto, fourValidators as validators } from '../../test/fixture.ts'
import { serveTestNode, type TestRpc } from '../../test/rpc.ts'
import { createRegistry } from './registry.ts'

const organisation = idOfName('v1')!
const entry = (roles: number): AccountEntry => ({ organisation, roles, expiry: 0, suspended: false })
const { account: ACCOUNT } = SYSTEM_ENTRIES

const op = (address: Address, value: AccountEntry) => ({
  key: flatKeyOf(storageKey(SYSTEM_ADDRESS, ACCOUNT.key(address))),
  value: codec.encode(ACCOUNT.codec, value),
})

const numbered = (n: number): Address => `0x${n.toString(16).padStart(40, '0')}` as Address

let node: TestNode
let rpc: TestRpc

beforeAll(async () => {
  const genesis = testGenesis(crypto, validators.set, {
    nodes: ['a', 'b'].map((peerId) => ({
      peerId,
      kind: 'observer' as const,
      organisation,
      addresses: [`/ip4/10.0.0.1/tcp/${peerId}`],
    })),
  })
  node = await openTestNode({ crypto, validators, genesis })
  await node.kv.write(Array.from({ length: 450 }, (_, i) => op(numbered(3 * i), entry(ROLES.sender))))
  rpc = await serveTestNode(node, crypto)
})
afterAll(() => rpc.server.close())

interface Page {
  readonly entries: readonly Record<string, unknown>[]
  readonly next: string | null
}
const page = async (method: string, request: object = {}) => (await rpc.call(method, request)).result as Page

/** All entries, page by page. */
async function all(method: string, limit: number): Promise<Page['entries']> {
  const entries: Record<string, unknown>[] = []
  let after: string | null = null
  do {
    const found: Page = await page(method, after === null ? { limit } : { limit, after })
    expect(found.entries.length).toBeLessThanOrEqual(limit)
    entries.push(...found.entries)
    after = found.next
  } while (after !== null)
  return entries
}

describe('lists of the chain contract', () => {
  it('organisations, with what the view of the contract says', async () => {
    const { entries, next } = await page('quoin_organisations')
    expect(next).toBeNull()
    expect(entries.map(({ shortName }) => shortName)).toEqual(['v1', 'v2', 'v3', 'v4'])
    expect(entries[0]).toMatchObject({
      id: organisation,
      name: 'v1',
      votes: 1,
      share: 1,
      suspended: false,
      members: 3,
      voters: 0,
    })
    expect(await all('quoin_organisations', 3)).toEqual(entries)
  })

  it('accounts: the largest page, and any smaller one', async () => {
    const first = await page('quoin_accounts')
    expect(first.entries).toHaveLength(200)
    expect(first.next).toBe(numbered(3 * 199))
    const entries = await all('quoin_accounts', 200)
    expect(entries.map(({ address }) => address)).toEqual(Array.from({ length: 450 }, (_, i) => numbered(3 * i)))
    expect(entries[1]).toEqual({ address: numbered(3), organisation: 'v1', roles: 4, expiry: 0, suspended: false })
    expect(await all('quoin_accounts', 97)).toEqual(entries)
    // An address without an entry is a place in the order too.
    expect((await page('quoin_accounts', { after: numbered(4), limit: 1 })).entries[0]!['address']).toBe(numbered(6))
  })

  it('nodes with their addresses, and validators with their powers', async () => {
    expect((await page('quoin_nodes', { limit: 1 })).next).toBe('a')
    expect(await all('quoin_nodes', 1)).toEqual(
      ['a', 'b'].map((peerId) => ({ peerId, kind: 'observer', organisation: 'v1', addresses: [`/ip4/10.0.0.1/tcp/${peerId}`] })),
    )
    const { result } = await rpc.call('quoin_validators')
    const [first, ...rest] = result as readonly Record<string, unknown>[]
    expect(rest).toHaveLength(3)
    const { publicKey } = validators.set.withId(idOfName('v1')!)!
    expect(first).toMatchObject({ shortName: 'v1', publicKey: bytesToHex(publicKey), power: 1, powerNext: 1, powerAfterNext: 1 })
  })

  it.each<[string, object, string]>([
    ['quoin_organisations', { after: 'V1' }, 'short name'],
    ['quoin_accounts', { after: '0x12' }, 'must be an address'],
    ['quoin_nodes', { after: 'x'.repeat(65) }, 'longer than 64'],
    ['quoin_nodes', { limit: 201 }, 'limit'],
    ['quoin_nodes', { limit: 0 }, 'limit'],
    ['quoin_accounts', { from: 'x' }, 'from'],
  ])('%s refuses %j', async (method, request, message) => {
    expect((await rpc.call(method, request)).error).toMatchObject({ code: -32602, message: expect.stringContaining(message) })
  })
})

it('pages of any length tell the same as a map, whatever lies beside the entries', async () => {
  const address = fc.uint8Array({ minLength: 20, maxLength: 20 }).map((bytes) => bytesToHex(bytes) as string as Address)
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(address, { maxLength: 30 }), fc.integer({ min: 1, max: 7 }), async (addresses, limit) => {
      const kv = new MemoryKv()
      const other = SYSTEM_ENTRIES.organisation.key(organisation)
      await kv.write([
        ...addresses.map((one) => op(one, entry(ROLES.reader))),
        { key: flatKeyOf(storageKey(SYSTEM_ADDRESS, other)), value: Uint8Array.of(1) },
        { key: flatKeyOf(storageKey(SYSTEM_ADDRESS, new Uint8Array(0))), value: Uint8Array.of(1) },
      ])
      const registry = createRegistry(kv)
      const found: string[] = []
      let isLast = false
      while (!isLast) {
        const { entries, ...more } = await registry.accounts(found.at(-1) as Address | undefined, limit)
        found.push(...entries.map(({ key }) => bytesToHex(key)))
        isLast = more.isLast
      }
      expect(found).toEqual([...addresses].sort())
    }),
  )
})
