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
import { alice, bob, carol, eventsOf, MAX, revertOf, Stage, ZERO } from './harness.ts'
import { ANSWER_OTHERWISE, CALL, LOOK, REFUSE_WITH_ERROR, REFUSE_WITHOUT_REASON, receiverAbi } from './receiver.ts'

/** ERC-1155 with metadata and ERC-165 as in their texts, the errors of ERC-6093, and the test contract's own functions. */
const abi = parseAbi([
  'event TransferSingle(address indexed operator, address indexed from, address indexed to, uint256 id, uint256 value)',
  'event TransferBatch(address indexed operator, address indexed from, address indexed to, uint256[] ids, uint256[] values)',
  'event ApprovalForAll(address indexed owner, address indexed operator, bool approved)',
  'event URI(string value, uint256 indexed id)',
  'function safeTransferFrom(address from, address to, uint256 id, uint256 value, bytes data)',
  'function safeBatchTransferFrom(address from, address to, uint256[] ids, uint256[] values, bytes data)',
  'function balanceOf(address owner, uint256 id) view returns (uint256)',
  'function balanceOfBatch(address[] owners, uint256[] ids) view returns (uint256[])',
  'function setApprovalForAll(address operator, bool approved)',
  'function isApprovedForAll(address owner, address operator) view returns (bool)',
  'function uri(uint256 id) view returns (string)',
  'function supportsInterface(bytes4 interfaceId) view returns (bool)',
  'error ERC1155InsufficientBalance(address sender, uint256 balance, uint256 needed, uint256 tokenId)',
  'error ERC1155InvalidSender(address sender)',
  'error ERC1155InvalidReceiver(address receiver)',
  'error ERC1155MissingApprovalForAll(address operator, address owner)',
  'error ERC1155InvalidOperator(address operator)',
  'error ERC1155InvalidArrayLength(uint256 idsLength, uint256 valuesLength)',
  'error Refused(uint256 mode)',
  'function mint(address to, uint256 id, uint256 value, bytes data)',
  'function mintBatch(address to, uint256[] ids, uint256[] values, bytes data)',
  'function burn(address from, uint256 id, uint256 value)',
  'function burnBatch(address from, uint256[] ids, uint256[] values)',
])

const tokenAt = (address: Address) => getContract({ address, abi, client: stage.client })
const receiverAt = (address: Address) => getContract({ address, abi: receiverAbi, client: stage.client })

let stage: Stage
let token: ReturnType<typeof tokenAt>
const [a, b, c] = [alice.address, bob.address, carol.address]

beforeAll(async () => {
  stage = await Stage.open('multi-token', 'receiver', 'sink')
})
afterAll(() => stage.close())
beforeEach(async () => {
  token = tokenAt(await stage.deploy('multi-token', ['https://tokens/{id}.json']))
  await stage.done(token.write.mintBatch([a, [1n, 2n], [100n, 200n], '0x'], { account: alice }))
})

const has = (owner: Address, ...ids: readonly bigint[]) => token.read.balanceOfBatch([ids.map(() => owner), ids])

describe('reading', () => {
  it.each([
    ['ERC-165', '0x01ffc9a7', true],
    ['ERC-1155', '0xd9b67a26', true],
    ['its metadata', '0x0e89341c', true],
    ['ERC-721', '0x80ac58cd', false],
    ['"0xffffffff"', '0xffffffff', false],
  ] as const)('supportsInterface answers for %s', async (_name, id, expected) => {
    expect(await token.read.supportsInterface([id])).toBe(expected)
  })

  it('balanceOfBatch: "The _owner’s balance of the token types requested (i.e. balance for each (owner, id) pair)"', async () => {
    expect(await token.read.balanceOf([a, 1n])).toBe(100n)
    expect(
      await token.read.balanceOfBatch([
        [a, b, a, a],
        [2n, 2n, 3n, 1n],
      ]),
    ).toEqual([200n, 0n, 0n, 100n])
    expect(await token.read.balanceOfBatch([[], []])).toEqual([])
    expect(await revertOf(token.read.balanceOfBatch([[a, b], [1n]]))).toEqual(['ERC1155InvalidArrayLength', 1n, 2n])
  })

  it('the URI "allows for ID substitution by clients": {id} stays', async () => {
    expect(await token.read.uri([7n])).toBe('https://tokens/{id}.json')
  })
})

