import fc from 'fast-check'
import {
  type Address,
  decodeAbiParameters,
  encodeFunctionData,
  getContract,
  type Hex,
  keccak256,
  parseAbi,
  parseAbiParameters,
  toHex,
} from 'viem'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { runs } from '../long.ts'
import { alice, bob, carol, dave, eventsOf, MAX, revertOf, Stage, ZERO } from './harness.ts'
import { ACCEPT, ANSWER_OTHERWISE, CALL, LOOK, REFUSE_WITH_ERROR, REFUSE_WITHOUT_REASON, receiverAbi } from './receiver.ts'

/** ERC-721 with metadata and ERC-165 as in their texts, the errors of ERC-6093, and the test contracts' own functions. */
const abi = parseAbi([
  'event Transfer(address indexed from, address indexed to, uint256 indexed tokenId)',
  'event Approval(address indexed owner, address indexed approved, uint256 indexed tokenId)',
  'event ApprovalForAll(address indexed owner, address indexed operator, bool approved)',
  'function balanceOf(address owner) view returns (uint256)',
  'function ownerOf(uint256 tokenId) view returns (address)',
  'function safeTransferFrom(address from, address to, uint256 tokenId, bytes data)',
  'function safeTransferFrom(address from, address to, uint256 tokenId)',
  'function transferFrom(address from, address to, uint256 tokenId)',
  'function approve(address approved, uint256 tokenId)',
  'function setApprovalForAll(address operator, bool approved)',
  'function getApproved(uint256 tokenId) view returns (address)',
  'function isApprovedForAll(address owner, address operator) view returns (bool)',
  'function name() view returns (string)',
  'function symbol() view returns (string)',
  'function tokenURI(uint256 tokenId) view returns (string)',
  'function supportsInterface(bytes4 interfaceId) view returns (bool)',
  'error ERC721InvalidOwner(address owner)',
  'error ERC721NonexistentToken(uint256 tokenId)',
  'error ERC721IncorrectOwner(address sender, uint256 tokenId, address owner)',
  'error ERC721InvalidSender(address sender)',
  'error ERC721InvalidReceiver(address receiver)',
  'error ERC721InsufficientApproval(address operator, uint256 tokenId)',
  'error ERC721InvalidApprover(address approver)',
  'error ERC721InvalidOperator(address operator)',
  'error Refused(uint256 mode)',
  'function mint(address to, uint256 tokenId)',
  'function safeMint(address to, uint256 tokenId, bytes data)',
  'function burn(uint256 tokenId)',
])

const nftAt = (address: Address) => getContract({ address, abi, client: stage.client })
const receiverAt = (address: Address) => getContract({ address, abi: receiverAbi, client: stage.client })

let stage: Stage
let nft: ReturnType<typeof nftAt>
const [a, b, c] = [alice.address, bob.address, carol.address]

beforeAll(async () => {
  stage = await Stage.open('nft', 'reentrant-nft', 'receiver', 'sink')
})
afterAll(() => stage.close())
beforeEach(async () => {
  nft = nftAt(await stage.deploy('nft', ['Cats', 'CAT', 'https://cats/']))
  await stage.done(nft.write.mint([a, 7n], { account: alice }))
})

describe('ERC-165', () => {
  it.each([
    ['ERC-165', '0x01ffc9a7', true],
    ['ERC-721', '0x80ac58cd', true],
    ['ERC-721 metadata', '0x5b5e139f', true],
    ['the other part, access control', '0x7965db0b', true],
    ['ERC-721 enumeration', '0x780e9d63', false],
    ['ERC-1155', '0xd9b67a26', false],
    ['"0xffffffff"', '0xffffffff', false],
  ] as const)('answers for %s', async (_name, id, expected) => {
    expect(await nft.read.supportsInterface([id])).toBe(expected)
  })
})

