import { encodeDeployData, encodeFunctionData, getAddress, getContractAddress, parseEther, toHex, zeroAddress } from 'viem'
import { describe, expect, it } from 'vitest'
import { ChainError, type ContractRevert, createChain, TESTING_LIMITS } from '../../src/testing/index.ts'
import { lab, nextLab } from './lab.ts'
import { token } from './token.ts'

const STRANGER = getAddress(`0x${'99'.repeat(20)}`)
const ELSEWHERE = getAddress(`0x${'77'.repeat(20)}`)

async function withToken() {
  const chain = await createChain()
  const [alice, bob, carol] = chain.accounts
  const contract = await chain.deploy(token, { args: ['Quoin', 'QUO', alice, 1_000n], from: alice })
  return { chain, alice, bob, carol, contract }
}

async function withLab() {
  const chain = await createChain()
  const [alice, bob] = chain.accounts
  return { chain, alice, bob, contract: await chain.deploy(lab, { args: [1n], value: 50n }) }
}

describe('a chain', () => {
  it('begins with funded accounts at block 0', async () => {
    const chain = await createChain({ accounts: 3, balance: parseEther('7'), timestamp: 1_800_000_000 })
    expect(chain.accounts).toHaveLength(3)
    expect(await chain.balanceOf(chain.accounts[2])).toBe(parseEther('7'))
    expect(chain.block).toMatchObject({ number: 0n, timestamp: 1_800_000_000n, transactions: [] })
  })

  it('is the same each time', async () => {
    const run = async () => {
      const { chain, bob, contract } = await withToken()
      await contract.write.transfer([bob, 5n])
      return chain.block
    }
    expect(await run()).toEqual(await run())
  })

  it('may have no accounts, and then needs an explicit sender', async () => {
    const chain = await createChain({ accounts: 0 })
    await expect(chain.send({ to: STRANGER })).rejects.toThrow(
      new ChainError('the chain has no accounts: set the sender with `from`'),
    )
    expect(await chain.send({ from: STRANGER, to: ELSEWHERE })).toMatchObject({ status: 'success' })
  })

  it('is independent of other chains', async () => {
    const [one, other] = [await withToken(), await withToken()]
    await one.contract.write.transfer([one.bob, 5n])
    expect(await other.contract.read.balanceOf([one.bob])).toBe(0n)
    await one.chain.close()
    await one.chain.close()
    await expect(one.contract.read.name()).rejects.toThrow('the chain is closed')
    await expect(one.chain.mine()).rejects.toThrow('the chain is closed')
    expect(() => one.chain.snapshot()).toThrow('the chain is closed')
    expect(await other.contract.read.name()).toBe('Quoin')
  })
})

