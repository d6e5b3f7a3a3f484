import { type Address, bytesToHex, concatBytes, Hash, hexToBytes, type Nonce, nobleCrypto, U32_MAX } from '@quoin/protocol'
import fc from 'fast-check'
import { encodeAbiParameters, encodeDeployData, encodeFunctionData, getContractAddress, keccak256 } from 'viem'
import { describe, expect, it } from 'vitest'
import { containerOf } from '../../../../test/contracts/contract.mjs'
import { abiOf, creationOf, giveCode, OTHER, TEST_BLOCK, TEST_GAS, TestContracts, USER } from '../../test/contracts.ts'
import { contractInterpreter } from '../../test/interpreter.ts'
import { MemoryKv } from '../../test/memory-kv.ts'
import { flatOps } from '../state/history.ts'
import { Journal } from '../state/journal.ts'
import { gasUsedOf, ticksOf } from '../ticks.ts'
import { readCodeRecord, writeCodeRecord } from './code-record.ts'
import { CODE_REGISTRY_ABI, CODE_REGISTRY_ADDRESS } from './native/code-registry.ts'
import { CREATE2_DEPLOYER_ADDRESS, CREATE2_DEPLOYER_CODE } from './native/create2-deployer.ts'
import { NATIVE_CODE } from './native/native.ts'
import { readRecord } from './record.ts'

const CHILD_LINES = ['constructor(uint256 n) payable', 'function get() view returns (uint256)']
/** Codes of children; they differ in a constant. A constructor with 99 fails. */
const childSource = (mark: number) => `export default {
  constructor(n) { if (n === 99n) throw new Error('99'); quoin.store('uint256', 'n', n + ${mark}n) },
  functions: { get: () => quoin.load('uint256', 'n') } }`
const childAbi = abiOf(CHILD_LINES)
const CONTAINERS = [1000, 2000, 3000].map((mark) =>
  containerOf(childSource(mark), childAbi, { upgradeAuthority: { kind: 'deployer' } }),
)
const HASHES = CONTAINERS.map((container) => Hash(nobleCrypto.keccak256(container)))
const saltOf = (n: number) => new Uint8Array(32).fill(n)
const word = (n: bigint) => hexToBytes(encodeAbiParameters([{ type: 'uint256' }], [n]))

const FACTORY_LINES = [
  'constructor() payable',
  'function make(bytes container, uint256 n, bool fails) returns (address)',
  'function make2(bytes container, bytes32 salt, uint256 n, bool fails) returns (address)',
  'function copy(bytes32 hash, uint256 n, bool fails) returns (address)',
  'function copy2(bytes32 hash, bytes32 salt, uint256 n, bool fails) returns (address)',
  'function copyAt(address at, uint256 n) returns (address)',
  'function look(bytes32 hash) view returns (address)',
  'function loop(bytes32 hash, uint256 count)',
  'function odd(uint256 which) returns (address)',
]
const FACTORY = `
const args = (n) => quoin.abiEncode('uint256', [n])
const done = (made, fails) => { if (fails) throw new Error('undone'); return made }
export default { constructor() {}, functions: {
  make: (container, n, fails) => done(quoin.create(container, args(n)), fails),
  make2: (container, salt, n, fails) => done(quoin.create2(container, salt, args(n)), fails),
  copy: (hash, n, fails) => done(quoin.clone(hash, args(n)), fails),
  copy2: (hash, salt, n, fails) => done(quoin.clone2(hash, salt, args(n)), fails),
  copyAt: (of, n) => quoin.clone(of, args(n)),
  look: (hash) => quoin.clone(hash, args(1n)),
  loop(hash, count) { for (let i = 0n; i < count; i++) quoin.clone(hash, args(0n)) },
  odd(which) {
    if (which === 0n) return quoin.create2(new Uint8Array(3), new Uint8Array(31))
    if (which === 1n) return quoin.clone(new Uint8Array(20))
    if (which === 2n) return quoin.clone(7n)
    if (which === 3n) return quoin.clone('me')
    return quoin.clone('${OTHER}')
  },
} }`

function start(journal = new Journal()) {
  const chain = new TestContracts(journal)
  const factory = chain.deploy(FACTORY_LINES, FACTORY)
  return { chain, factory }
}
const hex = bytesToHex
const child = (address: unknown) => ({ address: (address as string).toLowerCase() as Address, abi: childAbi })