describe('setApprovalForAll', () => {
  it('"Enable or disable approval for a third party … MUST emit the ApprovalForAll event on success"', async () => {
    const receipt = await stage.done(token.write.setApprovalForAll([b, true], { account: alice }))
    expect(eventsOf(abi, receipt)).toEqual([['ApprovalForAll', { owner: a, operator: b, approved: true }]])
    expect(receipt.logs[0]!.topics).toHaveLength(3)
    expect(await Promise.all([token.read.isApprovedForAll([a, b]), token.read.isApprovedForAll([b, a])])).toEqual([true, false])
    await stage.done(token.write.safeTransferFrom([a, c, 1n, 10n, '0x'], { account: bob }))
    await stage.done(token.write.setApprovalForAll([b, false], { account: alice }))
    expect(await revertOf(token.simulate.safeTransferFrom([a, c, 1n, 10n, '0x'], { account: bob }))).toEqual([
      'ERC1155MissingApprovalForAll',
      ...[b, a],
    ])
    expect(await revertOf(token.simulate.setApprovalForAll([ZERO, true], { account: alice }))).toEqual([
      'ERC1155InvalidOperator',
      ZERO,
    ])
  })
})

describe('safeTransferFrom', () => {
  it('"MUST emit the TransferSingle event to reflect the balance change": operator, from and to indexed', async () => {
    const receipt = await stage.done(token.write.safeTransferFrom([a, b, 1n, 30n, '0x'], { account: alice }))
    expect(eventsOf(abi, receipt)).toEqual([['TransferSingle', { operator: a, from: a, to: b, id: 1n, value: 30n }]])
    const topic = (value: bigint) => toHex(value, { size: 32 })
    expect(receipt.logs[0]!.topics).toEqual([
      keccak256(toHex('TransferSingle(address,address,address,uint256,uint256)')),
      ...[topic(BigInt(a)), topic(BigInt(a)), topic(BigInt(b))],
    ])
    expect(await Promise.all([has(a, 1n, 2n), has(b, 1n, 2n)])).toEqual([
      [70n, 200n],
      [30n, 0n],
    ])
  })

  it('"Caller must be approved to manage the tokens being transferred out of the _from account"', async () => {
    expect(await revertOf(token.simulate.safeTransferFrom([a, b, 1n, 1n, '0x'], { account: bob }))).toEqual([
      'ERC1155MissingApprovalForAll',
      ...[b, a],
    ])
  })

  it('"MUST revert if _to is the zero address", and "if balance of holder for token _id is lower than the _value sent"', async () => {
    const sent = (to: Address, value: bigint) =>
      revertOf(token.simulate.safeTransferFrom([a, to, 1n, value, '0x'], { account: alice }))
    expect(await sent(ZERO, 1n)).toEqual(['ERC1155InvalidReceiver', ZERO])
    expect(await sent(b, 101n)).toEqual(['ERC1155InsufficientBalance', a, 100n, 101n, 1n])
    await stage.failed(token.write.safeTransferFrom([a, b, 1n, 101n, '0x'], { account: alice, gas: 2_000_000n }))
    expect(await has(a, 1n)).toEqual([100n])
  })

  it('says so when a balance would be beyond uint256', async () => {
    await stage.done(token.write.mint([b, 1n, MAX - 50n, '0x'], { account: alice }))
    expect(await revertOf(token.simulate.safeTransferFrom([a, b, 1n, 51n, '0x'], { account: alice }))).toBe(
      'RangeError: a balance would be beyond uint256',
    )
    await stage.done(token.write.safeTransferFrom([a, b, 1n, 50n, '0x'], { account: alice }))
    expect(await has(b, 1n)).toEqual([MAX])
  })
})

