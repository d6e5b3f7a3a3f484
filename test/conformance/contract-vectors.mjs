/**
 * Contracts and calls whose gas and outcome must be the same on every node: the source, the calls, and the results pinned in
 * contract-vectors.json. Plain JavaScript, because it also runs over dist under other versions of Node.
 */
import { createHash } from 'node:crypto'
import { TICKS_PER_GAS, ticksOf } from '@quoin/execution/contract'
import { Address, bytesToHex, decodeContainer, encodeContainer, Hash, hexToBytes, nobleCrypto, parseAbi } from '@quoin/protocol'
import { encodeAbiParameters, encodeFunctionData, getContractAddress, parseAbi as parseHumanAbi } from 'viem'
import { readContract } from '../contracts/contract.mjs'

const USER = Address(`0x${'a1'.repeat(20)}`)
const OTHER = `0x${'b2'.repeat(20)}`
const GAS = 20_000_000
const MULTICALL = Address('0xca11bde05977b3631167028862be2a173976ca11')
const DEPLOYER = Address('0x4e59b44847b379578588920ca78fbf26c0b4956c')
const MULTICALL_ABI = parseHumanAbi([
  'function aggregate((address target, bytes callData)[] calls) payable returns (uint256, bytes[])',
  'function tryAggregate(bool requireSuccess, (address target, bytes callData)[] calls) payable returns ((bool, bytes)[])',
  'function blockAndAggregate((address target, bytes callData)[] calls) payable returns (uint256, bytes32, (bool, bytes)[])',
  'function aggregate3((address target, bool allowFailure, bytes callData)[] calls) payable returns ((bool, bytes)[])',
  'function aggregate3Value((address target, bool allowFailure, uint256 value, bytes callData)[] calls) payable returns ((bool, bytes)[])',
  'function getBlockHash(uint256 blockNumber) view returns (bytes32)',
  'function getCurrentBlockCoinbase() view returns (address)',
  'function getEthBalance(address addr) view returns (uint256)',
])
/** The contract of each vector: the first one of its sender. */
const SELF = getContractAddress({ from: USER, nonce: 0n })
const BLOCK = /** @type {any} */ ({
  number: 7,
  timeMs: 1_700_000_000_250,
  proposer: Address(`0x${'fe'.repeat(20)}`),
  gasLimit: 60_000_000,
  baseFee: 3n,
})

/**
 * @typedef {object} Vector
 * @property {string} name
 * @property {readonly string[] | readonly object[]} abi human-readable lines, or JSON
 * @property {string} source
 * @property {readonly unknown[]} [args] of the constructor
 * @property {boolean} [upgradeable]
 * @property {readonly (readonly [name: string, args?: readonly unknown[], options?: { value?: bigint, gas?: number, multicall?: boolean }])[]} calls with
 *   `multicall` of Multicall3 instead of the contract
 * @property {readonly `0x${string}`[]} [deployments] afterwards: data for the deterministic deployment proxy
 */

const token = readContract('token')

