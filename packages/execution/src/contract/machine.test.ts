import { bytesToHex, hexToBytes } from '@quoin/protocol'
import { type Abi, decodeErrorResult, decodeEventLog, getAddress, getContractAddress, toFunctionSelector } from 'viem'
import { describe, expect, it } from 'vitest'
import { abiOf, creationOf, OTHER, TEST_BLOCK, type TestContract, TestContracts, USER } from '../../test/contracts.ts'
import { ticksOf } from '../ticks.ts'
import { selectorBytes } from './abi/encode.ts'
import { MESSAGE_LIMITS } from './message-limits.ts'
import { RECEIVE_SELECTOR } from './program.ts'

const sum = (address: string) => getAddress(address)

describe('a call', () => {
  it('passes values of every kind, there and back', () => {
    const chain = new TestContracts()
    const echo = chain.deploy(
      [
        'function echo(address a, int8 i, bool b, bytes3 f, bytes d, string s, (uint256 x, (bool y)[] z)[2] t) pure returns (address, int8, bool, bytes3, bytes, string, (uint256 x, (bool y)[] z)[2])',
      ],
      'export default { functions: { echo: (...values) => values } }',
    )
    const args = [
      sum(OTHER),
      -7,
      true,
      '0x010203',
      '0x00ff',
      'Grüße 🏗',
      [
        { x: 1n, z: [{ y: true }] },
        { x: 2n ** 255n, z: [] },
      ],
    ]
    expect(chain.call(echo, 'echo', args)).toEqual(args)
  })

  it('sees the environment', () => {
    const chain = new TestContracts()
    chain.fund(USER, 50n)
    const lines = [
      'function env() payable returns (address, uint256, address, uint256, uint256, uint256, uint256, address, uint256, uint256)',
      'function gas() view returns (uint256)',
    ]
    const source = `export default { functions: {
      env() { const { number, timestamp, milliseconds, proposer, gasLimit, baseFee } = quoin.block
        return [quoin.sender, quoin.value, quoin.self, quoin.chainId, number, timestamp, milliseconds, proposer, gasLimit, baseFee] },
      gas: () => quoin.gasLeft } }`
    const contract = chain.deploy(lines, source)
    const { proposer, gasLimit, baseFee } = TEST_BLOCK
    expect(chain.call(contract, 'env', [], { value: 4n })).toEqual([
      ...[
        sum(USER),
        4n,
        sum(contract.address),
        31_337n,
        7n,
        1_700_000_000n,
        1_700_000_000_250n,
        sum(proposer),
        BigInt(gasLimit),
        baseFee,
      ],
    ])
    expect(chain.journal.account(contract.address).balance).toBe(4n)
    const left = chain.call(contract, 'gas', [], { gas: ticksOf(1_000_000) }) as bigint
    expect(left).toBeGreaterThan(900_000n)
    expect(left).toBeLessThan(1_000_000n)
  })

  it('leaves logs that viem decodes', () => {
    const chain = new TestContracts()
    const lines = ['event Moved(address indexed from, string indexed what, uint256[] parts)', 'function go()']
    const contract = chain.deploy(
      lines,
      "export default { functions: { go() { quoin.emit('Moved', quoin.sender, 'x', [1n, 2n]) } } }",
    )
    const start = chain.journal.checkpoint()
    chain.call(contract, 'go')
    const [log] = chain.journal.logsSince(start)
    const decoded = decodeEventLog({ abi: contract.abi, topics: log!.topics as never, data: bytesToHex(log!.data) })
    expect(decoded).toMatchObject({ eventName: 'Moved', args: { from: sum(USER), parts: [1n, 2n] } })
    expect(log!.address).toBe(contract.address)
  })

  it.each([
    [
      'a view that writes',
      'function f() view',
      "quoin.store('uint256', 'a', 1n)",
      /store: a view function or a static call cannot write/,
    ],
    ['a pure function that reads', 'function f() pure', "quoin.load('uint256', 'a')", /load: a pure function cannot read/],
    ['a view that emits', 'function f() view', "quoin.emit('E')", /cannot write/],
    ['a view that sends', 'function f() view', 'quoin.transfer(quoin.self, 0n)', /cannot write/],
    ['a thrown text', 'function f()', "throw 'just text'", /^just text$/],
    ['a thrown error', 'function f()', "throw new Error('no luck')", /^no luck$/],
    ['a bug', 'function f()', 'undefined.x', /^TypeError: .*undefined/],
    ['an answer of the wrong type', 'function f() returns (uint256)', 'return 1', /does not fit the abi: .*a bigint is expected/],
    ['an answer out of range', 'function f() returns (uint8)', 'return 256n', /out of range for uint8/],
    ['one answer for two outputs', 'function f() returns (uint8, bool)', 'return 1n', /array of its 2 outputs/],
    ['a missing member', 'function f() returns ((uint8 a, bool b))', 'return { a: 1n }', /member b is missing/],
    ['an endless loop', 'function f()', 'for (;;);', /^out of gas$/],
    ['endless recursion', 'function f()', 'const g = () => g() + 1; g()', /stack overflow|stack/],
  ])('fails for %s', (_, line, body, reason) => {
    const chain = new TestContracts()
    const contract = chain.deploy([line, 'event E()'], `export default { functions: { f() { ${body} } } }`)
    const before = chain.journal.changes()
    expect(chain.failure(contract, 'f')).toMatch(reason)
    expect(chain.journal.changes()).toEqual(before)
  })

  it('of calldata that no function takes, or malformed arguments, fails with the reason', () => {
    const chain = new TestContracts()
    const contract = chain.deploy(['function f(uint256 a)'], 'export default { functions: { f() {} } }')
    expect(chain.send(contract.address, hexToBytes('0x01020304'))).toMatchObject({
      reason: expect.stringMatching(/no function with selector 0x01020304/),
    })
    expect(chain.send(contract.address, new Uint8Array(0))).toMatchObject({
      reason: expect.stringMatching(/neither receive nor fallback/),
    })
    expect(chain.attempt(contract, 'f', [1n])).toMatchObject({ ok: true })
    expect(chain.send(contract.address, hexToBytes('0xb3de648b00'))).toMatchObject({
      reason: expect.stringMatching(/arguments are malformed/),
    })
  })

  it('takes value only where it is payable', () => {
    const chain = new TestContracts()
    chain.fund(USER, 100n)
    const lines = ['function free()', 'function paid() payable', 'receive() external payable']
    const source =
      "export default { functions: { free() {}, paid() {} }, receive() { quoin.store('uint256', 'got', quoin.value) } }"
    const contract = chain.deploy(lines, source)
    expect(chain.failure(contract, 'free', [], { value: 1n })).toMatch(/not payable/)
    expect(chain.failure(contract, 'paid', [], { value: 101n })).toMatch(/insufficient balance/)
    expect(chain.journal.account(USER).balance).toBe(100n)
    chain.call(contract, 'paid', [], { value: 7n })
    expect(chain.send(contract.address, new Uint8Array(0), { value: 2n })).toMatchObject({ ok: true })
    expect(chain.journal.account(contract.address).balance).toBe(9n)
  })

  it('reaches fallback with the calldata, whose bytes come back', () => {
    const chain = new TestContracts()
    const contract = chain.deploy(
      ['fallback() external'],
      'export default { fallback: (data) => new Uint8Array([...data].reverse()) }',
    )
    expect(chain.send(contract.address, Uint8Array.of(1, 2, 3))).toMatchObject({ ok: true, data: Uint8Array.of(3, 2, 1) })
    expect(chain.send(contract.address, Uint8Array.of(1), { value: 1n }).ok).toBe(false)
  })

  it('settles promises before it ends', () => {
    const chain = new TestContracts()
    const contract = chain.deploy(
      ['function f() returns (uint256)', 'function g()'],
      "export default { functions: { async f() { await 1; return 5n }, async g() { await 1; throw new Error('late') } } }",
    )
    expect(chain.call(contract, 'f')).toBe(5n)
    expect(chain.failure(contract, 'g')).toBe('late')
  })

  it('uses the same gas every time, but for the first use of the code in a block', () => {
    const chain = new TestContracts()
    const source = "export default { functions: { f() { quoin.store('uint256', 'n', 7n) } } }"
    const lines = ['function f()']
    const contract = chain.deploy(lines, source)
    const gas = () => chain.attempt(contract, 'f').gasUsed
    gas()
    const first = gas()
    expect([gas(), gas()]).toEqual([first, first])
    const elsewhere = new TestContracts(chain.journal)
    const cold = elsewhere.attempt(contract, 'f').gasUsed
    expect(cold).toBeGreaterThan(first)
    expect(elsewhere.attempt(contract, 'f').gasUsed).toBe(first)
  })
})

