import { bytesToHex } from '@quoin/protocol'
import { getAddress, parseAbi } from 'viem'
import { describe, expect, it } from 'vitest'
import { containerOf } from '../../../../test/contracts/contract.mjs'
import { type Artifact, ContractRevert, createChain } from '../../src/testing/index.ts'
import { buildFiles, built } from '../build/project.ts'
import { TOKEN } from '../build/sources.ts'
import { lab, passer } from './lab.ts'

const STRANGER = getAddress(`0x${'99'.repeat(20)}`)

async function world() {
  const chain = await createChain()
  const [alice, bob] = chain.accounts
  return { chain, alice, bob, contract: await chain.deploy(lab, { args: [1n] }) }
}

/** Runs out of gas, or lets another one do so. */
const SPENDER = `import { contract, remote, value } from '@quoin/contracts'
const other = remote(['function spend()'])
function keep(state, n) {
  state.n.set(n)
}
export default contract({
  abi: ['function spend()', 'function ask(address to)', 'function limited(address to)'],
  state: { n: value('uint256') },
  functions: {
    spend({ state }) {
      for (let n = 1n; ; n++) keep(state, n)
    },
    ask: (_context, to) => other.spend(to),
    limited: (_context, to) => other.spend({ to, gas: 300000n }),
  },
} as any)
`

async function revertOf(attempt: Promise<unknown>): Promise<ContractRevert> {
  const error = await attempt.then(
    () => undefined,
    (caught: unknown) => caught,
  )
  if (error instanceof ContractRevert) return error
  throw new Error('no revert', { cause: error })
}

/** Builds an author's module. */
async function artifactOf(source: string): Promise<Artifact> {
  const { name, abi, bytecode, sourceMap } = built(await buildFiles(source))
  return { name, abi: abi as unknown as Artifact['abi'], bytecode, sourceMap }
}

/** Throws in its third line, in the constructor and after an upgrade. */
const REFUSING = `import { contract } from '@quoin/contracts'
const refuse = (): never => {
  throw new Error('no')
}
export default contract({ abi: ['constructor()'], state: {}, constructor: () => refuse(), migrate: () => refuse(), functions: {} })
`

/** Frames of a stack as `name file:line`, without columns. */
const frames = (error: Error) =>
  error.stack!.split('\n').flatMap((line) => {
    const [, name, file, number] = /^ +at (?:(.*) \()?(?:.*\/)?([^/]+?):(\d+):\d+\)?$/.exec(line) ?? []
    return file === undefined ? [] : [`${name ?? ''} ${file}:${number}`.trim()]
  })

