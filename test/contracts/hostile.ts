import { type Address, concatBytes, hexToBytes } from '@quoin/protocol'
import { containerOf } from './contract.mjs'

/** A byte array over the interpreter's own memory, if there is a way to get one; otherwise this throws (quickjs #478). */
const OVERLAY = `
  const overlay = (length) => {
    const buffer = new ArrayBuffer(length)
    const detach = { get(target, name) { if (name === 'prototype') buffer.transfer(0); return target[name] } }
    return Reflect.construct(Uint8Array, [buffer, 0, length], new Proxy(Uint8Array, detach))
  }`

/**
 * Actions of a hostile contract in one call, by name: bodies of JavaScript functions whose result is stored. Each leaves the
 * interpreter's memory in a different state, or shows what an earlier call left there.
 */
const KINDS = {
  'reads and writes stray memory': 'const mem = overlay(2_100_000); return ++mem[2_000_000]',
  'reads all of the stack':
    'const mem = overlay(5_300_000); let sum = 0; for (let i = 90_208; i < 5_300_000; i += 9_973) sum = (sum * 31 + mem[i]) | 0; return sum',
  'leaves text in the stack':
    'const m = new Map(); for (let i = 0; i < 200; i++) m.set("k" + i, i * 1.5); return JSON.stringify([...m]).length',
  'formats numbers': 'return [297.5, 1e21, 1 / 3, -0.1, 5e-324].map(String).join()',
  'sorts and matches': 'return [..."the quick brown fox"].sort().join("").replace(/(o+)(q)/g, "$2$1") + "aab".match(/(a+)+b/)[0]',
  'grows and returns':
    'const all = []; for (let i = 0; i < 30; i++) all.push(new Uint8Array(100_000).fill(i)); return all.length',
  'grows without writing': 'return Array.prototype.toReversed.call({ length: 200_000 }).length',
  'grows until the gas ends': 'const all = []; for (;;) all.push(new Uint8Array(100_000).fill(1))',
  'never ends': 'for (;;);',
  'fills the stack': 'let n = 0; const f = () => { n++; return f() + 1 }; try { f() } catch (error) { return n + error.message }',
  'nests too deep': 'return JSON.parse("[".repeat(20_000)).length',
  'runs out of memory': 'try { return "ab".repeat(2 ** 26).length } catch (error) { return error.message }',
  throws: 'quoin.store("uint256", "lost", 7n); throw new RangeError("thrown")',
  'computes with bigints': 'let x = 3n; for (let i = 0; i < 12; i++) x *= x; return String(x).length + String(x % 1_000_003n)',
} as const

/** The last kind: all of the others, as inner calls that may fail. */
const CALLS = `
  const other = quoin.encodeHex(data.subarray(1, 21))
  const seen = []
  for (let kind = 0; kind < bodies.length; kind++)
    try { quoin.callRaw(other, Uint8Array.of(kind), { gas: 500_000n }); seen.push(kind) } catch (error) { seen.push(error.message) }
  return seen.join()`

export const HOSTILE_KINDS: readonly string[] = [...Object.keys(KINDS), 'does all of it in inner calls']

/** A contract whose calldata begins with the number of a kind. It stores that kind's result, so that the state shows it. */
export const HOSTILE_CONTRACT: Uint8Array = containerOf(
  `${OVERLAY}
  const bodies = [${Object.values(KINDS)
    .map((body) => `() => { ${body} }`)
    .join(',\n')}]
  const calls = (data) => { ${CALLS} }
  export default {
    fallback(data) {
      const [kind] = data
      const seen = kind < bodies.length ? bodies[kind]() : calls(data)
      quoin.store('string', 'seen by ' + kind, String(seen))
    },
  }`,
  [{ type: 'fallback', stateMutability: 'nonpayable' }],
)

/** Gas limit of a transaction of each kind. All kinds together fit into a block of the default size. */
export const hostileGas = (kind: number): number => (kind === HOSTILE_KINDS.length - 1 ? 12_000_000 : 4_000_000)

/** Calldata for a kind; `other` is a second contract with the same code. */
export const hostileCall = (kind: number, other: Address): Uint8Array => concatBytes(Uint8Array.of(kind), hexToBytes(other))