/** Functions by which the contracts of these tests call one another. */
const PEER = [
  'function run(string script, address peer) payable returns (string)',
  'function fail(string why)',
  'function own(uint256 n)',
  'function get() view returns (uint256)',
  'function set(uint256 n) payable',
  'function spin()',
  'function again(uint256 depth, address peer) returns (uint256)',
  'error Own(uint256 n)',
  'receive() external payable',
]
const peerSource = (script = '') => `
  const scripts = { ${script} }
  export default {
    receive() {},
    functions: {
      run: (name, peer) => String(scripts[name](peer)),
      fail(why) { throw new Error(why) },
      own(n) { quoin.revert('Own', n) },
      get: () => quoin.load('uint256', 'n'),
      set(n) { quoin.store('uint256', 'n', n) },
      spin() { for (;;); },
      again: (depth, peer) => depth === 0n ? 0n : 1n + quoin.call(peer, 'again(uint256,address)(uint256)', [depth - 1n, quoin.self]),
    },
  }`

function pair(script: string): {
  chain: TestContracts
  a: TestContract
  b: TestContract
  run: (name?: string, options?: object) => string
} {
  const chain = new TestContracts()
  const a = chain.deploy(PEER, peerSource(script))
  const b = chain.deploy(PEER, peerSource())
  chain.fund(a.address, 1_000n)
  return { chain, a, b, run: (name = 'it', options = {}) => chain.call(a, 'run', [name, b.address], options) as string }
}

