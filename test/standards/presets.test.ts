import { type Address, encodeFunctionData, erc20Abi, getContract, parseAbi } from 'viem'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { alice, bob, carol, eventsOf, revertOf, Stage, ZERO } from './harness.ts'

const abi = [
  ...erc20Abi,
  ...parseAbi([
    'function mint(address to, uint256 value)',
    'function burn(uint256 value)',
    'function burnFrom(address account, uint256 value)',
    'function pause()',
    'function unpause()',
    'function owner() view returns (address)',
    'function eip712Domain() view returns (bytes1, string, string, uint256, address, bytes32, uint256[])',
    'error EnforcedPause()',
    'error OwnableUnauthorizedAccount(address account)',
    'error ERC20InsufficientAllowance(address spender, uint256 allowance, uint256 needed)',
  ]),
] as const

const tokenAt = (address: Address) => getContract({ address, abi, client: stage.client })
const preset = (name: string) => `packages/contracts/src/standards/presets/${name}.ts`

let stage: Stage
let token: ReturnType<typeof tokenAt>
const [a, b, c] = [alice.address, bob.address, carol.address]

beforeAll(async () => {
  stage = await Stage.open(...['token', 'timelock', 'multisig'].map(preset), 'nft', 'multi-token')
})
afterAll(() => stage.close())
beforeEach(async () => {
  token = tokenAt(await stage.deploy('token', ['Gold', 'AU', a, 100n], carol))
})

describe('the token', () => {
  it('has its first supply with its owner', async () => {
    expect(
      await Promise.all([token.read.name(), token.read.owner(), token.read.balanceOf([a]), token.read.totalSupply()]),
    ).toEqual([...['Gold', a, 100n, 100n]])
    const empty = await stage.deployment('token', ['Gold', 'AU', b, 0n])
    expect(eventsOf(abi, empty)).toEqual([])
    await expect(stage.deployment('token', ['Gold', 'AU', ZERO, 0n])).rejects.toThrow('reverted')
  })

  it('is minted by its owner, burnt by holders and those whom they allow it', async () => {
    expect(await revertOf(token.simulate.mint([b, 1n], { account: bob }))).toEqual(['OwnableUnauthorizedAccount', b])
    await stage.done(token.write.mint([b, 10n], { account: alice }))
    await stage.done(token.write.burn([4n], { account: bob }))
    expect(await revertOf(token.simulate.burnFrom([b, 1n], { account: carol }))).toEqual([
      'ERC20InsufficientAllowance',
      c,
      0n,
      1n,
    ])
    await stage.done(token.write.approve([c, 5n], { account: bob }))
    await stage.done(token.write.burnFrom([b, 5n], { account: carol }))
    expect(await Promise.all([token.read.balanceOf([b]), token.read.totalSupply(), token.read.allowance([b, c])])).toEqual([
      1n,
      101n,
      0n,
    ])
  })

  it('moves nothing while it is paused, and approves all the same', async () => {
    expect(await revertOf(token.simulate.pause({ account: bob }))).toEqual(['OwnableUnauthorizedAccount', b])
    await stage.done(token.write.approve([b, 50n], { account: alice }))
    await stage.done(token.write.pause({ account: alice }))
    for (const call of [
      token.simulate.transfer([b, 1n], { account: alice }),
      token.simulate.transferFrom([a, c, 1n], { account: bob }),
      token.simulate.mint([b, 1n], { account: alice }),
      token.simulate.burn([1n], { account: alice }),
      token.simulate.burnFrom([a, 1n], { account: bob }),
    ])
      expect(await revertOf(call)).toEqual(['EnforcedPause'])
    await stage.done(token.write.approve([b, 0n], { account: alice }))
    await stage.done(token.write.unpause({ account: alice }))
    await stage.done(token.write.transfer([b, 1n], { account: alice }))
  })
})