describe('safeBatchTransferFrom', () => {
  it('"MUST emit TransferSingle or TransferBatch event(s)", balances follow the arrays', async () => {
    const receipt = await stage.done(
      token.write.safeBatchTransferFrom([a, b, [2n, 1n, 2n], [5n, 6n, 7n], '0x'], { account: alice }),
    )
    expect(eventsOf(abi, receipt)).toEqual([
      ['TransferBatch', { operator: a, from: a, to: b, ids: [2n, 1n, 2n], values: [5n, 6n, 7n] }],
    ])
    expect(receipt.logs[0]!.topics).toHaveLength(4)
    expect(await Promise.all([has(a, 1n, 2n), has(b, 1n, 2n)])).toEqual([
      [94n, 188n],
      [6n, 12n],
    ])
    const single = await stage.done(token.write.safeBatchTransferFrom([a, b, [1n], [4n], '0x'], { account: alice }))
    expect(eventsOf(abi, single)).toEqual([['TransferSingle', { operator: a, from: a, to: b, id: 1n, value: 4n }]])
    const empty = await stage.done(token.write.safeBatchTransferFrom([a, b, [], [], '0x'], { account: alice }))
    expect(eventsOf(abi, empty)).toEqual([['TransferBatch', { operator: a, from: a, to: b, ids: [], values: [] }]])
  })

  it('"MUST revert if length of _ids is not the same as length of _values", and "if any of the balance(s) … is lower"', async () => {
    const sent = (to: Address, ids: readonly bigint[], values: readonly bigint[], account = alice) =>
      revertOf(token.simulate.safeBatchTransferFrom([a, to, ids, values, '0x'], { account }))
    expect(await sent(b, [1n, 2n], [1n])).toEqual(['ERC1155InvalidArrayLength', 2n, 1n])
    expect(await sent(b, [1n], [1n, 2n])).toEqual(['ERC1155InvalidArrayLength', 1n, 2n])
    expect(await sent(b, [1n, 1n], [60n, 60n])).toEqual(['ERC1155InsufficientBalance', a, 40n, 60n, 1n])
    expect(await sent(ZERO, [1n], [1n])).toEqual(['ERC1155InvalidReceiver', ZERO])
    expect(await sent(c, [1n], [1n], bob)).toEqual(['ERC1155MissingApprovalForAll', b, a])
    await stage.failed(token.write.safeBatchTransferFrom([a, b, [1n, 2n], [1n, 201n], '0x'], { account: alice, gas: 2_000_000n }))
    expect(await has(a, 1n, 2n)).toEqual([100n, 200n])
  })
})

