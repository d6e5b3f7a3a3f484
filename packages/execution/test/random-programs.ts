import fc from 'fast-check'
import { type Statement as Common, statement as common, render as renderCommon } from './random-contracts.ts'

/**
 * Contracts that do everything that contracts can do and call one another in circles, for runs on several nodes that must agree.
 * Most of their actions are refused, reverted or cut short, as intended.
 */
type Statement =
  | Common
  | { readonly kind: 'keep'; readonly place: number }
  | { readonly kind: 'large'; readonly what: number; readonly size: number }
  | { readonly kind: 'emit'; readonly length: number }
  | { readonly kind: 'end'; readonly how: number; readonly modulus: number }
  /** On variables of the module. A call must not see another call's changes to them. */
  | { readonly kind: 'module'; readonly size: number }
  | { readonly kind: 'await' | 'compute' | 'look' | 'caught'; readonly how: number }
  | { readonly kind: 'again'; readonly how: number; readonly name: number }

const statement: fc.Arbitrary<Statement> = fc.oneof(
  { weight: 8, arbitrary: common },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('keep' as const), place: fc.nat(100) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('large' as const),
      what: fc.nat(100),
      size: fc.constantFrom(0, 40, 2_000, 65_536, 65_537, 200_000),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('emit' as const), length: fc.constantFrom(0, 3, 33, 5_000) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('end' as const), how: fc.nat(100), modulus: fc.integer({ min: 1, max: 5 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('module' as const), size: fc.constantFrom(1, 300, 20_000) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('await' as const, 'compute' as const, 'look' as const, 'caught' as const),
      how: fc.nat(100),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('again' as const), how: fc.nat(100), name: fc.nat(1) }) },
)

const fn = fc.record({ isAsync: fc.boolean(), statements: fc.array(statement, { maxLength: 6 }) })

/** A contract: two functions, the fallback, the migration of an upgrade to it, and the size of its module. */
export const program = fc.record({
  functions: fc.tuple(fn, fn),
  view: fc.array(statement, { maxLength: 3 }),
  creation: fc.array(statement, { maxLength: 2 }),
  migration: fc.option(fc.array(statement, { maxLength: 2 }), { nil: undefined }),
  tableSize: fc.constantFrom<number>(0, 5, 300),
})
export type RandomProgram = typeof program extends fc.Arbitrary<infer T> ? T : never

export const PROGRAM_ABI = [
  'constructor() payable',
  'function f0(uint256 x) payable returns (uint256)',
  'function f1(uint256 x) returns (uint256)',
  'function v(uint256 x) view returns (uint256)',
  'fallback() external payable',
  'event Happened(address indexed who, string indexed what, uint256 x, bytes data)',
  'error Refused(string why, int24[] numbers)',
]

/** The accounts around a contract. */
export interface Surroundings {
  /** Contracts that may be called, perhaps including itself. */
  readonly peers: readonly string[]
  readonly plain: string
  readonly native: string
}

export function sourceOfProgram(
  { functions, view, creation, migration, tableSize }: RandomProgram,
  around: Surroundings,
): string {
  const block = (statements: readonly Statement[], isAsync: boolean) =>
    statements.map((one) => render(one, around, isAsync)).join('\n')
  const [f0, f1] = functions.map(
    ({ isAsync, statements }, i) => `${isAsync ? 'async ' : ''}f${i}(x) {\n${block(statements, isAsync)}\nreturn x % 1000003n\n}`,
  )
  const migrate = migration === undefined ? '' : `migrate(data) { let x = BigInt(data.length)\n${block(migration, false)}\n},`
  return `const table = new Map(); for (let i = 0; i < ${tableSize}; i++) table.set('k' + i, { i, big: BigInt(i) ** 7n })
    let calls = 0n; const kept = []
    export default {
      constructor() { let x = 3n\n${block(creation, false)}\n},
      functions: {\n${f0},\n${f1},\nv(x) {\n${block(view, false)}\nreturn x % 1000003n\n}\n},
      ${migrate}
      fallback: (data) => { quoin.store('bytes', 'data', data); return data },
    }`
}

/** A value of each kind that storage supports, made from the number `x`. */
const KEPT: readonly (readonly [type: string, value: string])[] = [
  ['address', 'quoin.sender'],
  ['int24', '-x % 8000000n'],
  ['bool', 'x % 2n === 0n'],
  ['bytes4', 'new Uint8Array([1, 0, Number(x % 256n), 0])'],
  ['bytes', 'quoin.encodeUtf8(String(x))'],
  ['string', "'ä€😀' + x"],
  ['(uint64,string[])[]', "[[x % 1000n, ['a', String(x)]], [0n, []]]"],
  ['uint256[3]', '[x % 7n, 0n, 2n ** 256n - 1n]'],
]

const LARGE: readonly ((size: number) => string)[] = [
  (size) => `quoin.store('string', 'large', 'z'.repeat(${size}))`,
  () => "x += BigInt(quoin.load('string', 'large').length)",
  (size) => `quoin.store('bytes', 'large', new Uint8Array(${size}).fill(7))`,
  (size) => `x += BigInt(quoin.keccak256(new Uint8Array(${size}))[0])`,
  (size) => `x += BigInt(String(7n ** ${Math.ceil(size / 20)}n).length)`,
  (size) => `quoin.store('uint256', 'k'.repeat(${size}), 1n)`,
  (size) => `x += BigInt(quoin.abiEncode('uint8[]', [new Array(${size}).fill(9n)]).length)`,
]