describe('a code that the state has', () => {
  it('is stored once, and its second contract costs a fraction, whoever creates it', () => {
    const { chain, factory } = start()
    const gas = (name: string, args: readonly unknown[]) => {
      const outcome = chain.attempt(factory, name, args)
      if (!outcome.ok) throw new Error(outcome.reason)
      return gasUsedOf(outcome.gasUsed)
    }
    const first = gas('make', [hex(CONTAINERS[0]!), 5n, false])
    const second = gas('make', [hex(CONTAINERS[0]!), 6n, false])
    const clone = gas('copy', [HASHES[0], 7n, false])
    expect(second).toBeLessThan(first / 2)
    expect(clone).toBeLessThan(second)
    const byTransaction = chain.create(concatBytes(CONTAINERS[0]!, word(8n)))
    expect(gasUsedOf(byTransaction.gasUsed)).toBeLessThan(first / 2)
    const codes = chain.journal.changes().filter(({ after }) => after !== undefined && hex(after) === hex(CONTAINERS[0]!))
    expect(codes).toHaveLength(1)
  })

  it('makes contracts that share nothing else', () => {
    const { chain, factory } = start()
    const made = [
      chain.call(factory, 'make', [hex(CONTAINERS[0]!), 1n, false]),
      chain.call(factory, 'copy', [HASHES[0], 2n, false]),
      chain.call(factory, 'copy2', [HASHES[0], hex(saltOf(1)), 3n, false]),
    ].map(child)
    made.push(child(chain.call(factory, 'copyAt', [made[0]!.address, 4n])))
    expect(made.map((one) => chain.call(one, 'get'))).toEqual([1001n, 1002n, 1003n, 1004n])
    const records = made.map(({ address }) => readRecord(chain.journal, address))
    for (const record of records) expect(record).toEqual(records[0])
    expect(records[0]).toMatchObject({ authority: factory.address, version: 1 })
  })

  it('is known from the frame on in which it was made, and not after that frame was undone', () => {
    const { chain, factory } = start()
    expect(chain.failure(factory, 'copy', [HASHES[0], 1n, false])).toMatch(/there is no contract code with the hash/)
    chain.failure(factory, 'make', [hex(CONTAINERS[0]!), 1n, true])
    chain.failure(factory, 'make', [hex(CONTAINERS[0]!), 99n, false])
    expect(chain.failure(factory, 'copy', [HASHES[0], 1n, false])).toMatch(/there is no contract code with the hash/)
    chain.call(factory, 'make', [hex(CONTAINERS[0]!), 1n, false])
    chain.call(factory, 'copy', [HASHES[0], 1n, false])
  })

  it('stays known after the contracts that had it were upgraded', () => {
    const { chain, factory } = start()
    const made = child(
      chain.create(concatBytes(CONTAINERS[0]!, word(1n))).ok && chain.call(factory, 'copy', [HASHES[0], 1n, false]),
    )
    const registry = { address: CODE_REGISTRY_ADDRESS, abi: CODE_REGISTRY_ABI as never }
    const upgrade = () => chain.attempt(registry, 'upgrade', [made.address, hex(CONTAINERS[1]!), '0x'], { from: factory.address })
    const first = upgrade()
    expect(first.ok).toBe(true)
    // To a code that is known, it costs a fraction too.
    expect(upgrade().gasUsed).toBeLessThan(first.gasUsed / 3)
    for (const i of [0, 1]) chain.call(factory, 'copy', [HASHES[i], 1n, false])
    expect(chain.call(registry, 'codeVersion', [made.address, 1n])).toMatchObject([
      HASHES[0],
      expect.anything(),
      hex(CONTAINERS[0]!),
    ])
  })

  it('of another execution version is made again, at its full price', () => {
    const { chain, factory } = start()
    const first = chain.attempt(factory, 'make', [hex(CONTAINERS[0]!), 5n, false])
    const record = readCodeRecord(chain.journal, HASHES[0]!)!
    const former = { ...record, executionVersion: Hash(saltOf(7)), loadGas: 1 }
    for (const [name, args] of [
      ['make', [hex(CONTAINERS[0]!), 5n, false]],
      ['copy', [HASHES[0], 5n, false]],
    ] as const) {
      writeCodeRecord(chain.journal, HASHES[0]!, former)
      expect(chain.attempt(factory, name, args).gasUsed).toBeGreaterThan(0.8 * first.gasUsed)
      expect(readCodeRecord(chain.journal, HASHES[0]!)).toEqual(record)
    }
  })
})