describe('reading', () => {
  it('"NFTs assigned to the zero address are considered invalid", balanceOf "throws for queries about the zero address"', async () => {
    expect(await nft.read.balanceOf([a])).toBe(1n)
    expect(await nft.read.balanceOf([b])).toBe(0n)
    expect(await revertOf(nft.read.balanceOf([ZERO]))).toEqual(['ERC721InvalidOwner', ZERO])
    expect(await nft.read.ownerOf([7n])).toBe(a)
    expect(await revertOf(nft.read.ownerOf([8n]))).toEqual(['ERC721NonexistentToken', 8n])
  })

  it('getApproved "Throws if _tokenId is not a valid NFT"', async () => {
    expect(await nft.read.getApproved([7n])).toBe(ZERO)
    expect(await revertOf(nft.read.getApproved([8n]))).toEqual(['ERC721NonexistentToken', 8n])
  })

  it('tokenURI "Throws if _tokenId is not a valid NFT"', async () => {
    expect(await Promise.all([nft.read.name(), nft.read.symbol(), nft.read.tokenURI([7n])])).toEqual([
      'Cats',
      'CAT',
      'https://cats/7',
    ])
    expect(await revertOf(nft.read.tokenURI([8n]))).toEqual(['ERC721NonexistentToken', 8n])
    await stage.done(nft.write.mint([b, MAX], { account: alice }))
    expect(await nft.read.tokenURI([MAX])).toBe(`https://cats/${MAX}`)
    const bare = nftAt(await stage.deploy('nft', ['Cats', 'CAT', '']))
    await stage.done(bare.write.mint([a, 0n], { account: alice }))
    expect(await bare.read.tokenURI([0n])).toBe('')
  })
})

describe('transferFrom', () => {
  it('emits Transfer with three indexed parameters, moves the token and "the approved address for that NFT (if any) is reset to none"', async () => {
    await stage.done(nft.write.approve([c, 7n], { account: alice }))
    const receipt = await stage.done(nft.write.transferFrom([a, b, 7n], { account: alice }))
    // No additional Approval event: "The zero address indicates there is no approved address. When a Transfer event emits, this
    // also indicates …".
    expect(eventsOf(abi, receipt)).toEqual([['Transfer', { from: a, to: b, tokenId: 7n }]])
    const topic = (value: bigint) => toHex(value, { size: 32 })
    expect(receipt.logs[0]).toMatchObject({
      topics: [keccak256(toHex('Transfer(address,address,uint256)')), topic(BigInt(a)), topic(BigInt(b)), topic(7n)],
      data: '0x',
    })
    expect(await nft.read.ownerOf([7n])).toBe(b)
    expect(await nft.read.getApproved([7n])).toBe(ZERO)
    expect(await Promise.all([nft.read.balanceOf([a]), nft.read.balanceOf([b])])).toEqual([0n, 1n])
    expect(await revertOf(nft.simulate.transferFrom([b, c, 7n], { account: carol }))).toEqual([
      'ERC721InsufficientApproval',
      c,
      7n,
    ])
  })

  it('"Throws unless msg.sender is the current owner, an authorized operator, or the approved address for this NFT"', async () => {
    expect(await revertOf(nft.simulate.transferFrom([a, b, 7n], { account: bob }))).toEqual(['ERC721InsufficientApproval', b, 7n])
    await stage.failed(nft.write.transferFrom([a, b, 7n], { account: bob, gas: 1_000_000n }))
    await stage.done(nft.write.approve([b, 7n], { account: alice }))
    await stage.done(nft.write.transferFrom([a, c, 7n], { account: bob }))
    await stage.done(nft.write.setApprovalForAll([b, true], { account: carol }))
    await stage.done(nft.write.transferFrom([c, a, 7n], { account: bob }))
    await stage.done(nft.write.transferFrom([a, b, 7n], { account: alice }))
    expect(await nft.read.ownerOf([7n])).toBe(b)
  })

  it('"Throws if _from is not the current owner. Throws if _to is the zero address. Throws if _tokenId is not a valid NFT."', async () => {
    expect(await revertOf(nft.simulate.transferFrom([b, c, 7n], { account: alice }))).toEqual(['ERC721IncorrectOwner', b, 7n, a])
    expect(await revertOf(nft.simulate.transferFrom([a, ZERO, 7n], { account: alice }))).toEqual(['ERC721InvalidReceiver', ZERO])
    expect(await revertOf(nft.simulate.transferFrom([a, b, 8n], { account: alice }))).toEqual(['ERC721NonexistentToken', 8n])
  })

  it('to the owner clears the approval and changes nothing else', async () => {
    await stage.done(nft.write.approve([c, 7n], { account: alice }))
    await stage.done(nft.write.transferFrom([a, a, 7n], { account: carol }))
    expect(await Promise.all([nft.read.ownerOf([7n]), nft.read.balanceOf([a]), nft.read.getApproved([7n])])).toEqual([
      a,
      1n,
      ZERO,
    ])
  })
})