describe('a contract', () => {
  it('is deployed where Ethereum would put it, and read', async () => {
    const { chain, alice, bob, contract } = await withToken()
    expect(contract.address).toBe(getContractAddress({ from: alice, nonce: 0n }))
    expect(await chain.code(contract.address)).toBe(token.bytecode)
    expect(await contract.read.name()).toBe('Quoin')
    expect(await contract.read.decimals()).toBe(18)
    expect(await contract.read.balanceOf([alice])).toBe(1_000n)
    expect(await contract.read.allowance([alice, bob])).toBe(0n)
  })

  it('is written to, one block for each transaction', async () => {
    const { chain, alice, bob, carol, contract } = await withToken()
    const receipt = await contract.write.approve([bob, 10n], { from: alice })
    expect(receipt).toMatchObject({
      status: 'success',
      from: alice,
      to: contract.address,
      blockNumber: 2n,
      blockHash: chain.block.hash,
      transactionIndex: 0,
      contractAddress: undefined,
      events: [{ eventName: 'Approval', args: { owner: alice, spender: bob, value: 10n }, logIndex: 0 }],
    })
    expect(chain.block).toMatchObject({ number: 2n, gasUsed: receipt.gasUsed, transactions: [receipt.transactionHash] })
    await contract.write.transferFrom([alice, carol, 4n], { from: bob })
    expect(await contract.read.balanceOf([carol])).toBe(4n)
    expect(await contract.read.allowance([alice, bob])).toBe(6n)
    expect(await chain.nonce(alice)).toBe(2)
    expect(await chain.nonce(bob)).toBe(1)
  })

  it('is simulated without a block', async () => {
    const { chain, bob, contract } = await withToken()
    const { result, gasUsed } = await contract.simulate.transfer([bob, 5n])
    expect(result).toBe(true)
    expect(chain.block.number).toBe(1n)
    expect(await contract.read.balanceOf([bob])).toBe(0n)
    expect((await contract.write.transfer([bob, 5n])).gasUsed).toBe(gasUsed)
  })

  it('distinguishes overloaded functions by their arguments', async () => {
    const { contract } = await withLab()
    expect((await contract.simulate.add([5n])).result).toBe(6n)
    expect((await contract.simulate.add([5n, 3n])).result).toBe(16n)
    await contract.write.add([5n, 2n])
    expect(await contract.read.count()).toBe(11n)
  })

  it('takes value, and pays it out', async () => {
    const { chain, contract } = await withLab()
    expect(await chain.balanceOf(contract.address)).toBe(50n)
    await contract.write.deposit({ value: 7n })
    await contract.write.deposit([], { value: 3n })
    expect(await chain.balanceOf(contract.address)).toBe(60n)
    const receipt = await contract.write.pay([STRANGER, 20n])
    expect(receipt.events).toMatchObject([{ eventName: 'Paid', args: { to: STRANGER, amount: 20n } }])
    expect([await chain.balanceOf(contract.address), await chain.balanceOf(STRANGER)]).toEqual([40n, 20n])
  })

  it('that is already deployed is found by its address', async () => {
    const { chain, alice, contract } = await withToken()
    expect(await chain.at(token, contract.address).read.balanceOf([alice])).toBe(1_000n)
    expect(() => chain.at(token, STRANGER)).toThrow(`token: there is no contract at ${STRANGER} (a revert may have removed it)`)
  })

  it('may itself be the sender', async () => {
    const { chain, bob, contract } = await withLab()
    await chain.send({ from: contract.address, to: bob, value: 50n })
    expect(await chain.balanceOf(contract.address)).toBe(0n)
  })

  it('is upgraded by its authority', async () => {
    const { chain, alice, bob, contract } = await withLab()
    const next = await chain.upgrade(contract, nextLab, { data: '0x0102', from: alice })
    expect(next.address).toBe(contract.address)
    expect([await next.read.version(), await next.read.count()]).toEqual([2n, 1_000n])
    expect(await contract.read.count()).toBe(1_000n)
    await expect(chain.upgrade(contract, lab, { from: bob })).rejects.toThrow(/upgrade to lab reverted: .*authority/)
    await expect(chain.upgrade(contract, nextLab, { data: '0x01' })).rejects.toThrow(
      'upgrade to next lab reverted: not like this',
    )
  })
})

describe('raw transactions and calls', () => {
  it('have their effects', async () => {
    const { chain, alice, bob, contract } = await withToken()
    const before = await chain.balanceOf(bob)
    const receipt = await chain.send({ from: alice, to: bob, value: 5n })
    expect(receipt).toMatchObject({ status: 'success', gasUsed: 21_000n, logs: [], events: [] })
    expect((await chain.balanceOf(bob)) - before).toBe(5n)
    const data = encodeFunctionData({ abi: token.abi, functionName: 'transfer', args: [bob, 3n] })
    expect(await chain.call({ from: alice, to: contract.address, data })).toBe(toHex(1n, { size: 32 }))
    expect((await chain.send({ from: alice, to: contract.address, data })).events).toMatchObject([{ eventName: 'Transfer' }])
    expect(await contract.read.balanceOf([bob])).toBe(3n)
  })

  it('create contracts', async () => {
    const { chain, alice } = await withToken()
    const data = encodeDeployData({ abi: lab.abi, bytecode: lab.bytecode, args: [9n] })
    const { contractAddress } = await chain.send({ from: alice, data })
    expect(await chain.at(lab, contractAddress!).read.count()).toBe(9n)
  })

  it('are estimated to the unit', async () => {
    const { chain, alice, bob, contract } = await withToken()
    const data = encodeFunctionData({ abi: token.abi, functionName: 'transfer', args: [bob, 3n] })
    const request = { from: alice, to: contract.address, data }
    const gas = await chain.estimateGas(request)
    await expect(chain.send({ ...request, gas: gas - 1n })).rejects.toThrow('token.transfer reverted: out of gas')
    expect(await chain.send({ ...request, gas })).toMatchObject({ status: 'success' })
    await expect(chain.estimateGas({ ...request, from: STRANGER })).rejects.toThrow(/ERC20InsufficientBalance/)
  })
})