describe('contracts that call contracts', () => {
  it('get decoded outputs, and see what was written', () => {
    const { chain, b, run } = pair(`it: (peer) => {
      quoin.call(peer, 'set(uint256)', [5n], { value: 3n })
      return [quoin.staticCall(peer, 'get()(uint256)', []), quoin.balanceOf(peer), quoin.balanceOf(quoin.self)]
    }`)
    expect(run()).toBe('5,3,997')
    expect(chain.call(b, 'get')).toBe(5n)
  })

  it("can catch a callee's exception with its data; the callee's changes are reverted", () => {
    const { chain, b, run } = pair(`it: (peer) => {
      const all = []
      for (const [signature, values] of [['fail(string)', ['why']], ['own(uint256)', [9n]], ['missing()', []]]) {
        try { quoin.call(peer, signature, values) } catch (e) { all.push([e instanceof Error, e.name, e.message, e.data.length]) }
      }
      try { quoin.call(peer, 'set(uint256)', [1n], { value: 2000n }) } catch (e) { all.push(e.message.slice(0, 20)) }
      return JSON.stringify(all)
    }`)
    expect(JSON.parse(run())).toEqual([
      [true, 'CallError', 'why', 100],
      [true, 'CallError', 'Own(9)', 36],
      [true, 'CallError', expect.stringMatching(/no function with selector/), 164],
      'insufficient balance',
    ])
    expect(chain.call(b, 'get')).toBe(0n)
  })

  it('pass on the data of an error that they do not catch', () => {
    const { chain, a, b } = pair("it: (peer) => quoin.call(peer, 'own(uint256)', [9n])")
    const outcome = chain.attempt(a, 'run', ['it', b.address])
    expect(decodeErrorResult({ abi: a.abi, data: bytesToHex(outcome.data) })).toMatchObject({ errorName: 'Own', args: [9n] })
  })

  it('keep a 64th of their gas when a callee uses up the rest, and can give less', () => {
    const { chain, a, b, run } = pair(`
      all: (peer) => { try { quoin.call(peer, 'spin()', []) } catch (e) { return e.message + ',' + quoin.gasLeft } },
      some: (peer) => { const before = quoin.gasLeft; try { quoin.call(peer, 'spin()', [], { gas: 200000n }) } catch (e) { return before - quoin.gasLeft } },
    `)
    const [message, left] = run('all', { gas: ticksOf(6_400_000) }).split(',')
    expect(message).toBe('out of gas')
    expect(Number(left)).toBeGreaterThan(6_400_000 / 64 / 2)
    expect(Number(left)).toBeLessThan(6_400_000 / 64)
    const spent = Number(run('some'))
    expect(spent).toBeGreaterThan(200_000)
    expect(spent).toBeLessThan(260_000)
    expect(chain.attempt(a, 'run', ['all', b.address], { gas: ticksOf(6_400_000) }).gasUsed).toBeGreaterThan(ticksOf(6_200_000))
  })

  it('cannot be entered again, but statically or where the container allows it', () => {
    const script = `
      direct: () => quoin.call(quoin.self, 'set(uint256)', [1n]),
      through: (peer) => quoin.call(peer, 'again(uint256,address)(uint256)', [1n, quoin.self]),
      reads: () => quoin.staticCall(quoin.self, 'get()(uint256)', []),
      pays: () => quoin.transfer(quoin.self, 1n)`
    const { chain, a, b, run } = pair(script)
    for (const name of ['direct', 'through', 'pays'])
      expect(chain.failure(a, 'run', [name, b.address])).toMatch(/reentrant call refused/)
    expect(run('reads')).toBe('0')
    const open = chain.deploy(PEER, peerSource(script), [], { reentrantSelectors: [0x60fe47b1] })
    chain.call(open, 'run', ['direct', b.address])
    expect(chain.call(open, 'get')).toBe(1n)
    chain.fund(USER, 1n)
    expect(chain.failure(open, 'run', ['pays', b.address], { value: 1n })).toMatch(/reentrant call refused/)
  })

  it('can be paid while they are on the call stack where the container lists receive', () => {
    expect(bytesToHex(selectorBytes(RECEIVE_SELECTOR))).toBe(toFunctionSelector('receive()'))
    const chain = new TestContracts()
    const pays = peerSource('pays: () => quoin.transfer(quoin.self, 1n)')
    const payable = chain.deploy(PEER, pays, [], { reentrantSelectors: [RECEIVE_SELECTOR] })
    chain.fund(USER, 2n)
    chain.call(payable, 'run', ['pays', payable.address], { value: 1n })
    expect(chain.journal.account(payable.address).balance).toBe(1n)
    // If the ABI has a function receive(), the selector means that function.
    const named = [...abiOf(PEER), { type: 'function', name: 'receive', inputs: [], outputs: [], stateMutability: 'view' }] as Abi
    const source = pays.replace('functions: {', 'functions: { receive() {},')
    const made = chain.create(creationOf(source, named, [], { reentrantSelectors: [RECEIVE_SELECTOR] }))
    const both = { address: made.ok ? made.contractAddress! : OTHER, abi: named }
    expect(chain.failure(both, 'run', ['pays', both.address], { value: 1n })).toMatch(/reentrant call refused/)
    // Without receive the selector means nothing.
    const none = chain.create(creationOf('export default {}', [], [], { reentrantSelectors: [RECEIVE_SELECTOR] }))
    expect(none).toMatchObject({ ok: false, reason: expect.stringContaining('0xa3e76c0f does not belong to a function') })
  })

  it('go no deeper than the limit', () => {
    const chain = new TestContracts()
    const selector = Number.parseInt(bytesToHex(againSelector(chain)).slice(2, 10), 16)
    const open = chain.deploy(PEER, peerSource(), [], { reentrantSelectors: [selector] })
    const deepest = BigInt(MESSAGE_LIMITS.callDepthMax - 1)
    const gas = 50_000_000
    expect(chain.call(open, 'again', [deepest, open.address], { gas })).toBe(deepest)
    expect(chain.failure(open, 'again', [deepest + 1n, open.address], { gas })).toMatch(
      /max call depth exceeded: at most 16 nested calls/,
    )
  })

  it('make contracts, whose addresses follow from their own nonces', () => {
    const chain = new TestContracts()
    const child = creationOf(
      "export default { constructor(n) { quoin.store('uint256', 'n', n) }, functions: { get: () => quoin.load('uint256', 'n') } }",
      abiOf(['constructor(uint256) payable', 'function get() view returns (uint256)']),
      [0n],
    ).slice(0, -32)
    const factory = chain.deploy(
      [
        'function make(bytes container, uint256 n) payable returns (address)',
        'function makeBadly(bytes container) returns (string)',
      ],
      `export default { functions: {
        make: (container, n) => quoin.create(container, quoin.abiEncode('uint256', [n]), { value: quoin.value }),
        makeBadly(container) { try { quoin.create(container) } catch (e) { return e.name + ': ' + e.message } } } }`,
    )
    chain.fund(USER, 10n)
    const hex = bytesToHex(child)
    const made = chain.call(factory, 'make', [hex, 5n], { value: 2n }) as `0x${string}`
    expect(made.toLowerCase()).toBe(getContractAddress({ from: factory.address, nonce: 1n }).toLowerCase())
    expect(
      chain.call({ address: made.toLowerCase() as never, abi: abiOf(['function get() view returns (uint256)']) }, 'get'),
    ).toBe(5n)
    expect(chain.journal.account(made.toLowerCase() as never).balance).toBe(2n)
    expect(chain.call(factory, 'makeBadly', ['0x1234'])).toMatch(/^CallError: contract code rejected: .*0xef51/)
    const next = chain.call(factory, 'make', [hex, 6n]) as `0x${string}`
    expect(next.toLowerCase()).toBe(getContractAddress({ from: factory.address, nonce: 3n }).toLowerCase())
  })

  it('pay plain accounts, and get nothing from them', () => {
    const { chain, run } = pair(
      `it: () => { quoin.transfer('${OTHER}', 5n); return quoin.callRaw('${OTHER}', new Uint8Array(2)).length }`,
    )
    expect(run()).toBe('0')
    expect(chain.journal.account(OTHER).balance).toBe(5n)
  })
})

function againSelector(chain: TestContracts): Uint8Array {
  return chain.machine.contracts.crypto.keccak256(new TextEncoder().encode('again(uint256,address)')).subarray(0, 4)
}
