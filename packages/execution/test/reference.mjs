/**
 * Work whose results, gas and memory bytes must be the same wherever it runs. As a program or worker over dist it writes them as
 * JSON; V8 flags come before the script.
 */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { isMainThread, parentPort } from 'node:worker_threads'
import { watchedPower } from './power.mjs'

const GAS = 20_000_000

const CONTRACT = `
  const seen = new Map()
  for (let i = 0; i < 40; i++) seen.set('k' + i, { i, big: BigInt(i) ** 30n })
  export const mixed = (seed) => JSON.stringify([...seen].filter(([k]) => /[37]$/.test(k)).map(([k, v]) => [k, String(v.big)])) + seed
  export const floats = () => { let x = 0; for (let i = 1; i < 300; i++) x += Math.sin(i) * Math.exp(1 / i) / i ** 0.7; return x + ' ' + 0 / 0 }
  export const nans = () => { const f = new Float64Array([NaN, 0 / 0, -NaN, Math.sqrt(-1), Infinity - Infinity]); return new Uint8Array(f.buffer) }
  export const nans32 = () => { const f = new Float32Array([0 / 0, -NaN, Math.log(-1)]); return new Uint8Array(f.buffer) }
  export const sorted = () => Array.from({ length: 200 }, (_, i) => (i * 7919) % 211).sort((a, b) => a - b).join()
  export const storage = (key, n) => { for (let i = 0; i < 5; i++) host.put(key, (host.get(key) ?? 0n) + n); return host.get(key) }
  export const structured = (v) => { const back = host.echo([v, { __proto__: null, b: [1.5, -0, NaN], a: v }]); return { back, n: host.emit('x', back, [], {}), keys: Object.keys(back[0]) } }
  export const refused = () => { try { host.echo(() => 1) } catch (e) { return [e.name, e.message] } }
  export const reverted = () => host.revert('no')
  export const later = async () => { let s = ''; for (let i = 0; i < 20; i++) s += await i; return s }
  export const thrown = () => { throw new RangeError('at ' + seen.size) }
  export const overflow = () => { const f = (n) => f(n + 1) + 1; try { f(0) } catch (e) { return e.message } }
  export const deep = () => JSON.parse('['.repeat(1e5))
  export const spin = () => { for (;;) seen.set({}, []) }
  export const full = () => { const all = []; try { for (;;) all.push(new Uint8Array(100000)) } catch (e) { return all.length } }
`

/** @type {readonly (readonly [entry: string, ...values: import('../src/vm/value.ts').GuestValue[]])[]} */
const CALLS = [
  ['mixed', 'seed'],
  ['floats'],
  ['nans'],
  ['nans32'],
  ['sorted'],
  ['storage', 'key', 2n ** 130n],
  ['structured', { z: [1n, 2n ** 200n, 'ÿ\u1234\ud800'], 7: Uint8Array.of(1, 2), a: { deep: [[[null, undefined, true]]] } }],
  ['refused'],
  ['reverted'],
  ['later'],
  ['thrown'],
  ['overflow'],
  ['deep'],
  ['spin'],
  ['full'],
]

const sha256 = (/** @type {string | Uint8Array} */ bytes) => createHash('sha256').update(bytes).digest('hex')

/** @param {unknown} value */
const plain = (value) =>
  JSON.stringify(value, (_, item) => {
    if (typeof item === 'bigint') return `${item}n`
    return item instanceof Uint8Array ? Buffer.from(item).toString('hex') : item
  })

/**
 * One line per call: entry, outcome with gas, hash of all memory after it.
 *
 * @param {Pick<typeof import('../src/vm/index.ts'), 'createInterpreter' | 'HostRefusal'>} vm the interpreter's module, from src
 *   or dist
 * @param {Uint8Array} binary
 * @param {number} rounds number of times that everything is called
 * @returns {string[]} lines of all rounds
 */
export function runReference({ createInterpreter, HostRefusal }, binary, rounds = 1) {
  const { power, lastUsed } = watchedPower()
  const host = [
    { name: 'get', gas: 100, parameters: /** @type {const} */ (['string']) },
    { name: 'put', gas: 200, parameters: /** @type {const} */ (['string', 'bigint']) },
    { name: 'echo', gas: 200, parameters: /** @type {const} */ (['value']) },
    { name: 'emit', gas: 200, parameters: /** @type {const} */ (['string']), rest: /** @type {const} */ ('value') },
    { name: 'revert', gas: 200, parameters: /** @type {const} */ (['string']) },
  ]
  const interpreter = createInterpreter({ wasm: power, binary, host })
  const compiled = interpreter.compile({ source: CONTRACT, gas: GAS })
  if (!compiled.ok) throw new Error(compiled.error.kind)
  const { gasUsed } = compiled.value
  const packed = interpreter.packImage(compiled.value.image)
  const image = interpreter.unpackImage(packed)
  if (image === undefined) throw new Error('the image does not come back')
  const lines = [
    `image ${sha256(packed)} ${sha256(image.data)} ${sha256(`${image.patch}`)} ${sha256(image.heap)} ${image.heapEnd} ${gasUsed}`,
  ]
  for (let round = 0; round < rounds; round++) {
    for (const [entry, ...values] of CALLS) {
      /** @type {Map<string, bigint>} */
      const store = new Map()
      const handlers = {
        get: (/** @type {unknown} */ _, /** @type {string} */ key) => store.get(key),
        put: (/** @type {unknown} */ _, /** @type {string} */ key, /** @type {bigint} */ value) => void store.set(key, value),
        echo: (/** @type {unknown} */ _, /** @type {import('../src/vm/value.ts').GuestValue} */ value) => value,
        emit: (/** @type {unknown} */ _, /** @type {unknown[]} */ ...values) => values.length,
        revert: (/** @type {unknown} */ _, /** @type {string} */ text) =>
          new HostRefusal(text, { name: 'Reverted', data: Uint8Array.of(8, 9) }),
      }
      const outcome = interpreter.call({ image, entry, values, handlers, gas: GAS })
      if (outcome.kind === 'fault') throw outcome.error
      lines.push(`${entry} ${plain(outcome)} ${plain([...store])} ${sha256(lastUsed())}`)
    }
  }
  return lines
}

const isProgram = process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href
if (isProgram || (!isMainThread && parentPort !== null && process.env.VITEST === undefined)) {
  const dist = new URL('../dist/vm/', import.meta.url)
  const lines = runReference(await import(new URL('index.js', dist).href), await readFile(new URL('interpreter.wasm', dist)))
  if (isMainThread) process.stdout.write(JSON.stringify(lines))
  else parentPort?.postMessage(lines)
}