describe('a contract with a salt', () => {
  it('has the address of EIP-1014, also from a transaction through the deployer', () => {
    const { chain, factory } = start()
    const initCode = encodeDeployData({ abi: childAbi, bytecode: hex(CONTAINERS[0]!), args: [5n] } as never)
    const addressFrom = (from: Address) =>
      getContractAddress({ opcode: 'CREATE2', from, salt: hex(saltOf(3)), bytecode: initCode })
    expect(chain.call(factory, 'make2', [hex(CONTAINERS[0]!), hex(saltOf(3)), 5n, false])).toBe(addressFrom(factory.address))
    const sent = chain.send(CREATE2_DEPLOYER_ADDRESS, concatBytes(saltOf(3), hexToBytes(initCode)))
    expect(sent.ok && hex(sent.data)).toBe(addressFrom(CREATE2_DEPLOYER_ADDRESS).toLowerCase())
    expect(chain.call(child(addressFrom(CREATE2_DEPLOYER_ADDRESS)), 'get')).toBe(1005n)
    const cloneHash = keccak256(concatBytes(new Uint8Array(1), hexToBytes(HASHES[0]!), word(5n)))
    const cloned = getContractAddress({ opcode: 'CREATE2', from: factory.address, salt: hex(saltOf(3)), bytecodeHash: cloneHash })
    expect(chain.call(factory, 'copy2', [HASHES[0], hex(saltOf(3)), 5n, false])).toBe(cloned)
  })

  it('is refused at an address that is taken, and costs its sender', () => {
    const { chain, factory } = start()
    const args = [hex(CONTAINERS[0]!), hex(saltOf(3)), 5n, false]
    chain.call(factory, 'make2', args)
    const outcome = chain.attempt(factory, 'make2', args)
    expect(!outcome.ok && outcome.reason).toMatch(/address collision/)
    expect(gasUsedOf(outcome.gasUsed)).toBeGreaterThan(10_000)
    const taken = getContractAddress({
      opcode: 'CREATE2',
      from: factory.address,
      salt: hex(saltOf(4)),
      bytecode: concatBytes(CONTAINERS[0]!, word(5n)),
    })
    const address = taken.toLowerCase() as Address
    chain.journal.setAccount(address, { ...chain.journal.account(address), nonce: 1 as Nonce })
    expect(chain.failure(factory, 'make2', [args[0], hex(saltOf(4)), 5n, false])).toMatch(/address collision/)
  })

  it('counts the nonce as Ethereum does, and needs none', () => {
    const { chain, factory } = start()
    const nonce = () => chain.journal.account(factory.address).nonce
    chain.call(factory, 'make2', [hex(CONTAINERS[0]!), hex(saltOf(1)), 5n, false])
    expect(nonce()).toBe(2)
    chain.journal.setAccount(factory.address, { ...chain.journal.account(factory.address), nonce: U32_MAX as Nonce })
    chain.call(factory, 'copy2', [HASHES[0], hex(saltOf(2)), 5n, false])
    expect(nonce()).toBe(U32_MAX)
    expect(chain.failure(factory, 'copy', [HASHES[0], 5n, false])).toMatch(/nonce has max value/)
  })
})

