import '@quoin/contracts/testing/matchers'
import { createChain } from '@quoin/contracts/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import * as board from '../artifacts/board.js'

const chain = await createChain({ accounts: 2 })
const [alice, bob] = chain.accounts

let deployed: Awaited<ReturnType<typeof deploy>>
const deploy = () => chain.deploy(board, { from: alice })

beforeEach(async () => {
  deployed = await deploy()
})

describe('the board', () => {
  it('shows the newest tasks first', async () => {
    for (const text of ['bread', 'milk', 'eggs']) await deployed.write.add([text], { from: alice })
    expect((await deployed.read.newest([2n])).map(({ id, text }) => [id, text])).toEqual([
      [2n, 'eggs'],
      [1n, 'milk'],
    ])
    expect(await deployed.read.newest([10n])).toHaveLength(3)
    expect(await deployed.read.size()).toBe(3n)
  })

  it('tells who added a task and who finished it', async () => {
    const added = await deployed.write.add(['bread'], { from: alice })
    expect(added).toEmit(deployed, 'Added', { id: 0n, author: alice, text: 'bread' })
    const finished = await deployed.write.finish([0n], { from: bob })
    expect(finished).toEmit(deployed, 'Finished', { id: 0n, finisher: bob })
    expect(await deployed.read.newest([1n])).toEqual([{ id: 0n, text: 'bread', author: alice, finisher: bob }])
  })

  it('refuses a task without text, and one that is too long', async () => {
    await expect(deployed.write.add([' '], { from: alice })).toRevertWith('EmptyText')
    await expect(deployed.write.add(['x'.repeat(81)], { from: alice })).toRevertWith('TextTooLong', [81n, 80n])
  })

  it('lets a task be finished once', async () => {
    await expect(deployed.write.finish([0n], { from: bob })).toRevertWith('UnknownTask', [0n])
    await deployed.write.add(['bread'], { from: alice })
    await deployed.write.finish([0n], { from: bob })
    await expect(deployed.write.finish([0n], { from: alice })).toRevertWith('AlreadyFinished', [0n, bob])
  })
})