describe('a revert', () => {
  it('has the error of the ABI, of a transaction, a simulation, a call and a read alike', async () => {
    const { chain, contract } = await world()
    const b = { who: STRANGER, words: ['a', 'b'] }
    const sent = await revertOf(contract.write.failWith([7n, b]))
    expect(sent).toMatchObject({ name: 'ContractRevert', errorName: 'Odd', args: [7n, b] })
    expect(sent.message).toBe(`lab.failWith reverted: Odd(7n, { who: ${STRANGER}, words: ["a", "b"] })`)
    const simulated = await revertOf(contract.simulate.failWith([7n, b]))
    expect(simulated).toMatchObject({ errorName: 'Odd', args: [7n, b], data: sent.data, gasUsed: sent.gasUsed })
    expect(simulated.receipt).toBeUndefined()
    expect((await revertOf(contract.write.crash())).reason).toMatch(/^TypeError: /)
    expect(frames(sent)[0]).toMatch(/^failWith contract.js:\d+$/)
    expect(chain.block.number).toBe(3n)
  })

  it('has the text of an exception', async () => {
    const { contract } = await world()
    const error = await revertOf(contract.write.fail(['not today']))
    expect(error).toMatchObject({ errorName: 'Error', args: ['not today'], reason: 'not today' })
    expect(error.message).toBe('lab.fail reverted: not today')
  })

  it('is included in its block with status reverted and its gas', async () => {
    const { chain, alice, contract } = await world()
    const { receipt, gasUsed } = await revertOf(contract.write.fail(['not today']))
    expect(receipt).toMatchObject({ status: 'reverted', blockNumber: 2n, gasUsed, logs: [], from: alice, to: contract.address })
    expect(chain.block).toMatchObject({ number: 2n, gasUsed, transactions: [receipt!.transactionHash] })
    expect(await chain.nonce(alice)).toBe(2)
  })

  it('for lack of gas has that reason', async () => {
    const { contract } = await world()
    const sent = await revertOf(contract.write.burn({ gas: 200_000n }))
    expect(sent).toMatchObject({ reason: 'out of gas', gasUsed: 200_000n })
    const simulated = await revertOf(contract.simulate.burn({ gas: 200_000n }))
    expect(simulated).toMatchObject({ reason: 'out of gas', gasUsed: 200_000n })
    for (const { message } of [sent, simulated])
      expect(message).toMatch(
        /^lab\.burn reverted: out of gas: burn used up the 1\d{5} gas of its call; 200000 of the gas limit of 200000 were used$/,
      )
    expect(frames(sent)[0]).toMatch(/^burn contract\.js:\d+$/)
  })

  it('that a contract calls lack of gas itself is not explained as one', async () => {
    const { contract } = await world()
    for (const attempt of [contract.write.fail(['out of gas']), contract.simulate.fail(['out of gas'])])
      expect((await revertOf(attempt)).message).toBe('lab.fail reverted: out of gas')
  })

  it('for lack of gas in an inner call names the function that used it up, and its line', async () => {
    const artifact = await artifactOf(SPENDER)
    const chain = await createChain()
    const inner = await chain.deploy(artifact)
    const outer = await chain.deploy(artifact)
    const line = (text: string) => SPENDER.split('\n').findIndex((one) => one.includes(text)) + 1
    const error = await revertOf(outer.write.ask!([inner.address], { gas: 1_000_000n }))
    expect(error.reason).toBe('out of gas')
    expect(error.message).toMatch(
      /^token\.ask reverted: out of gas: spend used up the \d{6} gas of its call; \d{6,7} of the gas limit of 1000000 were used$/,
    )
    expect(frames(error).slice(0, 2)).toEqual([`keep token.ts:${line('state.n.set')}`, `spend token.ts:${line('for (let n')}`])
    const limited = await revertOf(outer.write.limited!([inner.address]))
    expect(limited.message).toMatch(/out of gas: spend used up the 300000 gas of its call; \d{6} of the gas limit of/)
  })

  it('of a creation contains the error of the code or constructor', async () => {
    const { chain, contract } = await world()
    const error = await revertOf(chain.deploy(lab, { args: [13n] }))
    expect(error.message).toBe('deployment of lab reverted: unlucky')
    expect(frames(error)[0]).toMatch(/^constructor contract.js:\d+$/)
    const broken = { name: 'broken', abi: [], bytecode: '0x6000' } as const
    await expect(chain.deploy(broken)).rejects.toThrow(/deployment of broken reverted: contract code rejected/)
    const source = "const start = () => { throw new Error('no start') }\nstart()\nexport default {}"
    const throwing = { name: 'throwing', abi: [], bytecode: bytesToHex(containerOf(source, [])) } as const
    const thrown = await revertOf(chain.deploy(throwing))
    expect(thrown.message).toContain('no start')
    expect(frames(thrown)[0]).toMatch(/^start contract.js:1$/)
    expect(await contract.read.count()).toBe(1n)
  })

  it('that came through other contracts is known by their ABIs, and shows their frames, the innermost first', async () => {
    const { chain, contract } = await world()
    const other = await chain.deploy(passer)
    const error = await revertOf(other.write.relay([contract.address]))
    // The lab calls itself: the re-entrant call fails before any of its code runs.
    expect(error.reason).toMatch(/reentrant call refused/)
    expect(
      frames(error)
        .slice(0, 2)
        .map((frame) => frame.split(' ')[0]),
    ).toEqual(['relay', 'relay'])
    const second = await chain.deploy(lab, { args: [2n] })
    const inner = await revertOf(contract.write.relay([second.address]))
    expect(inner).toMatchObject({ errorName: 'Odd', args: [1n, { who: contract.address, words: ['inner'] }] })
    expect(
      frames(inner)
        .slice(0, 2)
        .map((frame) => frame.split(' ')[0]),
    ).toEqual(['failWith', 'relay'])
    const outer = await revertOf(other.write.swallow([contract.address]))
    expect(outer.reason).toBe('outer')
    expect(frames(outer)[0]).toMatch(/^swallow/)
    expect(outer.stack).not.toContain('at fail ')
  })

  it('of an unknown error has the raw bytes', async () => {
    const chain = await createChain()
    const source =
      "export default { functions: { f() { throw Object.assign(new Error('why'), { data: Uint8Array.of(1, 2, 3, 4, 5) }) } } }"
    const abi = parseAbi(['function f()'])
    const contract = await chain.deploy({ name: 'raw', abi, bytecode: bytesToHex(containerOf(source, abi)) })
    const error = await revertOf(contract.write.f())
    expect(error).toMatchObject({ errorName: undefined, args: [], data: '0x0102030405', reason: 'why' })
  })

  it('of an error that only the container declares is known too', async () => {
    const unaware = { ...lab, abi: lab.abi.filter((item) => item.type !== 'error') } as unknown as typeof lab
    const chain = await createChain()
    const contract = await chain.deploy(unaware, { args: [1n] })
    const error = await revertOf(contract.write.failWith([1n, { who: STRANGER, words: ['a'] }]))
    expect(error).toMatchObject({ errorName: 'Odd', args: [1n, { who: STRANGER, words: ['a'] }] })
  })
})

describe('the stack', () => {
  it('begins with the lines of the author, and ends with those of the test', async () => {
    const artifact = await artifactOf(TOKEN)
    const chain = await createChain()
    const [alice, bob] = chain.accounts
    const contract = await chain.deploy(artifact, { args: ['Quoin', 10n], from: alice })
    const attempt = () => contract.write.transfer!([alice, 5n], { from: bob })
    const error = await revertOf(attempt())
    const line = TOKEN.split('\n').findIndex((text) => text.includes('revert.InsufficientBalance')) + 1
    expect(error.stack!.split('\n')[0]).toBe('ContractRevert: token.transfer reverted: InsufficientBalance(0n, 5n)')
    expect(frames(error)[0]).toBe(`transfer token.ts:${line}`)
    expect(error.stack!.split('\n')[1]).toContain('(contracts/token.ts:')
    expect(frames(error)[1]).toMatch(/^attempt revert.test.ts:\d+$/)
    expect(error.stack).not.toContain('src/testing')
  })

  it('knows code that is not yet at its address', async () => {
    const chain = await createChain()
    const refusing = await artifactOf(REFUSING)
    const error = await revertOf(chain.deploy(refusing))
    expect(error.message).toBe('deployment of token reverted: no')
    expect(frames(error)[0]).toMatch(/token.ts:3$/)
    const contract = await chain.deploy(lab, { args: [1n] })
    const upgrade = await revertOf(chain.upgrade(contract, refusing, { data: '0x01' }))
    expect(upgrade.message).toBe('upgrade to token reverted: no')
    expect(frames(upgrade)[0]).toMatch(/token.ts:3$/)
  })
})