describe('time', () => {
  it('increases by a second per block, or as set', async () => {
    const { chain, contract } = await withLab()
    const start = chain.block.timestamp
    await chain.mine()
    expect(chain.block).toMatchObject({ number: 2n, timestamp: start + 1n })
    await chain.mine(3, 60)
    expect(chain.block).toMatchObject({ number: 5n, timestamp: start + 2n + 120n })
    await chain.increaseTime(3_600)
    expect(chain.block).toMatchObject({ number: 6n, timestamp: start + 3_722n })
    expect(await contract.read.now()).toEqual([6n, start + 3_722n])
    await chain.setNextBlockTimestamp(start + 10_000n)
    expect(chain.block.timestamp).toBe(start + 3_722n)
    await contract.write.add([1n])
    expect(chain.block).toMatchObject({ number: 7n, timestamp: start + 10_000n })
    await contract.write.add([1n])
    expect(chain.block.timestamp).toBe(start + 10_001n)
  })

  it('does not go back', async () => {
    const chain = await createChain()
    const { timestamp } = chain.block
    await expect(chain.setNextBlockTimestamp(timestamp)).rejects.toThrow(
      new ChainError(`the next block's timestamp must be greater than the last one's, ${timestamp}: ${timestamp}`),
    )
    await expect(chain.increaseTime(0)).rejects.toThrow(/seconds, must be a whole number from 1/)
    await expect(chain.increaseTime(0.5)).rejects.toThrow(/: 0.5$/)
    await expect(chain.mine(TESTING_LIMITS.minedBlocksMax + 1)).rejects.toThrow(/the number of blocks must be .* 10000: 10001/)
    expect(chain.block.number).toBe(0n)
  })
})

describe('past blocks', () => {
  it('are read as they were, after a revert too', async () => {
    const { chain, alice, bob, contract } = await withToken()
    await contract.write.transfer([bob, 1n])
    const id = chain.snapshot()
    for (let i = 0; i < 3; i++) await contract.write.transfer([bob, 100n])
    const heights = async () =>
      Promise.all(
        Array.from({ length: Number(chain.block.number) }, (_, i) =>
          contract.read.balanceOf([bob], { blockNumber: BigInt(i + 1) }),
        ),
      )
    expect(await heights()).toEqual([0n, 1n, 101n, 201n, 301n])
    await chain.revert(id)
    expect(await heights()).toEqual([0n, 1n])
    await contract.write.transfer([bob, 7n])
    expect(await heights()).toEqual([0n, 1n, 8n])
    expect(await chain.nonce(alice, { blockNumber: 1n })).toBe(1)
    expect(await chain.code(contract.address, { blockNumber: 0n })).toBeUndefined()
    expect(await chain.storage(contract.address, `balance:${bob}`, { blockNumber: 2n })).toBe('0x01')
    expect(await chain.storage(contract.address, `balance:${bob}`)).toBe('0x08')
    expect(await chain.storage(contract.address, 'nothing')).toBeUndefined()
    await expect(contract.read.balanceOf([bob], { blockNumber: 4n })).rejects.toThrow(
      'blockNumber must be a whole number from 0 to 3: 4',
    )
    expect(() => chain.getBlock(4n)).toThrow(ChainError)
    expect(chain.getBlock(3n).parentHash).toBe(chain.getBlock(2n).hash)
  })
})

describe('events', () => {
  it('are found by arguments, blocks and topics', async () => {
    const { chain, alice, bob, carol, contract } = await withToken()
    await contract.write.transfer([bob, 1n])
    await contract.write.transfer([carol, 2n])
    await contract.write.approve([carol, 2n])
    const values = (events: readonly { readonly args: { readonly value: bigint } }[]) => events.map(({ args }) => args.value)
    expect(values(await contract.getEvents.Transfer())).toEqual([1_000n, 1n, 2n])
    expect(values(await contract.getEvents.Transfer({ from: alice }))).toEqual([1n, 2n])
    expect(values(await contract.getEvents.Transfer({ to: carol.toLowerCase() as typeof carol, value: 2n }))).toEqual([2n])
    expect(values(await contract.getEvents.Transfer({}, { fromBlock: 2n, toBlock: 2n }))).toEqual([1n])
    const [approval] = await contract.getEvents.Approval()
    expect(await chain.getLogs({ topics: [approval!.topics[0]] })).toMatchObject([{ blockNumber: 4n, logIndex: 0 }])
    expect(await chain.getLogs({ topics: [null, toHex(BigInt(alice), { size: 32 })] })).toHaveLength(3)
    expect(await chain.getLogs({ address: STRANGER })).toEqual([])
    expect(await chain.getLogs({ address: contract.address, fromBlock: 3n })).toHaveLength(2)
  })
})