/** @type {readonly Vector[]} */
export const VECTORS = [
  {
    name: 'token',
    abi: token.abi,
    source: token.source,
    args: ['Token', 'TKN', USER, 10n ** 24n],
    calls: [
      ['transfer', [OTHER, 1_000n]],
      ['transfer', [OTHER, 10n ** 30n]],
      ['approve', [USER, 7n]],
      ['transferFrom', [USER, OTHER, 5n]],
      ['balanceOf', [OTHER]],
      ['name'],
    ],
  },
  {
    name: 'storage of every kind',
    abi: ['function f(address a, int24 i, bool b, bytes4 x, bytes d, string s, (uint256 n, string[] t)[] p) returns (string)'],
    source: `export default { functions: { f(a, i, b, x, d, s, p) {
      for (const [type, value] of [['address', a], ['int24', i], ['bool', b], ['bytes4', x], ['bytes', d], ['string', s], ['(uint256,string[])[]', p.map(({ n, t }) => [n, t])]]) {
        quoin.store(type, 'key of ' + type, value)
      }
      quoin.remove('key of bool')
      return [quoin.load('address', 'key of address'), quoin.load('int24', 'key of int24'), quoin.load('bool', 'key of bool'), quoin.load('string', 'key of string'), quoin.has('no'), JSON.stringify(quoin.load('(uint256,string[])[]', 'key of (uint256,string[])[]'), (_, v) => typeof v === 'bigint' ? String(v) : v)].join()
    } } }`,
    calls: [['f', [OTHER, -5, true, '0x01020304', '0x0000', 'Grüße 🏗', [{ n: 2n ** 255n, t: ['a', ''] }]]]],
  },
  {
    name: 'what the interpreter computes',
    abi: ['function f(uint256 seed) pure returns (string)'],
    source: `const seen = new Map()
      for (let i = 0; i < 50; i++) seen.set('k' + i, { i, big: BigInt(i) ** 40n })
      export default { functions: { f(seed) {
        let float = 0
        for (let i = 1; i < 200; i++) float += Math.sin(i) * Math.exp(1 / i) / i ** 0.7
        const sorted = Array.from({ length: 150 }, (_, i) => (i * 7919) % 211).sort((a, b) => a - b).join()
        const bits = new Float64Array([NaN, 0 / 0, -NaN, Math.sqrt(-1)])
        return JSON.stringify([...seen].filter(([k]) => /[37]$/.test(k)).map(([k, v]) => [k, String(v.big * seed)])) + float + sorted + new Uint8Array(bits.buffer)
      } } }`,
    calls: [['f', [3n]]],
  },
  {
    name: 'the library',
    abi: ['function f(bytes d) pure returns (string)'],
    source: `export default { functions: { f(d) {
      const hash = quoin.keccak256(d)
      return [hash, quoin.sha256(d), quoin.abiEncode('uint256,(address,bytes)[]', [5n, [['${OTHER}', d]]]), quoin.abiEncodePacked('uint16,string', [1n, 'ab'])].map(quoin.encodeHex).join()
    } } }`,
    calls: [
      ['f', ['0x010203']],
      ['f', [`0x${'ab'.repeat(1000)}`]],
    ],
  },
  {
    name: 'events and errors',
    abi: [
      'event E(address indexed a, string indexed s, uint256[] n)',
      'event A(bytes32 indexed x)',
      'error Own(string why, int8 n)',
      'function f(uint256 n)',
    ],
    source: `export default { functions: { f(n) {
      quoin.emit('E', quoin.sender, 'text', [n, n + 1n]); quoin.emit('A', new Uint8Array(32).fill(7))
      if (n === 2n) quoin.revert('Own', 'why', -3n)
      if (n === 3n) throw new RangeError('at three')
      if (n === 4n) for (;;);
      if (n === 5n) null.x
    } } }`,
    calls: [
      ['f', [1n]],
      ['f', [2n]],
      ['f', [3n]],
      ['f', [4n], { gas: 500_000 }],
      ['f', [5n]],
    ],
  },
  {
    name: 'calls of other contracts',
    abi: [
      'function make(bytes c) returns (address)',
      'function ask(address a) returns (uint256)',
      'function caught() returns (string)',
      'function add(uint256 n) payable returns (uint256)',
    ],
    source: `export default { functions: {
      make: (c) => { const a = quoin.create(c); quoin.store('address', 'child', a); return a },
      ask: (a) => quoin.call(quoin.load('address', 'child'), 'add(uint256)(uint256)', [4n]) + quoin.staticCall(quoin.self, 'ask(address)(uint256)', [a], { gas: 100000n }),
      caught() { try { quoin.call(quoin.load('address', 'child'), 'none()', []) } catch (e) { return e.name + e.message + e.data.length } },
      add: (n) => n + 1n,
    } }`,
    calls: [
      [
        'make',
        [
          bytesToHex(
            containerOf(
              ['function add(uint256 n) returns (uint256)'],
              "export default { functions: { add(n) { quoin.store('uint256', 'n', n); return n * 2n } } }",
            ),
          ),
        ],
      ],
      ['ask', [OTHER]],
      ['caught'],
      ['add', [1n], { value: 5n }],
    ],
  },
  aggregates(),
  clones(),
  {
    name: 'a source that does not parse',
    abi: [],
    source: 'export default {\n  functions: { f( }',
    calls: [],
  },
]

/**
 * Creations with a code that is new, known, undone, or of another authority, with and without a salt.
 *
 * @returns {Vector}
 */
