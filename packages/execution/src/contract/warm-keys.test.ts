import type { Address } from '@quoin/protocol'
import { describe, expect, it } from 'vitest'
import { OTHER, type TestContract, TestContracts, USER } from '../../test/contracts.ts'
import { addressOf } from '../../test/transactions.ts'
import { CONTRACT_GAS } from './contract-gas.ts'
import { MESSAGE_GAS } from './message-gas.ts'
import { readRecord } from './record.ts'

const { read, write } = CONTRACT_GAS.key
const { codeByte } = CONTRACT_GAS.account

const LINES = ['function run(uint256 script, address at) payable', 'function keep(bool fails)', 'receive() external payable']

/** A contract with numbered scripts, and a peer that stores or fails; returns the ticks of a script in its own transaction. */
function world(...scripts: readonly string[]) {
  const chain = new TestContracts()
  const source = `const scripts = [${scripts.map((text) => `(at) => { ${text} }`).join(', ')}]
    export default { receive() {}, functions: {
      run: (script, at) => scripts[script](at),
      keep(fails) { quoin.store('uint256', 'kept', 7n); if (fails) throw new Error('no') },
    } }`
  const [contract, peer] = [chain.deploy(LINES, source), chain.deploy(LINES, source)] as [TestContract, TestContract]
  chain.fund(contract.address, 1_000n)
  const gas = (script: number, at: Address = peer.address, on = chain): number => {
    const outcome = on.attempt(contract, 'run', [BigInt(script), at])
    if (!outcome.ok) throw new Error(outcome.reason)
    return outcome.gasUsed
  }
  return { chain, contract, peer, gas }
}

const NOBODY = addressOf(0xdead)

/** Each script is run once and twice: the second run is cheaper by this amount. */
const KEYS: readonly (readonly [name: string, script: string, at: Address | undefined, cold: number])[] = [
  ['balanceOf', 'quoin.balanceOf(at)', NOBODY, read],
  ['codeAt of nobody', 'quoin.codeAt(at)', NOBODY, read],
  ['callRaw to nobody', 'quoin.callRaw(at, new Uint8Array(0))', NOBODY, read],
  ['transfer of nothing', 'quoin.transfer(at, 0n)', NOBODY, read],
  ['transfer', 'quoin.transfer(at, 1n)', NOBODY, 2 * write + read],
  ['call: account, record, entry of storage', "quoin.call(at, 'keep(bool)', [false])", undefined, 3 * read + write],
]

describe('a key that the transaction has already used costs less, by the price of the disk access', () => {
  it.each(KEYS)('%s', (name, script, at, cold) => {
    const { gas } = world('', script, `${script}; ${script}`)
    const [nothing, once, twice] = [gas(0, at), gas(1, at), gas(2, at)] as [number, number, number]
    const [first, second] = [once - nothing, twice - once]
    // The scripts differ by a few interpreter instructions, and a store by the bytes of its key and value.
    const bytes = name.startsWith('call: ') ? CONTRACT_GAS.storage.storeByte * ('kept'.length + 1) : 0
    expect(first - second - bytes).toBeGreaterThan(cold - 2_000)
    expect(first - second - bytes).toBeLessThan(cold + 2_000)
  })

  it('and an own account that sent value before', () => {
    const { gas } = world('quoin.transfer(at, 1n)', `quoin.transfer('${OTHER}', 0n); quoin.transfer(at, 1n)`)
    expect(gas(0, USER)).toBeLessThan(gas(1, USER))
    const { gas: both } = world('quoin.transfer(at, 1n)', `quoin.transfer('${NOBODY}', 1n); quoin.transfer(at, 1n)`)
    const more = both(1, OTHER) - both(0, OTHER)
    expect(more).toBeGreaterThan(read + write)
    expect(more).toBeLessThan(read + write + MESSAGE_GAS.value + 30_000)
  })
})

describe('whether a key is warm', () => {
  const fails = "try { quoin.call(at, 'keep(bool)', [true]) } catch {}"
  const keeps = "quoin.call(at, 'keep(bool)', [false])"

  it('stays when the call that used it is reverted', () => {
    const { gas } = world(keeps, `${keeps}; ${keeps}`, fails, `${fails}; ${keeps}`)
    const [kept, twice, failed, after] = [gas(0), gas(1), gas(2), gas(3)] as [number, number, number, number]
    expect(Math.abs(after - failed - (twice - kept))).toBeLessThan(1_000)
  })

  it('is no matter of earlier transactions of the block, nor of a cache', () => {
    const { chain, contract, peer, gas } = world(keeps, 'quoin.codeAt(at)')
    // The first write has no old value whose bytes go to the history.
    gas(0)
    const first = gas(0)
    expect([gas(0), gas(0)]).toEqual([first, first])
    // Here the block has used nothing and no program is cached, so the contract's code is read to make it.
    const { loadGas } = readRecord(chain.journal, peer.address)!
    const elsewhere = (script: number, at: Address) => gas(script, at, new TestContracts(chain.journal)) - gas(script, at)
    expect([elsewhere(0, peer.address), elsewhere(1, contract.address)]).toEqual([loadGas, loadGas])
  })

  it('of a code decides whether its bytes are paid for', () => {
    const { chain, contract, gas } = world('quoin.codeAt(at)', 'quoin.codeAt(at); quoin.codeAt(at)')
    const { length } = chain.journal.codeAt(contract.address)!
    expect(2 * gas(0, contract.address) - gas(1, contract.address)).toBeGreaterThan(read + codeByte * length)
  })
})
