import { getAddress } from 'viem'
import { describe, expect, it } from 'vitest'
import { createChain } from '../../src/testing/index.ts'
import '../../src/testing/matchers.ts'
import { lab } from './lab.ts'
import { token } from './token.ts'

const STRANGER = getAddress(`0x${'99'.repeat(20)}`)

async function world() {
  const chain = await createChain()
  const [alice, bob] = chain.accounts
  const coin = await chain.deploy(token, { args: ['Quoin', 'QUO', alice, 1_000n] })
  return { chain, alice, bob, coin, contract: await chain.deploy(lab, { args: [1n] }) }
}

/** Message of a failed matcher, without the contracts' stack lines. */
async function complaint(assertion: () => unknown): Promise<string> {
  try {
    await assertion()
  } catch (error) {
    const lines = (error as Error).message.split('\n')
    return lines.filter((line) => !line.startsWith('    at ')).join('\n')
  }
  throw new Error('the matcher did not fail')
}

describe('toRevert', () => {
  it('accepts promises and functions', async () => {
    const { bob, coin, contract } = await world()
    await expect(contract.write.fail(['x'])).toRevert()
    await expect(() => contract.simulate.fail(['x'])).toRevert()
    await expect(coin.write.transfer([bob, 1n])).not.toRevert()
    await expect(coin.read.name()).not.toRevert()
  })

  it('reports the actual outcome', async () => {
    const { bob, coin, contract } = await world()
    expect(await complaint(() => expect(coin.write.transfer([bob, 1n])).toRevert())).toBe(
      'expected a call that reverts: it succeeded',
    )
    expect(await complaint(() => expect(contract.write.fail(['why'])).not.toRevert())).toBe(
      'expected a call that succeeds: lab.fail reverted: why',
    )
  })

  it('shows where the contract threw', async () => {
    const { contract } = await world()
    const error = await expect(contract.write.fail(['why']))
      .not.toRevert()
      .then(
        () => new Error('no failure'),
        (caught: Error) => caught,
      )
    expect(error.message).toMatch(/: lab.fail reverted: why\n {4}at fail \(contract.js:\d+:\d+\)$/)
  })

  it('rethrows errors that are not reverts', async () => {
    const { bob, coin } = await world()
    const attempt = () => coin.write.transfer([bob, 1n], { from: STRANGER, value: 1n })
    expect(await complaint(() => expect(attempt()).toRevert())).toMatch(/insufficient funds/)
    expect(await complaint(() => expect(attempt()).not.toRevert())).toMatch(/insufficient funds/)
    expect(await complaint(() => expect(attempt()).not.toRevertWith('Odd'))).toMatch(/insufficient funds/)
  })
})

describe('toRevertWith', () => {
  it('compares the error and its arguments, addresses in either case', async () => {
    const { alice, bob, coin, contract } = await world()
    const attempt = () => coin.write.transfer([alice, 5n], { from: bob })
    await expect(attempt()).toRevertWith('ERC20InsufficientBalance')
    await expect(attempt()).toRevertWith('ERC20InsufficientBalance', [bob, 0n, 5n])
    await expect(attempt()).toRevertWith('ERC20InsufficientBalance', [bob.toLowerCase(), 0n, 5n])
    await expect(attempt()).not.toRevertWith('ERC20InsufficientBalance', [bob, 0n, 4n])
    await expect(attempt()).not.toRevertWith('ERC20InsufficientBalance', [bob, 0n])
    await expect(attempt()).not.toRevertWith('ERC20InvalidSender')
    await expect(coin.write.transfer([bob, 1n])).not.toRevertWith('ERC20InvalidSender')
    await expect(contract.write.failWith([1n, { who: bob, words: ['a'] }])).toRevertWith('Odd', [1n, { who: bob, words: ['a'] }])
  })

  it('reports the actual outcome', async () => {
    const { alice, bob, coin } = await world()
    const attempt = () => coin.write.transfer([alice, 5n], { from: bob })
    expect(await complaint(() => expect(attempt()).toRevertWith('Odd', [1n]))).toBe(
      `expected the call to revert with Odd(1n): token.transfer reverted: ERC20InsufficientBalance(${bob}, 0n, 5n)`,
    )
    expect(await complaint(() => expect(attempt()).not.toRevertWith('ERC20InsufficientBalance'))).toBe(
      `expected the call not to revert with ERC20InsufficientBalance: token.transfer reverted: ERC20InsufficientBalance(${bob}, 0n, 5n)`,
    )
    expect(await complaint(() => expect(coin.read.name()).toRevertWith('Odd'))).toBe(
      'expected the call to revert with Odd: it succeeded',
    )
  })
})

describe('toRevertWithReason', () => {
  it('compares the whole text, or looks for a pattern', async () => {
    const { contract } = await world()
    await expect(contract.write.fail(['not today'])).toRevertWithReason('not today')
    await expect(contract.write.fail(['not today'])).toRevertWithReason(/^not/)
    await expect(contract.write.fail(['not today'])).not.toRevertWithReason('not')
    await expect(contract.write.burn({ gas: 100_000n })).toRevertWithReason('out of gas')
    expect(await complaint(() => expect(contract.write.fail(['not today'])).toRevertWithReason(/never/))).toBe(
      'expected the call to revert with the reason /never/: lab.fail reverted: not today',
    )
    expect(await complaint(() => expect(contract.read.count()).toRevertWithReason('x'))).toBe(
      'expected the call to revert with the reason "x": it succeeded',
    )
  })
})

describe('toEmit', () => {
  it('compares those of the arguments that are given', async () => {
    const { alice, bob, coin, contract } = await world()
    const receipt = await coin.write.transfer([bob, 5n])
    expect(receipt).toEmit(coin, 'Transfer')
    expect(receipt).toEmit(coin, 'Transfer', { from: alice, to: bob, value: 5n })
    expect(receipt).toEmit(coin, 'Transfer', { value: 5n })
    expect(receipt).not.toEmit(coin, 'Transfer', { value: 4n })
    expect(receipt).not.toEmit(coin, 'Approval')
    expect(receipt).not.toEmit(contract, 'Added')
    await expect(contract.write.add([2n])).resolves.toEmit(contract, 'Added', { total: 3n })
  })

  it('reports the events that were emitted', async () => {
    const { alice, bob, coin, contract } = await world()
    const receipt = await coin.write.transfer([bob, 5n])
    const emitted = `it emitted \n  Transfer { from: ${alice}, to: ${bob}, value: 5n }`
    expect(await complaint(() => expect(receipt).toEmit(coin, 'Transfer', { value: 4n }))).toBe(
      `expected token to emit Transfer with { value: 4n }; ${emitted}`,
    )
    expect(await complaint(() => expect(receipt).not.toEmit(coin, 'Transfer'))).toBe(
      `expected token not to emit Transfer; ${emitted}`,
    )
    expect(await complaint(() => expect(receipt).toEmit(contract, 'Added'))).toBe(
      'expected lab to emit Added; it emitted nothing',
    )
  })
})