function clones() {
  const source = `export default {
    constructor(n) { if (n === 99n) throw new Error('99'); quoin.store('uint256', 'n', n) },
    functions: { get: () => quoin.load('uint256', 'n') } }`
  const lines = ['constructor(uint256 n)', 'function get() view returns (uint256)']
  const kinds = /** @type {const} */ ([{ kind: 'none' }, { kind: 'deployer' }, { kind: 'account', address: Address(OTHER) }])
  const [none, deployer, account] = /** @type {[Uint8Array, Uint8Array, Uint8Array]} */ (
    kinds.map((upgradeAuthority) => {
      const decoded = decodeContainer(containerOf(lines, source))
      if (!decoded.ok) throw new Error(decoded.error.message)
      return encodeContainer({ ...decoded.value.container, upgradeAuthority })
    })
  )
  const hashOf = (/** @type {Uint8Array} */ code) => Hash(nobleCrypto.keccak256(code))
  const salt = `0x${'5a'.repeat(32)}`
  const initCode = bytesToHex(concat(account, hexToBytes(encodeAbiParameters([{ type: 'uint256' }], [7n]))))
  return {
    name: 'clones and salts',
    abi: [
      'function make(bytes code, uint256 n, bool fails) returns (address)',
      'function make2(bytes code, bytes32 salt, uint256 n) returns (address)',
      'function copy(bytes32 hash, uint256 n) returns (address)',
      'function copy2(bytes32 hash, bytes32 salt, uint256 n) returns (address)',
      'function copyAt(address at, uint256 n) returns (address)',
    ],
    source: `const args = (n) => quoin.abiEncode('uint256', [n])
      export default { functions: {
        make(code, n, fails) { const made = quoin.create(code, args(n)); if (fails) throw new Error('undone'); return made },
        make2: (code, salt, n) => quoin.create2(code, salt, args(n)),
        copy: (hash, n) => quoin.clone(hash, args(n)),
        copy2: (hash, salt, n) => quoin.clone2(hash, salt, args(n)),
        copyAt: (at, n) => quoin.clone(at, args(n)),
      } }`,
    upgradeable: true,
    calls: [
      ['copy', [hashOf(none), 1n]],
      ['make', [bytesToHex(none), 1n, true]],
      ['copy', [hashOf(none), 1n]],
      ['make', [bytesToHex(none), 1n, false]],
      ['make', [bytesToHex(none), 2n, false]],
      ['copy', [hashOf(none), 3n]],
      ['copy', [hashOf(none), 99n]],
      ['make2', [bytesToHex(deployer), salt, 4n]],
      ['make2', [bytesToHex(deployer), salt, 4n]],
      ['copy2', [hashOf(deployer), salt, 5n]],
      ['copy2', [hashOf(deployer), salt, 5n]],
      ['copyAt', [getContractAddress({ from: SELF, nonce: 1n }), 6n]],
      ['copyAt', [OTHER, 6n]],
    ],
    deployments: [/** @type {`0x${string}`} */ (`${salt}${initCode.slice(2)}`), `0x${'5a'.repeat(31)}`, `0x${'5b'.repeat(32)}`],
  }
}

/** @returns {Vector} */
function aggregates() {
  const abi = parseHumanAbi([
    'function add(uint256 n) payable returns (uint256)',
    'function spin()',
    'function relay(address to, bytes data) returns (bytes)',
    'function peek(address to, bytes data) view returns (bytes)',
  ])
  const add = (/** @type {bigint} */ n) => encodeFunctionData({ abi, functionName: 'add', args: [n] })
  const spin = encodeFunctionData({ abi, functionName: 'spin' })
  const allowed = (/** @type {`0x${string}`} */ callData) => ({ target: SELF, allowFailure: true, callData })
  const calls = [allowed(add(1n)), allowed(add(50n)), allowed('0x'), { target: OTHER, allowFailure: false, callData: '0xabcd' }]
  const inner = encodeFunctionData({ abi: MULTICALL_ABI, functionName: 'aggregate3', args: [/** @type {any} */ (calls)] })
  const older = [add(2n), add(3n)].map((callData) => ({ target: SELF, callData }))
  const multicall = true
  return {
    name: 'aggregates',
    abi,
    source: `export default { functions: {
      add(n) {
        const sum = quoin.load('uint256', 'n') + n
        quoin.store('uint256', 'n', sum)
        if (n === 50n) throw new Error('too much')
        return sum
      },
      spin() { for (;;); },
      relay: (to, data) => quoin.callRaw(to, data),
      peek: (to, data) => quoin.staticCallRaw(to, data),
    } }`,
    calls: [
      ['aggregate3', [calls], { multicall }],
      [
        'aggregate3',
        [[allowed(spin), { target: MULTICALL, allowFailure: true, callData: inner }]],
        { multicall, gas: 4_000_000 },
      ],
      ['aggregate3Value', [calls.slice(1).map((call) => ({ ...call, value: 3n }))], { multicall, value: 9n }],
      ['aggregate3Value', [calls.map((call) => ({ ...call, value: 3n }))], { multicall, value: 9n }],
      ['aggregate', [older], { multicall }],
      ['tryAggregate', [false, [...older, { target: SELF, callData: add(50n) }]], { multicall }],
      ['blockAndAggregate', [[...older, { target: SELF, callData: add(50n) }]], { multicall }],
      ['relay', [MULTICALL, inner]],
      ['peek', [MULTICALL, inner]],
      ['getBlockHash', [6n], { multicall }],
      ['getCurrentBlockCoinbase', [], { multicall }],
      ['getEthBalance', [OTHER], { multicall, gas: 40_000 }],
      ['getEthBalance', [SELF], { multicall }],
    ],
  }
}

/**
 * @param {Vector['abi']} abi
 * @param {string} source
 * @param {boolean} [upgradeable]
 */