describe('approve', () => {
  it('"The zero address indicates there is no approved address"', async () => {
    const receipt = await stage.done(nft.write.approve([b, 7n], { account: alice }))
    expect(eventsOf(abi, receipt)).toEqual([['Approval', { owner: a, approved: b, tokenId: 7n }]])
    expect(receipt.logs[0]!.topics).toHaveLength(4)
    expect(await nft.read.getApproved([7n])).toBe(b)
    const cleared = await stage.done(nft.write.approve([ZERO, 7n], { account: alice }))
    expect(eventsOf(abi, cleared)).toEqual([['Approval', { owner: a, approved: ZERO, tokenId: 7n }]])
    expect(await nft.read.getApproved([7n])).toBe(ZERO)
  })

  it('"Throws unless msg.sender is the current NFT owner, or an authorized operator of the current owner"', async () => {
    await stage.done(nft.write.approve([b, 7n], { account: alice }))
    expect(await revertOf(nft.simulate.approve([c, 7n], { account: bob }))).toEqual(['ERC721InvalidApprover', b])
    expect(await revertOf(nft.simulate.approve([c, 8n], { account: alice }))).toEqual(['ERC721NonexistentToken', 8n])
    await stage.done(nft.write.setApprovalForAll([b, true], { account: alice }))
    const receipt = await stage.done(nft.write.approve([c, 7n], { account: bob }))
    expect(eventsOf(abi, receipt)).toEqual([['Approval', { owner: a, approved: c, tokenId: 7n }]])
  })
})

describe('setApprovalForAll', () => {
  it('"Emits the ApprovalForAll event. The contract MUST allow multiple operators per owner."', async () => {
    const receipt = await stage.done(nft.write.setApprovalForAll([b, true], { account: alice }))
    expect(eventsOf(abi, receipt)).toEqual([['ApprovalForAll', { owner: a, operator: b, approved: true }]])
    expect(receipt.logs[0]!.topics).toHaveLength(3)
    await stage.done(nft.write.setApprovalForAll([c, true], { account: alice }))
    expect(await Promise.all([b, c].map((operator) => nft.read.isApprovedForAll([a, operator])))).toEqual([true, true])
    await stage.done(nft.write.setApprovalForAll([b, false], { account: alice }))
    expect(await Promise.all([b, c].map((operator) => nft.read.isApprovedForAll([a, operator])))).toEqual([false, true])
    expect(await nft.read.isApprovedForAll([b, a])).toBe(false)
    expect(await revertOf(nft.simulate.setApprovalForAll([ZERO, true], { account: alice }))).toEqual([
      'ERC721InvalidOperator',
      ZERO,
    ])
  })
})