describe('the deployer', () => {
  it('has the code that it has on other chains', () => {
    // The hash that Foundry compares (crates/evm/core/src/constants.rs, DEFAULT_CREATE2_DEPLOYER_CODEHASH).
    expect(keccak256(CREATE2_DEPLOYER_CODE)).toBe('0x2fa86add0aed31f33a762c9d88e807c475bd51d0f52bd0955754b2608f7e4989')
  })

  it('passes value on, and refuses static calls, short calldata and code that cannot be deployed', () => {
    const { chain } = start()
    chain.fund(USER, 10n)
    const outcome = chain.send(CREATE2_DEPLOYER_ADDRESS, concatBytes(saltOf(1), CONTAINERS[0]!, word(1n)), { value: 4n })
    expect(outcome.ok && chain.journal.account(hex(outcome.data) as never).balance).toBe(4n)
    const caller = chain.deploy(
      ['function peek(bytes data) view returns (bytes)'],
      `export default { functions: { peek: (data) => quoin.staticCallRaw('${CREATE2_DEPLOYER_ADDRESS}', data) } }`,
    )
    giveCode(chain.journal, CREATE2_DEPLOYER_ADDRESS, NATIVE_CODE, Hash(keccak256(NATIVE_CODE)))
    expect(chain.failure(caller, 'peek', [hex(concatBytes(saltOf(2), CONTAINERS[0]!, word(1n)))])).toMatch(
      /a static call cannot create/,
    )
    const refusal = (data: Uint8Array) => {
      const sent = chain.send(CREATE2_DEPLOYER_ADDRESS, data)
      return sent.ok ? '' : sent.reason
    }
    expect(refusal(new Uint8Array(31))).toMatch(/31 bytes, too few for a salt/)
    expect(refusal(new Uint8Array(0))).toMatch(/too few for a salt/)
    expect(refusal(new Uint8Array(32))).toMatch(/contract code rejected/)
    expect(refusal(concatBytes(saltOf(1), CONTAINERS[0]!, word(1n)))).toMatch(/address collision/)
    const tooLarge = chain.send(CREATE2_DEPLOYER_ADDRESS, concatBytes(saltOf(1), CONTAINERS[1]!, word(1n)), {
      gas: ticksOf(60_000),
    })
    expect(tooLarge).toMatchObject({ ok: false, detail: expect.stringMatching(/contract too large for this gas limit/) })
  })
})

describe('what cannot be cloned', () => {
  it('is refused with a reason', () => {
    const { chain, factory } = start()
    const reasons = [
      /the salt must have 32 bytes/,
      /hash of a code must have 32 bytes/,
      /address of a contract, or the hash/,
      /an address is expected/,
      /has no code/,
    ]
    for (const [i, reason] of reasons.entries()) expect(chain.failure(factory, 'odd', [BigInt(i)])).toMatch(reason)
    expect(chain.failure(factory, 'look', [HASHES[0]])).toMatch(/a view function or a static call cannot write/)
    giveCode(chain.journal, OTHER, NATIVE_CODE, Hash(keccak256(NATIVE_CODE)))
    expect(chain.failure(factory, 'copyAt', [OTHER, 1n])).toMatch(/there is no contract code with the hash/)
  })

  it('a pause stops no clone, because it belongs to one contract and not to the code', () => {
    const { chain, factory } = start()
    const made = child(chain.call(factory, 'make', [hex(CONTAINERS[0]!), 1n, false]))
    const registry = { address: CODE_REGISTRY_ADDRESS, abi: CODE_REGISTRY_ABI as never }
    chain.call(registry, 'setPaused', [made.address, true], { from: factory.address })
    expect(readRecord(chain.journal, child(chain.call(factory, 'copyAt', [made.address, 1n])).address)!.paused).toBe(false)
  })

  it('a constructor that clones its own code ends at the call depth, and undoes all', () => {
    const chain = new TestContracts()
    const source = `export default { constructor() { quoin.store('uint256', 'n', 1n); quoin.clone(quoin.self) } }`
    const outcome = chain.create(creationOf(source, abiOf(['constructor()'])))
    expect(outcome).toMatchObject({ ok: false, reason: expect.stringMatching(/max call depth exceeded/) })
    expect(chain.journal.changes().map(({ flatKey }) => hex(flatKey.subarray(1)))).toEqual([`${USER}00`])
  })
})

it('a flood of clones pays for each key that it writes, and ends with its gas', () => {
  const { chain, factory } = start()
  chain.call(factory, 'make', [hex(CONTAINERS[0]!), 1n, false])
  const flood = (count: bigint) => {
    const before = chain.journal.changes().length
    const outcome = chain.attempt(factory, 'loop', [HASHES[0], count])
    return { ok: outcome.ok, gas: gasUsedOf(outcome.gasUsed), keys: chain.journal.changes().length - before }
  }
  const [few, many] = [flood(10n), flood(30n)]
  // Account, record, version, and the entry of storage that the constructor writes.
  expect([few.keys, many.keys]).toEqual([40, 120])
  const each = (many.gas - few.gas) / 20
  // Four writes and two reads of the disk.
  expect(each).toBeGreaterThan(36_000)
  expect(each).toBeLessThan(60_000)
  expect(flood(10_000n)).toEqual({ ok: false, gas: gasUsedOf(TEST_GAS), keys: 0 })
})