const ENDINGS: readonly string[] = [
  "quoin.revert('Refused', 'because of ' + x, [1n, -x % 1000n])",
  "throw new RangeError('at ' + x)",
  'throw x',
  'null.x',
  'throw { data: new Uint8Array(1025), message: "much" }',
  'for (;;) x++',
  'for (;;) kept.push(new Uint8Array(50000))',
  'return 2n ** 256n',
  "return 'text'",
  'return',
]

const CAUGHT: readonly string[] = [
  'const f = (n) => f(n + 1) + 1; f(0)',
  "JSON.parse('['.repeat(20000))",
  "'x'.padEnd(2 ** 29)",
  'new Uint8Array(2 ** 28)',
  'for (let i = 0; i < 400; i++) kept.push(new Uint8Array(100000))',
  "quoin.store('uint8', 'k', 256n)",
  "quoin.emit('Nothing', x)",
  'quoin.x = 1',
  "quoin.abiDecode('string', new Uint8Array(31))",
]

const COMPUTED: readonly string[] = [
  'x += BigInt(Math.floor(1e6 + Math.sin(Number(x % 1000n)) * 1e6))',
  "x += BigInt(Array.from({ length: 60 }, (_, i) => (i * 7919) % 211).sort((a, b) => a - b).join('').length)",
  'x += [...table].reduce((sum, [k, { big }]) => sum + big % 97n + BigInt(k.length), 0n)',
  'x += BigInt(JSON.stringify({ b: [1.5, -0, NaN], a: String(x) }).replace(/[0-9]+/g, (m) => m + m).length)',
  'x += BigInt(new Uint8Array(new Float64Array([0 / 0, -NaN, Number(x) / 3]).buffer).reduce((a, b) => a + b, 0))',
  'x += quoin.abiDecode("uint256,bytes", quoin.abiEncode("uint256,bytes", [x, new Uint8Array(5)]))[0]',
  'x += BigInt(quoin.sha256(quoin.encodeUtf8(String(x)))[3])',
  'class A { #p = x; get p() { return this.#p * 2n } } x += new A().p',
]

const LOOKS: readonly ((around: Surroundings) => string)[] = [
  () => 'x += quoin.gasLeft % 1000n',
  () => 'x += quoin.block.number + quoin.block.milliseconds % 1000n + quoin.block.baseFee + quoin.chainId',
  () => 'x += quoin.value + quoin.balanceOf(quoin.self) + BigInt(quoin.sender.length)',
  ({ peers }) => `x += BigInt(quoin.codeAt('${peers[0]}').length)`,
  ({ peers, native }) =>
    `x += quoin.staticCall('${native}', 'describe(address)(uint256,bytes32,address,bool)', ['${peers[0]}'])[0]`,
  ({ peers, native }) =>
    `x += quoin.staticCall('${native}', 'codeVersion(address,uint256)(bytes32,uint256,bytes)', ['${peers[1]}', 1n])[1]`,
  () => "x += quoin.has('k1') ? 1n : 0n; quoin.remove('k1')",
]

const AWAITED: readonly string[] = [
  'x += await Promise.resolve(7n)',
  'for (let i = 0; i < 5; i++) x += await (async () => BigInt(i))()',
  "try { await Promise.reject(new Error('late')) } catch (error) { x += BigInt(error.message.length) }",
  'await new Promise(() => {})',
]

const AGAIN: readonly ((name: number) => string)[] = [
  () => "x += quoin.staticCall(quoin.self, 'v(uint256)(uint256)', [x])",
  (name) => `x += quoin.call(quoin.self, 'f${name}(uint256)(uint256)', [x])`,
  (name) => `x += quoin.staticCall(quoin.self, 'f${name}(uint256)(uint256)', [x], { gas: 200000n })`,
  () => 'x += BigInt(quoin.callRaw(quoin.self, new Uint8Array(9)).length)',
]

const pick = <T>(all: readonly T[], at: number): T => all[at % all.length]!
const guarded = (code: string): string => `try { ${code} } catch (error) { x += BigInt(String(error.message).length) }`

function render(one: Statement, around: Surroundings, isAsync: boolean): string {
  switch (one.kind) {
    case 'keep': {
      const [type, value] = pick(KEPT, one.place)
      const [other] = pick(KEPT, one.place >> 3)
      return `quoin.store('${type}', 'kept', ${value}); ${guarded(`x += BigInt(String(quoin.load('${other}', 'kept')).length)`)}`
    }
    case 'large':
      return guarded(pick(LARGE, one.what)(one.size))
    case 'emit':
      return `quoin.emit('Happened', quoin.sender, 'at ' + x, x, new Uint8Array(${one.length}))`
    case 'end':
      return `if (x % ${one.modulus}n === 0n) ${pick(ENDINGS, one.how)}`
    case 'module':
      return `calls++; x += calls * 1000n + BigInt(kept.length); kept.push(new Uint8Array(${one.size}), { x }); table.set(calls, { big: x })`
    case 'await':
      return isAsync ? pick(AWAITED, one.how) : 'Promise.resolve().then(() => { calls += x })'
    case 'compute':
      return pick(COMPUTED, one.how)
    case 'look':
      return guarded(pick(LOOKS, one.how)(around))
    case 'caught':
      return guarded(pick(CAUGHT, one.how))
    case 'again':
      return guarded(pick(AGAIN, one.how)(one.name))
    default:
      return renderCommon(one, around.peers, around.plain)
  }
}
