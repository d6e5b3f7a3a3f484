import { flatKeyOf } from '@quoin/execution'
import { type Address, bytesToHex, LIMITS, storageKey } from '@quoin/protocol'
import { JsonRpcProvider } from 'ethers'
import { createPublicClient, type Hex, http } from 'viem'
import { foundry } from 'viem/chains'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTestNode, type TestNode } from '../../test/chain.ts'
import { crypto, oneValidator as validators } from '../../test/fixture.ts'
import { serveTestNode, type TestRpc } from '../../test/rpc.ts'

const contract = `0x${'c0'.repeat(20)}` as Address
const longest = new Uint8Array(LIMITS.stateKeyBytesMax).fill(0x6b)
const slot = (n: number) => Uint8Array.from({ length: 32 }, (_, i) => (i === 31 ? n : 0))
const word = (...last: number[]) => bytesToHex(Uint8Array.from([...new Uint8Array(32 - last.length), ...last]))

let node: TestNode
let rpc: TestRpc

beforeAll(async () => {
  node = await openTestNode({ crypto, validators })
  const stored = [
    [new Uint8Array(0), [1]],
    [Uint8Array.of(0x10), [2]],
    [Uint8Array.of(0x01, 0x00), [3]],
    [slot(1), [4]],
    [longest, [5]],
    [new TextEncoder().encode('name'), new TextEncoder().encode('Gold')],
    [new TextEncoder().encode('full'), new Uint8Array(32).fill(0xff)],
    [new TextEncoder().encode('long'), new Uint8Array(33).fill(0xee)],
  ] as const
  await node.kv.write(
    stored.map(([key, value]) => ({ key: flatKeyOf(storageKey(contract, key)), value: Uint8Array.from(value) })),
  )
  rpc = await serveTestNode(node, crypto)
})
afterAll(() => rpc.server.close())

const at = async (key: string, block = 'latest') => (await rpc.call('eth_getStorageAt', contract, key, block)).result

describe('eth_getStorageAt', () => {
  it.each([
    ['no bytes', '0x', word(1)],
    ['a byte', '0x10', word(2)],
    ['an odd number of digits, as a quantity has', '0x100', word(3)],
    ['a slot of 32 bytes', bytesToHex(slot(1)), word(4)],
    ['the longest key', bytesToHex(longest), word(5)],
    ['text', '0x6e616d65', word(0x47, 0x6f, 0x6c, 0x64)],
    ['text in capital digits', '0x6E616D65', word(0x47, 0x6f, 0x6c, 0x64)],
    ['a key that nothing is stored under', '0x6e', word()],
    ['a slot that nothing is stored under', bytesToHex(slot(0)), word()],
    ['a value of a word', '0x66756c6c', `0x${'ff'.repeat(32)}`],
    ['a value that is longer', '0x6c6f6e67', `0x${'ee'.repeat(33)}`],
  ])('reads the key of %s', async (_, key, value) => {
    expect(await at(key)).toBe(value)
  })

  it('returns zero if there is no contract', async () => {
    expect((await rpc.call('eth_getStorageAt', `0x${'cc'.repeat(20)}`, '0x10', 'latest')).result).toBe(word())
  })

  it.each(['10', '0xg0', `0x${'00'.repeat(129)}`, 1, null])('refuses the key %j', async (key) => {
    expect((await rpc.call('eth_getStorageAt', contract, key, 'latest')).error?.code).toBe(-32602)
  })

  it('refuses a block that does not exist', async () => {
    expect((await rpc.call('eth_getStorageAt', contract, '0x', '0x9')).error?.code).toBe(-32001)
  })

  it('answers viem and ethers', async () => {
    const client = createPublicClient({ chain: foundry, transport: http(rpc.url) })
    expect(await client.getStorageAt({ address: contract, slot: bytesToHex(slot(1)) as Hex })).toBe(word(4))
    const provider = new JsonRpcProvider(rpc.url, 31_337, { staticNetwork: true })
    expect(await provider.getStorage(contract, 0x10)).toBe(word(2))
    expect(await provider.getStorage(contract, 0x100)).toBe(word(3))
    provider.destroy()
  })
})

describe('eth_getStorageValues', () => {
  const other = `0x${'cc'.repeat(20)}`
  const keys = (count: number) => new Array<string>(count).fill('0x10')
  const values = (requests: object, block: unknown = 'latest', from = rpc) => from.call('eth_getStorageValues', requests, block)

  it('reads many keys of several accounts', async () => {
    const { result } = await values({
      [contract.toUpperCase().replace('X', 'x')]: ['0x100', '0x10', '0x6c6f6e67'],
      [other]: ['0x10'],
    })
    expect(result).toEqual({ [contract]: [word(3), word(2), `0x${'ee'.repeat(33)}`], [other]: [word()] })
  })

  it.each<[string, object, string]>([
    ['nothing', {}, 'invalid param 0: is empty'],
    ['accounts without keys', { [contract]: [] }, 'invalid param 0: is empty'],
    [
      'more keys than the limit',
      { [contract]: keys(600), [other]: keys(425) },
      'has 425 storage keys after those of earlier accounts, the limit is 424',
    ],
    ['an account that is none', { '0x12': ['0x'] }, 'invalid param 0: has the invalid key 0x12'],
    ['a key that is none', { [contract]: ['0x1', '0xg'] }, `invalid param 0: ${contract}.1 must be hex`],
  ])('refuses %s', async (_, requests, message) => {
    expect((await values(requests)).error).toMatchObject({ code: -32602, message: expect.stringContaining(message) })
  })

  it('refuses a block that does not exist, and values that are too long together', async () => {
    expect((await values({ [contract]: ['0x'] }, '0x9')).error?.code).toBe(-32001)
    const small = await serveTestNode(node, crypto, { responseBytesMax: 6_600 })
    expect((await values({ [contract]: keys(101) }, 'latest', small)).error).toMatchObject({
      code: -32005,
      message: expect.stringMatching(/^response too large/),
    })
    expect((await values({ [contract]: keys(100) }, 'latest', small)).result).toEqual({
      [contract]: new Array(100).fill(word(2)),
    })
    await small.server.close()
  })
})