function containerOf(abi, source, upgradeable = false) {
  const json = typeof abi[0] === 'string' ? parseHumanAbi(/** @type {any} */ (abi)) : abi
  const parsed = parseAbi(json)
  if (!parsed.ok) throw new Error(parsed.error.message)
  return encodeContainer({
    upgradeAuthority: { kind: upgradeable ? 'deployer' : 'none' },
    reentrantSelectors: [],
    compiler: '',
    source,
    abi: parsed.value,
    sourceMap: new Uint8Array(0),
  })
}

const sha256 = (/** @type {string | Uint8Array} */ bytes) => createHash('sha256').update(bytes).digest('hex')

/** @param {unknown} value */
const text = (value) =>
  JSON.stringify(value, (_, item) =>
    item instanceof Uint8Array ? bytesToHex(item) : typeof item === 'bigint' ? `${item}n` : item,
  )

/**
 * Runs every vector on a fresh state.
 *
 * @param {object} execution what of the execution package is needed, from its sources or from dist
 * @param {typeof import('@quoin/execution/contract').createContracts} execution.createContracts
 * @param {typeof import('@quoin/execution').executionVersion} execution.executionVersion
 * @param {typeof import('@quoin/execution/contract').Machine} execution.Machine
 * @param {typeof import('@quoin/execution').Journal} execution.Journal
 * @param {import('@quoin/execution/vm').Interpreter} interpreter
 * @param {readonly Vector[]} vectors
 * @returns {Record<string, { gas: number, result: string }>} by vector and call: the gas to the tick, and the hash of outcome, logs and state
 */
export function runVectors({ createContracts, executionVersion, Machine, Journal }, interpreter, vectors = VECTORS) {
  /** @type {Record<string, { gas: number, result: string }>} */
  const results = {}
  for (const { name, abi, source, args = [], upgradeable, calls, deployments = [] } of vectors) {
    const contracts = createContracts({
      crypto: nobleCrypto,
      chainId: /** @type {any} */ (31_337),
      interpreter,
      reader: { get: () => undefined },
      executionVersion: executionVersion(nobleCrypto),
    })
    const journal = new Journal()
    journal.setAccount(USER, { ...journal.account(USER), balance: /** @type {any} */ (10n ** 18n) })
    const machine = new Machine(contracts, journal, BLOCK)
    const json = /** @type {any} */ (typeof abi[0] === 'string' ? parseHumanAbi(/** @type {any} */ (abi)) : abi)
    const inputs = json.find((/** @type {any} */ item) => item.type === 'constructor')?.inputs ?? []
    const data = concat(containerOf(abi, source, upgradeable), hexToBytes(encodeAbiParameters(inputs, args)))
    const record = (/** @type {string} */ call, /** @type {() => import('@quoin/execution/contract').MessageOutcome} */ run) => {
      const start = journal.checkpoint()
      // The trace consists of stacks; the outermost one is in the error.
      const { gasUsed, trace: _trace, detail: _detail, ...outcome } = /** @type {any} */ (run())
      const state = journal.changes().map(({ flatKey, after }) => [flatKey, after])
      results[`${name}: ${call}`] = {
        gas: gasUsed / TICKS_PER_GAS,
        result: sha256(text([outcome, journal.logsSince(start), state])),
      }
      return outcome
    }
    const made = record('creation', () => machine.run({ from: USER, to: undefined, value: 0n, data, gas: ticksOf(GAS) }))
    const to = made.ok ? made.contractAddress : undefined
    for (const [i, [functionName, values = [], { value = 0n, gas = GAS, multicall = false } = {}]] of calls.entries()) {
      const callee = multicall ? { to: MULTICALL, abi: /** @type {any} */ (MULTICALL_ABI) } : { to, abi: json }
      const calldata = hexToBytes(encodeFunctionData({ abi: callee.abi, functionName, args: values }))
      record(`${i} ${functionName}`, () => machine.run({ from: USER, to: callee.to, value, data: calldata, gas: ticksOf(gas) }))
    }
    for (const [i, sent] of deployments.entries()) {
      const message = { from: USER, to: DEPLOYER, value: 0n, data: hexToBytes(sent), gas: ticksOf(GAS) }
      record(`deployment ${i}`, () => machine.run(message))
    }
  }
  return results
}

/**
 * One line per result.
 *
 * @param {Record<string, { gas: number, result: string }>} results
 * @returns {string[]}
 */
export const linesOf = (results) => Object.entries(results).map(([name, { gas, result }]) => `${name}: ${gas} gas, ${result}`)

/**
 * @param {Uint8Array} a
 * @param {Uint8Array} b
 */
function concat(a, b) {
  const joined = new Uint8Array(a.length + b.length)
  joined.set(a)
  joined.set(b, a.length)
  return joined
}