describe('nodes with different caches', () => {
  const action = fc.record({
    how: fc.constantFrom('make', 'make2', 'copy', 'copy2', 'upgrade', 'deployer', 'block'),
    code: fc.nat(2),
    salt: fc.nat(2),
    n: fc.constantFrom(1n, 2n, 99n),
    fails: fc.boolean(),
  })

  it('agree with each other, and with a model, in random creations, reverts and upgrades', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 14 }), (actions) => {
        const kv = new MemoryKv()
        const warm = start(new Journal(kv))
        const { factory } = warm
        let [node, cold] = [warm.chain, undefined as TestContracts | undefined]
        const known = new Set<number>()
        const codeOf = new Map<string, number>()
        let nonce = 1
        for (const { how, code, salt, n, fails } of actions) {
          if (how === 'block') {
            // The block ends. The warm node keeps its programs, the cold one starts with nothing but the state.
            kv.write(flatOps(node.journal.changes()))
            const next = new TestContracts(new Journal(kv))
            Object.assign(next.machine, { contracts: node.machine.contracts })
            node = next
            cold = new TestContracts(new Journal(kv), TEST_BLOCK, contractInterpreter())
            continue
          }
          const container = CONTAINERS[code]!
          const data = concatBytes(container, word(n))
          const target = [...codeOf.keys()][0] as Address | undefined
          const isCopy = how.startsWith('copy')
          const salted = how.endsWith('2')
          const call = (on: TestContracts) => {
            if (how === 'deployer') return on.send(CREATE2_DEPLOYER_ADDRESS, concatBytes(saltOf(salt), data))
            if (how === 'upgrade') {
              const args = [target ?? OTHER, hex(container), '0x']
              const upgrade = encodeFunctionData({ abi: CODE_REGISTRY_ABI, functionName: 'upgrade', args } as never)
              return on.send(CODE_REGISTRY_ADDRESS, hexToBytes(upgrade), { from: factory.address })
            }
            const args = [isCopy ? HASHES[code] : hex(container), ...(salted ? [hex(saltOf(salt))] : []), n, fails]
            return on.attempt(factory, how, args)
          }
          const outcome = call(node)
          if (cold !== undefined) {
            const other = call(cold)
            expect([other.ok, other.gasUsed, hex(other.data)]).toEqual([outcome.ok, outcome.gasUsed, hex(outcome.data)])
          }
          if (how === 'upgrade') {
            const may = target !== undefined && readRecord(node.journal, target)?.authority === factory.address
            expect(outcome.ok).toBe(may)
            if (!outcome.ok) continue
            codeOf.set(target!, code)
            known.add(code)
            continue
          }
          const creator = how === 'deployer' ? CREATE2_DEPLOYER_ADDRESS : factory.address
          const bytecodeHash = keccak256(isCopy ? concatBytes(new Uint8Array(1), hexToBytes(HASHES[code]!), word(n)) : data)
          const address = (
            salted || how === 'deployer'
              ? getContractAddress({ opcode: 'CREATE2', from: creator, salt: hex(saltOf(salt)), bytecodeHash })
              : getContractAddress({ from: creator, nonce: BigInt(nonce) })
          ).toLowerCase()
          const undone = how !== 'deployer' && fails
          const works = (!isCopy || known.has(code)) && !codeOf.has(address) && n !== 99n && !undone
          expect(outcome.ok, `${how} ${code}`).toBe(works)
          // The call of the factory as a whole fails with the creation, and its nonce with it.
          if (!works) continue
          if (how !== 'deployer') nonce++
          codeOf.set(address, code)
          known.add(code)
        }
        for (const [i, hash] of HASHES.entries()) expect(node.journal.code(hash) !== undefined).toBe(known.has(i))
        for (const [address, code] of codeOf) expect(node.journal.codeAt(address as Address)).toEqual(CONTAINERS[code])
        if (cold !== undefined) expect(cold.journal.changes()).toEqual(node.journal.changes())
      }),
      { numRuns: 25 },
    )
  })
})