describe('a batch', () => {
  it('is one block, in the order of its transactions', async () => {
    const { chain, alice, bob, carol, contract } = await withToken()
    const [one, other, paid] = await chain.batch(() => [
      contract.write.transfer([bob, 10n]),
      contract.write.transfer([carol, 4n], { from: bob }),
      chain.send({ from: alice, to: bob, value: 1n }),
    ])
    expect(chain.block).toMatchObject({ number: 2n, gasUsed: one.gasUsed + other.gasUsed + paid.gasUsed })
    expect([one, other, paid].map(({ transactionIndex }) => transactionIndex)).toEqual([0, 1, 2])
    expect(other.events).toMatchObject([{ args: { from: bob, to: carol, value: 4n }, logIndex: 1 }])
    expect(await contract.read.balanceOf([bob])).toBe(6n)
  })

  it('deploys, and counts the nonces of a sender', async () => {
    const { chain } = await withToken()
    const [first, second] = await chain.batch(() => [chain.deploy(lab, { args: [1n] }), chain.deploy(lab, { args: [2n] })])
    expect([await first.read.count(), await second.read.count()]).toEqual([1n, 2n])
    expect(first.address).not.toBe(second.address)
  })

  it("reports a failure with the transaction's own place in the block", async () => {
    const { chain, bob, carol, contract } = await withToken()
    let failed: Promise<unknown> | undefined
    const batch = chain.batch(() => {
      const paid = contract.write.transfer([bob, 4n])
      failed = contract.write.transfer([carol, 5n], { from: bob })
      return [paid, failed]
    })
    const error = await batch.catch((caught: unknown) => caught)
    expect(error).toMatchObject({ errorName: 'ERC20InsufficientBalance', args: [bob, 4n, 5n] })
    expect((error as ContractRevert).receipt).toMatchObject({ status: 'reverted', transactionIndex: 1, blockNumber: 2n })
    await expect(failed).rejects.toBe(error)
    expect(chain.block.transactions).toHaveLength(2)
    expect(await contract.read.balanceOf([bob])).toBe(4n)
  })

  it('distinguishes equal transactions of two senders', async () => {
    const { chain, alice, bob, carol, contract } = await withToken()
    const take = (from: typeof bob) => contract.write.transfer([alice, 5n], { from })
    const [one, other] = await chain.batch(() => [Promise.allSettled([take(bob), take(carol)])]).then(([both]) => both)
    expect(one).toMatchObject({ status: 'rejected', reason: { args: [bob, 0n, 5n] } })
    expect(other).toMatchObject({ status: 'rejected', reason: { args: [carol, 0n, 5n] } })
    expect(new Set(chain.block.transactions).size).toBe(2)
  })

  it('makes no block if one of its transactions is invalid', async () => {
    const { chain, bob, contract } = await withToken()
    await expect(
      chain.batch(() => [contract.write.transfer([bob, 1n]), chain.send({ from: STRANGER, to: bob, value: 1n })]),
    ).rejects.toThrow(
      `transaction 1 of the batch, call of ${bob}, cannot be included in a block: insufficient funds for gas * price + value: have 0 want 1`,
    )
    expect(chain.block.number).toBe(1n)
    expect(await contract.read.balanceOf([bob])).toBe(0n)
  })

  it('does not wait, and can contain only transactions', async () => {
    const { chain, bob, contract } = await withToken()
    const waits = chain.batch((async () => {
      await contract.write.transfer([bob, 1n])
    }) as never)
    await expect(waits).rejects.toThrow('the function of a batch must return the list of promises without waiting for them')
    await expect(chain.batch(() => [chain.mine()])).rejects.toThrow('a batch can contain only transactions')
    await expect(chain.batch(() => [chain.batch(() => [])])).rejects.toThrow('a batch cannot contain another batch')
    await chain.batch(() => [])
    expect(chain.block.number).toBe(1n)
    await contract.write.transfer([bob, 1n])
    expect(chain.block.number).toBe(2n)
  })
})

describe('transactions that are sent without waiting', () => {
  it('goes into blocks in its order', async () => {
    const { chain, contract } = await withLab()
    const all = [1n, 2n, 3n].map((amount) => contract.write.add([amount]))
    const mined = chain.increaseTime(10)
    const last = contract.write.add([4n])
    expect((await Promise.all([...all, last])).map(({ blockNumber }) => blockNumber)).toEqual([2n, 3n, 4n, 6n])
    await mined
    expect(await contract.read.count()).toBe(11n)
  })
})

