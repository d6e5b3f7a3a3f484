import { type Address, getContract, parseAbi } from 'viem'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { alice, bob, carol, revertOf, Stage, ZERO } from './harness.ts'

const abi = parseAbi([
  'function totalSupply() view returns (uint256)',
  'function tokenByIndex(uint256 index) view returns (uint256)',
  'function tokenOfOwnerByIndex(address owner, uint256 index) view returns (uint256)',
  'function balanceOf(address owner) view returns (uint256)',
  'function transferFrom(address from, address to, uint256 tokenId)',
  'function safeTransferFrom(address from, address to, uint256 tokenId)',
  'function supportsInterface(bytes4 interfaceId) view returns (bool)',
  'function mint(address to, uint256 tokenId)',
  'function burn(uint256 tokenId)',
  // OpenZeppelin 5
  'error ERC721OutOfBoundsIndex(address owner, uint256 index)',
])

const nftAt = (address: Address) => getContract({ address, abi, client: stage.client })

let stage: Stage
let nft: ReturnType<typeof nftAt>
const [a, b, c] = [alice.address, bob.address, carol.address]

beforeAll(async () => {
  stage = await Stage.open('enumerable-nft')
})
afterAll(() => stage.close())
beforeEach(async () => {
  nft = nftAt(await stage.deploy('enumerable-nft', ['Cats', 'CAT']))
  for (const tokenId of [5n, 6n, 7n]) await stage.done(nft.write.mint([a, tokenId], { account: alice }))
})

const upTo = (count: bigint) => Array.from({ length: Number(count) }, (_, i) => BigInt(i))
const sorted = (list: readonly bigint[]) => list.toSorted((x, y) => Number(x - y))
const all = async () => sorted(await Promise.all(upTo(await nft.read.totalSupply()).map((i) => nft.read.tokenByIndex([i]))))
const of = async (owner: Address) =>
  sorted(await Promise.all(upTo(await nft.read.balanceOf([owner])).map((i) => nft.read.tokenOfOwnerByIndex([owner, i]))))

describe('enumeration', () => {
  it('is announced by ERC-165, with what it extends', async () => {
    const ids = ['0x780e9d63', '0x80ac58cd', '0x5b5e139f', '0x01ffc9a7', '0xffffffff'] as const
    expect(await Promise.all(ids.map((id) => nft.read.supportsInterface([id])))).toEqual([true, true, true, true, false])
  })

  it('"A count of valid NFTs tracked by this contract, where each one of them has an assigned and queryable owner"', async () => {
    expect(await Promise.all([all(), of(a), of(b)])).toEqual([[5n, 6n, 7n], [5n, 6n, 7n], []])
    await stage.done(nft.write.transferFrom([a, b, 5n], { account: alice }))
    await stage.done(nft.write.safeTransferFrom([a, c, 7n], { account: alice }))
    await stage.done(nft.write.transferFrom([a, a, 6n], { account: alice }))
    expect(await Promise.all([all(), of(a), of(b), of(c)])).toEqual([[5n, 6n, 7n], [6n], [5n], [7n]])
    await stage.done(nft.write.burn([6n], { account: alice }))
    await stage.done(nft.write.mint([b, 1n], { account: alice }))
    expect(await Promise.all([all(), of(a), of(b), of(c)])).toEqual([[1n, 5n, 7n], [], [1n, 5n], [7n]])
  })

  it('tokenByIndex "Throws if _index >= totalSupply()", tokenOfOwnerByIndex for an index beyond the balance or the zero address', async () => {
    expect(await revertOf(nft.read.tokenByIndex([3n]))).toEqual(['ERC721OutOfBoundsIndex', ZERO, 3n])
    expect(await revertOf(nft.read.tokenOfOwnerByIndex([a, 3n]))).toEqual(['ERC721OutOfBoundsIndex', a, 3n])
    expect(await revertOf(nft.read.tokenOfOwnerByIndex([ZERO, 0n]))).toEqual(['ERC721OutOfBoundsIndex', ZERO, 0n])
  })
})