describe('receivers', () => {
  const singleTypes = parseAbiParameters('address operator, address from, uint256 id, uint256 value, bytes data')
  const batchTypes = parseAbiParameters('address operator, address from, uint256[] ids, uint256[] values, bytes data')
  const toReceiver = (to: Address, data: Hex = '0x') => token.simulate.safeTransferFrom([a, to, 1n, 5n, data], { account: alice })
  const batchTo = (to: Address) => token.simulate.safeBatchTransferFrom([a, to, [1n, 2n], [5n, 6n], '0x'], { account: alice })

  it('onERC1155Received is called "at the end of a safeTransferFrom after the balance has been updated", with the data unaltered', async () => {
    const receiver = receiverAt(await stage.deploy('receiver'))
    await stage.done(token.write.setApprovalForAll([b, true], { account: alice }))
    await stage.done(token.write.safeTransferFrom([a, receiver.address, 1n, 5n, '0x0102'], { account: bob }))
    const [sender, received] = await receiver.read.last()
    expect(sender).toBe(token.address)
    expect(decodeAbiParameters(singleTypes, received)).toEqual([b, a, 1n, 5n, '0x0102'])
    const data = encodeFunctionData({ abi, functionName: 'balanceOf', args: [receiver.address, 1n] })
    await stage.done(receiver.write.behave([LOOK, token.address, data], { account: alice }))
    await stage.done(token.write.safeTransferFrom([a, receiver.address, 1n, 5n, '0x'], { account: alice }))
    expect(BigInt(await receiver.read.seen())).toBe(10n)
  })

  it('onERC1155BatchReceived gets all at once; mints have the zero address as from', async () => {
    const receiver = receiverAt(await stage.deploy('receiver'))
    await stage.done(token.write.safeBatchTransferFrom([a, receiver.address, [1n, 2n], [5n, 6n], '0xff'], { account: alice }))
    expect(decodeAbiParameters(batchTypes, (await receiver.read.last())[1])).toEqual([a, a, [1n, 2n], [5n, 6n], '0xff'])
    await stage.done(token.write.mintBatch([receiver.address, [3n, 4n], [7n, 8n], '0x'], { account: bob }))
    expect(decodeAbiParameters(batchTypes, (await receiver.read.last())[1])).toEqual([b, ZERO, [3n, 4n], [7n, 8n], '0x'])
    // OpenZeppelin since 5.6: a batch of one has the event of a single transfer and the callback of a batch.
    const one = await stage.done(token.write.safeBatchTransferFrom([a, receiver.address, [1n], [2n], '0xee'], { account: alice }))
    expect(eventsOf(abi, one).map(([name]) => name)).toEqual(['TransferSingle'])
    expect(decodeAbiParameters(batchTypes, (await receiver.read.last())[1])).toEqual([a, a, [1n], [2n], '0xee'])
    await stage.done(token.write.mintBatch([receiver.address, [3n], [7n], '0x'], { account: bob }))
    expect(decodeAbiParameters(batchTypes, (await receiver.read.last())[1])).toEqual([b, ZERO, [3n], [7n], '0x'])
    await stage.done(token.write.mint([receiver.address, 3n, 7n, '0x'], { account: bob }))
    expect(decodeAbiParameters(singleTypes, (await receiver.read.last())[1])).toEqual([b, ZERO, 3n, 7n, '0x'])
  })

  it('"Return of any other value than the prescribed keccak256 generated value MUST result in the transaction being reverted"', async () => {
    const receiver = receiverAt(await stage.deploy('receiver'))
    await stage.done(receiver.write.behave([ANSWER_OTHERWISE, ZERO, '0x'], { account: alice }))
    for (const call of [toReceiver(receiver.address), batchTo(receiver.address)])
      expect(await revertOf(call)).toEqual(['ERC1155InvalidReceiver', receiver.address])
    await stage.done(receiver.write.behave([REFUSE_WITHOUT_REASON, ZERO, '0x'], { account: alice }))
    for (const call of [toReceiver(receiver.address), batchTo(receiver.address)])
      expect(await revertOf(call)).toEqual(['ERC1155InvalidReceiver', receiver.address])
    await stage.failed(token.write.safeTransferFrom([a, receiver.address, 1n, 5n, '0x'], { account: alice, gas: 2_000_000n }))
    expect(await has(receiver.address, 1n)).toEqual([0n])
  })

  it('that throw have the transfer reverted (Safe Transfer Rules): their error passes on', async () => {
    const receiver = receiverAt(await stage.deploy('receiver'))
    await stage.done(receiver.write.behave([REFUSE_WITH_ERROR, ZERO, '0x'], { account: alice }))
    expect(await revertOf(toReceiver(receiver.address))).toEqual(['Refused', REFUSE_WITH_ERROR])
    expect(await revertOf(toReceiver(token.address))).toEqual(['ERC1155InvalidReceiver', token.address])
    expect(await revertOf(batchTo(token.address))).toEqual(['ERC1155InvalidReceiver', token.address])
    const sink = await stage.deploy('sink')
    expect(await revertOf(toReceiver(sink))).toEqual(['ERC1155InvalidReceiver', sink])
    expect(await revertOf(token.simulate.mint([sink, 1n, 1n, '0x']))).toEqual(['ERC1155InvalidReceiver', sink])
  })

  it('may send tokens on at once where the contract lists the function, and find all written', async () => {
    const receiver = receiverAt(await stage.deploy('receiver'))
    const onward = encodeFunctionData({ abi, functionName: 'safeTransferFrom', args: [receiver.address, c, 1n, 5n, '0x'] })
    await stage.done(receiver.write.behave([CALL, token.address, onward], { account: alice }))
    await stage.done(token.write.safeTransferFrom([a, receiver.address, 1n, 5n, '0x'], { account: alice }))
    expect(await Promise.all([a, receiver.address, c].map((owner) => has(owner, 1n)))).toEqual([[95n], [0n], [5n]])
    const tooMuch = encodeFunctionData({ abi, functionName: 'safeTransferFrom', args: [receiver.address, c, 1n, 6n, '0x'] })
    await stage.done(receiver.write.behave([CALL, token.address, tooMuch], { account: alice }))
    expect(await revertOf(toReceiver(receiver.address))).toEqual(['ERC1155InsufficientBalance', receiver.address, 5n, 6n, 1n])
  })
})