describe('safeTransferFrom', () => {
  const receive = parseAbiParameters('address operator, address from, uint256 tokenId, bytes data')
  const safely = (to: Address, account = alice, data: Hex = '0x') => nft.simulate.safeTransferFrom([a, to, 7n, data], { account })

  it('"checks if _to is a smart contract (code size > 0)": an account is not asked', async () => {
    const receipt = await stage.done(nft.write.safeTransferFrom([a, b, 7n], { account: alice }))
    expect(eventsOf(abi, receipt)).toEqual([['Transfer', { from: a, to: b, tokenId: 7n }]])
    await stage.done(nft.write.safeTransferFrom([b, dave.address, 7n, '0x0102'], { account: bob }))
    expect(await nft.read.ownerOf([7n])).toBe(dave.address)
  })

  it('calls onERC721Received with operator, former owner, token and data "in call to _to"; without data they are empty', async () => {
    const receiver = receiverAt(await stage.deploy('receiver'))
    await stage.done(nft.write.approve([b, 7n], { account: alice }))
    await stage.done(nft.write.safeTransferFrom([a, receiver.address, 7n, '0x0102'], { account: bob }))
    const [sender, received] = await receiver.read.last()
    expect(sender).toBe(nft.address)
    expect(decodeAbiParameters(receive, received)).toEqual([b, a, 7n, '0x0102'])
    expect(await nft.read.ownerOf([7n])).toBe(receiver.address)
    await stage.done(nft.write.mint([a, 8n], { account: alice }))
    await stage.done(nft.write.safeTransferFrom([a, receiver.address, 8n], { account: alice }))
    expect(decodeAbiParameters(receive, (await receiver.read.last())[1])).toEqual([a, a, 8n, '0x'])
  })

  it('has the token moved before the receiver is asked', async () => {
    const receiver = receiverAt(await stage.deploy('receiver'))
    const data = encodeFunctionData({ abi, functionName: 'ownerOf', args: [7n] })
    await stage.done(receiver.write.behave([LOOK, nft.address, data], { account: alice }))
    await stage.done(nft.write.safeTransferFrom([a, receiver.address, 7n], { account: alice }))
    expect(BigInt(await receiver.read.seen())).toBe(BigInt(receiver.address))
  })

  it('"throws if the return value is not bytes4(keccak256(…))"', async () => {
    const receiver = receiverAt(await stage.deploy('receiver'))
    await stage.done(receiver.write.behave([ANSWER_OTHERWISE, ZERO, '0x'], { account: alice }))
    expect(await revertOf(safely(receiver.address))).toEqual(['ERC721InvalidReceiver', receiver.address])
    await stage.failed(nft.write.safeTransferFrom([a, receiver.address, 7n], { account: alice, gas: 2_000_000n }))
    expect(await nft.read.ownerOf([7n])).toBe(a)
    await stage.done(receiver.write.behave([ACCEPT, ZERO, '0x'], { account: alice }))
    await stage.done(nft.write.safeTransferFrom([a, receiver.address, 7n], { account: alice }))
  })

  it("passes on a receiver's error; one without is an invalid receiver", async () => {
    const receiver = receiverAt(await stage.deploy('receiver'))
    await stage.done(receiver.write.behave([REFUSE_WITH_ERROR, ZERO, '0x'], { account: alice }))
    expect(await revertOf(safely(receiver.address))).toEqual(['Refused', REFUSE_WITH_ERROR])
    await stage.done(receiver.write.behave([REFUSE_WITHOUT_REASON, ZERO, '0x'], { account: alice }))
    expect(await revertOf(safely(receiver.address))).toEqual(['ERC721InvalidReceiver', receiver.address])
  })

  it('refuses contracts without the callback, and those that return nothing from every call', async () => {
    const other = await stage.deploy('nft', ['Dogs', 'DOG', ''])
    expect(await revertOf(safely(other))).toEqual(['ERC721InvalidReceiver', other])
    await stage.failed(nft.write.safeTransferFrom([a, other, 7n], { account: alice, gas: 2_000_000n }))
    const sink = await stage.deploy('sink')
    expect(await revertOf(safely(sink))).toEqual(['ERC721InvalidReceiver', sink])
    await stage.done(nft.write.transferFrom([a, sink, 7n], { account: alice }))
    expect(await nft.read.ownerOf([7n])).toBe(sink)
  })

  it('has the rules of transferFrom', async () => {
    expect(await revertOf(safely(b, bob))).toEqual(['ERC721InsufficientApproval', b, 7n])
    expect(await revertOf(safely(ZERO))).toEqual(['ERC721InvalidReceiver', ZERO])
    expect(await revertOf(nft.simulate.safeTransferFrom([b, c, 7n], { account: alice }))).toEqual([
      'ERC721IncorrectOwner',
      b,
      7n,
      a,
    ])
  })

  it('lets no receiver call back, unless the contract lists the function: then it finds all written', async () => {
    const receiver = receiverAt(await stage.deploy('receiver'))
    const onward = encodeFunctionData({ abi, functionName: 'transferFrom', args: [receiver.address, c, 7n] })
    await stage.done(receiver.write.behave([CALL, nft.address, onward], { account: alice }))
    expect(await revertOf(safely(receiver.address))).toMatch(/reentrant call refused/)
    const open = nftAt(await stage.deploy('reentrant-nft', ['Cats', 'CAT']))
    await stage.done(open.write.mint([a, 7n], { account: alice }))
    await stage.done(receiver.write.behave([CALL, open.address, onward], { account: alice }))
    const receipt = await stage.done(open.write.safeTransferFrom([a, receiver.address, 7n], { account: alice }))
    expect(eventsOf(abi, receipt)).toEqual([
      ['Transfer', { from: a, to: receiver.address, tokenId: 7n }],
      ['Transfer', { from: receiver.address, to: c, tokenId: 7n }],
    ])
    expect(await open.read.ownerOf([7n])).toBe(c)
    expect(await Promise.all([a, receiver.address, c].map((owner) => open.read.balanceOf([owner])))).toEqual([0n, 0n, 1n])
  })
})