describe('setBalance', () => {
  it('is a block that changes nothing else', async () => {
    const { chain, alice, contract } = await withToken()
    await chain.setBalance(STRANGER, 5n)
    expect(chain.block).toMatchObject({ number: 2n, transactions: [] })
    expect(await chain.balanceOf(STRANGER)).toBe(5n)
    expect(await chain.balanceOf(STRANGER, { blockNumber: 1n })).toBe(0n)
    await chain.setBalance(alice, 0n)
    expect([await chain.balanceOf(alice), await chain.nonce(alice)]).toEqual([0n, 1])
    await chain.send({ from: STRANGER, to: alice, value: 5n })
    expect(await chain.balanceOf(alice)).toBe(5n)
    await chain.setBalance(contract.address, 9n)
    expect(await contract.read.name()).toBe('Quoin')
    await expect(chain.setBalance(alice, TESTING_LIMITS.balanceMax + 1n)).rejects.toThrow('at most 2^200 wei')
    await expect(chain.setBalance(alice, -1n)).rejects.toThrow('the balance must be a bigint of wei from 0')
  })
})

describe('misuse', () => {
  it.each([
    ['accounts', { accounts: TESTING_LIMITS.accountsMax + 1 }, 'accounts must be a whole number from 0 to 500: 501'],
    ['balance', { balance: 2n ** 201n }, 'a balance may be at most 2^200 wei'],
    ['timestamp', { timestamp: -1 }, 'timestamp, in seconds, must be a whole number from 1'],
  ])('of %s is refused', async (_, options, message) => {
    await expect(createChain(options)).rejects.toThrow(message)
  })

  it('names the function and the arguments that it does not accept', async () => {
    const { chain, alice, bob, contract } = await withToken()
    await expect(contract.write.transfer([bob] as never)).rejects.toThrow(
      /^token.transfer does not accept the arguments \(0x7.*\): /,
    )
    await expect(contract.write.transfer(['bob', 1n] as never)).rejects.toThrow(
      /^token.transfer does not accept the arguments \("bob", 1n\): Address "bob" is invalid/,
    )
    await expect(contract.read.balanceOf([`${alice.slice(0, -1)}F`] as never)).rejects.toThrow(/is invalid/)
    await expect(chain.deploy(token, { args: ['Quoin'] } as never)).rejects.toThrow(
      /^deployment of token does not accept the arguments \("Quoin"\)/,
    )
    await expect(contract.write.transfer([bob, 1n], { from: 'bob' as never })).rejects.toThrow(
      'from is not a valid address: "bob"',
    )
    await expect(contract.write.transfer([bob, 1n], { value: 1 as never })).rejects.toThrow('value must be a bigint of wei')
    await expect(contract.write.transfer([bob, 1n], { gas: -1n })).rejects.toThrow('gas must be a whole number')
    await expect(chain.send({ to: bob, data: '0x1' })).rejects.toThrow('data must be hex of whole bytes: 0x1')
    await expect(chain.storage(alice, new Uint8Array(129))).rejects.toThrow('a key has at most 128 bytes: 129')
  })

  it('reports a transaction that cannot be included in a block, with the line of the test', async () => {
    const { chain, bob, contract } = await withToken()
    const error = await contract.write.transfer([bob, 1n], { from: STRANGER, value: 1n }).catch((caught: Error) => caught)
    expect(error).toBeInstanceOf(ChainError)
    expect((error as Error).message).toBe(
      'token.transfer cannot be included in a block: insufficient funds for gas * price + value: have 0 want 1',
    )
    expect((error as Error).stack).toContain('chain.test.ts')
    await expect(chain.send({ to: bob, gas: 20_999n })).rejects.toThrow('intrinsic gas too low: tx gas 20999')
    await expect(contract.write.transfer([bob, 1n], { gas: 36_000_001n })).rejects.toThrow('gas limit reached')
    await expect(chain.call({ from: STRANGER, to: bob, value: 1n })).rejects.toThrow(/cannot be run: insufficient funds/)
  })

  it('of a contract that a revert has removed is reported', async () => {
    const chain = await createChain()
    const id = chain.snapshot()
    const contract = await chain.deploy(lab, { args: [1n] })
    await chain.revert(id)
    await expect(contract.read.count()).rejects.toThrow(
      `lab: there is no contract at ${contract.address} (a revert may have removed it)`,
    )
    await expect(contract.write.add([1n])).rejects.toThrow(ChainError)
  })

  it('of an artifact of another contract is reported', async () => {
    const { chain, contract } = await withToken()
    const wrong = chain.at(lab, contract.address)
    await expect(wrong.read.count()).rejects.toThrow(/lab.count reverted/)
    await expect(wrong.write.pay([zeroAddress, 0n])).rejects.toThrow(/lab.pay reverted/)
  })
})