describe('mint and burn', () => {
  it('emit transfers from the zero address, and to it', async () => {
    const minted = await stage.done(token.write.mint([b, 9n, 5n, '0x'], { account: alice }))
    expect(eventsOf(abi, minted)).toEqual([['TransferSingle', { operator: a, from: ZERO, to: b, id: 9n, value: 5n }]])
    const burnt = await stage.done(token.write.burn([b, 9n, 2n], { account: alice }))
    expect(eventsOf(abi, burnt)).toEqual([['TransferSingle', { operator: a, from: b, to: ZERO, id: 9n, value: 2n }]])
    const batch = await stage.done(token.write.burnBatch([a, [1n, 2n], [100n, 1n]], { account: bob }))
    expect(eventsOf(abi, batch)).toEqual([
      ['TransferBatch', { operator: b, from: a, to: ZERO, ids: [1n, 2n], values: [100n, 1n] }],
    ])
    expect(await Promise.all([has(b, 9n), has(a, 1n, 2n)])).toEqual([[3n], [0n, 199n]])
  })

  it('refuse the zero address, too much and lists of different lengths', async () => {
    expect(await revertOf(token.simulate.mint([ZERO, 1n, 1n, '0x']))).toEqual(['ERC1155InvalidReceiver', ZERO])
    expect(await revertOf(token.simulate.burn([ZERO, 1n, 1n]))).toEqual(['ERC1155InvalidSender', ZERO])
    expect(await revertOf(token.simulate.burn([a, 1n, 101n]))).toEqual(['ERC1155InsufficientBalance', a, 100n, 101n, 1n])
    expect(await revertOf(token.simulate.burnBatch([a, [1n], []]))).toEqual(['ERC1155InvalidArrayLength', 1n, 0n])
    expect(await revertOf(token.simulate.mintBatch([a, [], [1n], '0x']))).toEqual(['ERC1155InvalidArrayLength', 0n, 1n])
    await stage.done(token.write.mint([b, 5n, MAX, '0x'], { account: alice }))
    expect(await revertOf(token.simulate.mint([b, 5n, 1n, '0x']))).toBe('RangeError: a balance would be beyond uint256')
  })
})

describe('balances', () => {
  it('match a simple model after any operations, and their sum is the minted amount', async () => {
    const who = fc.constantFrom(0, 1, 2)
    const part = fc.record({ id: fc.constantFrom(0n, 1n), value: fc.bigInt({ min: 0n, max: 60n }) })
    const step = fc.record({
      kind: fc.constantFrom('mint', 'burn', 'approve', 'transfer'),
      ...{ by: who, from: who, to: who },
      parts: fc.array(part, { maxLength: 3 }),
    })
    const accounts = [alice, bob, carol]
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 25 }), async (steps) => {
        let model = [0n, 1n].map(() => [0n, 0n, 0n])
        const supply = [0n, 0n]
        const operators = new Set<string>()
        const fresh = tokenAt(await stage.deploy('multi-token', ['']))
        for (const { kind, by, from, to, parts } of steps) {
          const [account, f, t] = [accounts[by]!, accounts[from]!.address, accounts[to]!.address]
          const sent = { account, gas: 3_000_000n } as const
          const [ids, values] = [parts.map(({ id }) => id), parts.map(({ value }) => value)]
          const next = model.map((row) => [...row])
          let works = kind !== 'transfer' || by === from || operators.has(`${from}:${by}`)
          if (kind !== 'approve')
            for (const { id, value } of parts) {
              const row = next[Number(id)]!
              if (kind !== 'mint') works &&= (row[from]! -= value) >= 0n
              if (kind !== 'burn') row[to]! += value
            }
          const hash = {
            mint: () => fresh.write.mintBatch([t, ids, values, '0x'], sent),
            burn: () => fresh.write.burnBatch([f, ids, values], sent),
            approve: () => fresh.write.setApprovalForAll([t, true], sent),
            transfer: () => fresh.write.safeBatchTransferFrom([f, t, ids, values, '0x'], sent),
          }[kind]!()
          await (works ? stage.done(hash) : stage.failed(hash))
          if (!works) continue
          if (kind === 'approve') operators.add(`${by}:${to}`)
          model = next
          const sign = { mint: 1n, burn: -1n, approve: 0n, transfer: 0n }[kind]!
          for (const { id, value } of parts) supply[Number(id)]! += sign * value
        }
        for (const [id, row] of model.entries()) {
          const balances = await fresh.read.balanceOfBatch([[a, b, c], row.map(() => BigInt(id))])
          expect(balances).toEqual(row)
          expect(balances.reduce((sum, balance) => sum + balance)).toBe(supply[id])
        }
      }),
      { numRuns: runs(8) },
    )
  })
})