describe('mint and burn', () => {
  it('"when NFTs are created (from == 0) and destroyed (to == 0)" Transfer is emitted', async () => {
    const minted = await stage.done(nft.write.mint([b, 8n], { account: alice }))
    expect(eventsOf(abi, minted)).toEqual([['Transfer', { from: ZERO, to: b, tokenId: 8n }]])
    await stage.done(nft.write.approve([c, 8n], { account: bob }))
    const burnt = await stage.done(nft.write.burn([8n], { account: alice }))
    expect(eventsOf(abi, burnt)).toEqual([['Transfer', { from: b, to: ZERO, tokenId: 8n }]])
    expect(await revertOf(nft.read.ownerOf([8n]))).toEqual(['ERC721NonexistentToken', 8n])
    expect(await nft.read.balanceOf([b])).toBe(0n)
    // A token that is minted again keeps no approval from before.
    await stage.done(nft.write.mint([a, 8n], { account: alice }))
    expect(await nft.read.getApproved([8n])).toBe(ZERO)
  })

  it('makes no token twice, none of the zero address, and destroys none that is not there', async () => {
    expect(await revertOf(nft.simulate.mint([b, 7n]))).toEqual(['ERC721InvalidSender', ZERO])
    expect(await revertOf(nft.simulate.mint([ZERO, 8n]))).toEqual(['ERC721InvalidReceiver', ZERO])
    expect(await revertOf(nft.simulate.burn([8n]))).toEqual(['ERC721NonexistentToken', 8n])
  })

  it('asks the receiver of a safe mint, with the zero address as the former owner', async () => {
    const receiver = receiverAt(await stage.deploy('receiver'))
    await stage.done(nft.write.safeMint([receiver.address, 9n, '0xaa'], { account: bob }))
    const parameters = parseAbiParameters('address operator, address from, uint256 tokenId, bytes data')
    expect(decodeAbiParameters(parameters, (await receiver.read.last())[1])).toEqual([b, ZERO, 9n, '0xaa'])
    const sink = await stage.deploy('sink')
    expect(await revertOf(nft.simulate.safeMint([sink, 10n, '0x']))).toEqual(['ERC721InvalidReceiver', sink])
  })
})

describe('ownership', () => {
  it('matches a simple model after any operations', async () => {
    const who = fc.constantFrom(0, 1, 2)
    const tokenId = fc.constantFrom(0n, 1n, 2n)
    const kind = fc.constantFrom('mint', 'burn', 'approve', 'approveAll', 'transferFrom', 'safeTransferFrom')
    const accounts = [alice, bob, carol]
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ kind, by: who, from: who, to: who, tokenId }), { minLength: 15, maxLength: 30 }),
        async (steps) => {
          const owners = new Map<bigint, number>()
          const approved = new Map<bigint, number>()
          const operators = new Set<string>()
          const fresh = nftAt(await stage.deploy('nft', ['T', 'T', '']))
          for (const { kind: act, by, from, to, tokenId: id } of steps) {
            const [account, f, t] = [accounts[by]!, accounts[from]!.address, accounts[to]!.address]
            const sent = { account, gas: 2_000_000n } as const
            const owner = owners.get(id)
            const isOperator = owner === by || operators.has(`${owner}:${by}`)
            const works = {
              mint: owner === undefined,
              burn: owner !== undefined,
              approve: owner !== undefined && isOperator,
              approveAll: true,
              transferFrom: owner === from && (isOperator || approved.get(id) === by),
              safeTransferFrom: owner === from && (isOperator || approved.get(id) === by),
            }[act]!
            const hash = {
              mint: () => fresh.write.mint([t, id], sent),
              burn: () => fresh.write.burn([id], sent),
              approve: () => fresh.write.approve([t, id], sent),
              approveAll: () => fresh.write.setApprovalForAll([t, from > 0], sent),
              transferFrom: () => fresh.write.transferFrom([f, t, id], sent),
              safeTransferFrom: () => fresh.write.safeTransferFrom([f, t, id], sent),
            }[act]!()
            await (works ? stage.done(hash) : stage.failed(hash))
            if (!works) continue
            if (act === 'approveAll') {
              if (from > 0) operators.add(`${by}:${to}`)
              else operators.delete(`${by}:${to}`)
            } else if (act === 'approve') approved.set(id, to)
            else {
              approved.delete(id)
              if (act === 'burn') owners.delete(id)
              else owners.set(id, to)
            }
          }
          for (const [i, owner] of [a, b, c].entries())
            expect(await fresh.read.balanceOf([owner])).toBe(BigInt([...owners.values()].filter((one) => one === i).length))
          for (const id of [0n, 1n, 2n]) {
            const owner = owners.get(id)
            if (owner === undefined) expect(await revertOf(fresh.read.ownerOf([id]))).toEqual(['ERC721NonexistentToken', id])
            else {
              expect(await fresh.read.ownerOf([id])).toBe(accounts[owner]!.address)
              expect(await fresh.read.getApproved([id])).toBe(accounts[approved.get(id) ?? -1]?.address ?? ZERO)
            }
          }
        },
      ),
      { numRuns: runs(6) },
    )
  })
})