const nftAbi = parseAbi([
  'function mint(address to, uint256 tokenId)',
  'function safeTransferFrom(address from, address to, uint256 tokenId)',
  'function approve(address approved, uint256 tokenId)',
  'function ownerOf(uint256 tokenId) view returns (address)',
])
const multiTokenAbi = parseAbi([
  'function mint(address to, uint256 id, uint256 value, bytes data)',
  'function mintBatch(address to, uint256[] ids, uint256[] values, bytes data)',
  'function balanceOfBatch(address[] owners, uint256[] ids) view returns (uint256[])',
])
const multisigAbi = parseAbi([
  'function propose(address to, uint256 value, bytes data) returns (uint256)',
  'function execute(uint256 id) returns (bytes)',
  'function supportsInterface(bytes4 interfaceId) view returns (bool)',
])

describe.each([
  ['multisig', [[a], 1n]],
  ['timelock', [0n, [a], [a], ZERO]],
])('a %s', (name, args) => {
  it('takes tokens that are sent safely, one by one and in batches', async () => {
    const holder = await stage.deploy(name, args)
    const nft = getContract({ address: await stage.deploy('nft', ['Cats', 'CAT', '']), abi: nftAbi, client: stage.client })
    await stage.done(nft.write.mint([a, 7n], { account: alice }))
    await stage.done(nft.write.safeTransferFrom([a, holder, 7n], { account: alice }))
    expect(await nft.read.ownerOf([7n])).toBe(holder)
    const tokens = getContract({ address: await stage.deploy('multi-token', ['']), abi: multiTokenAbi, client: stage.client })
    await stage.done(tokens.write.mint([holder, 1n, 5n, '0x'], { account: alice }))
    await stage.done(tokens.write.mintBatch([holder, [1n, 2n], [1n, 2n], '0x'], { account: alice }))
    expect(
      await tokens.read.balanceOfBatch([
        [holder, holder],
        [1n, 2n],
      ]),
    ).toEqual([6n, 2n])
    const supports = (id: '0x4e2312e0' | '0xffffffff') =>
      stage.client.readContract({ address: holder, abi: multisigAbi, functionName: 'supportsInterface', args: [id] })
    expect(await Promise.all([supports('0x4e2312e0'), supports('0xffffffff')])).toEqual([true, false])
  })
})

it('a multisig is paid by what it calls, as here by itself', async () => {
  const wallet = getContract({ address: await stage.deploy('multisig', [[a], 1n]), abi: multisigAbi, client: stage.client })
  await stage.done(stage.client.sendTransaction({ account: alice, to: wallet.address, value: 5n }))
  await stage.done(wallet.write.propose([wallet.address, 2n, '0x'], { account: alice }))
  const receipt = await stage.done(wallet.write.execute([0n], { account: alice }))
  expect(eventsOf(parseAbi(['event Received(address indexed sender, uint256 value)']), receipt)).toEqual([
    ['Received', { sender: wallet.address, value: 2n }],
  ])
})

it('a multisig takes a token that it fetches itself during its own call', async () => {
  const wallet = getContract({ address: await stage.deploy('multisig', [[a], 1n]), abi: multisigAbi, client: stage.client })
  const nft = getContract({ address: await stage.deploy('nft', ['Cats', 'CAT', '']), abi: nftAbi, client: stage.client })
  await stage.done(nft.write.mint([b, 7n], { account: bob }))
  await stage.done(nft.write.approve([wallet.address, 7n], { account: bob }))
  const fetching = encodeFunctionData({ abi: nftAbi, functionName: 'safeTransferFrom', args: [b, wallet.address, 7n] })
  await stage.done(wallet.write.propose([nft.address, 0n, fetching], { account: alice }))
  await stage.done(wallet.write.execute([0n], { account: alice }))
  expect(await nft.read.ownerOf([7n])).toBe(wallet.address)
})

describe('presets', () => {
  it.each(['token', 'timelock', 'multisig'])('%s: nobody may upgrade it', (name) => {
    expect(stage.built(name).upgradeAuthority).toEqual({ kind: 'none' })
  })
})
