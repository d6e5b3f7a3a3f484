import { encodeFunctionData, keccak256, parseAbi } from 'viem'
import { CODE_REGISTRY_ABI, CODE_REGISTRY_ADDRESS } from '../../../packages/execution/dist/contract/native/code-registry.js'
import { CREATE2_DEPLOYER_ADDRESS } from '../../../packages/execution/dist/contract/native/create2-deployer.js'
import { accountOf, creationOf, hexToBytes, transactionGasMax } from './abuse-chain.mjs'
import { bytesOf, contract, deploy, KIB, padding, RUN, runData, untilOut } from './abuse-script.mjs'

/** @typedef {import('./abuse-script.mjs').Kind} Kind */

const uniqueSource = (n, size) => `export default { functions: { run() {} } } // ${n}\n${padding(size)}`

/** An ABI with `count` functions, each with the same parameters, and a module that implements them. */
function largeAbi(count, parametersOf) {
  const abi = Array.from({ length: count }, (_, i) => ({
    type: 'function',
    name: `f${i}`,
    inputs: parametersOf(i),
    outputs: [],
    stateMutability: 'nonpayable',
  }))
  return { abi, source: `const f = () => {}; export default { functions: { ${abi.map(({ name }) => `${name}: f`).join(',')} } }` }
}

const scalars = (count) => Array.from({ length: count }, () => ({ name: '', type: 'uint8' }))
const nested = (depth, leaf) => (depth === 0 ? leaf : [{ name: '', type: 'tuple[]', components: nested(depth - 1, leaf) }])
const LARGE_ABIS = {
  '250 functions of 20 parameters': largeAbi(250, () => scalars(20)),
  '55 functions of 60 parameters': largeAbi(55, () => scalars(60)),
  '150 functions of tuples 7 deep': largeAbi(150, () => nested(7, scalars(1))),
}
const FAILING = `const f = () => {}; export default { functions: { ${Array.from({ length: 249 }, (_, i) => `f${i}: f`).join(',')} } }`

/** Creations that differ only in a number. */
const creations = (name, sourceOf, abi = RUN) => ({
  name,
  prepare: async () => (n) => ({ data: creationOf(sourceOf(n), abi) }),
})

/** Clones of a code that the chain knows, until little gas is left. `make` has the code's hash and a salt of its own. */
const clones = (name, make, source = 'export default { functions: { run() {} } }') => ({
  name,
  prepare: async (chain) => {
    const code = creationOf(source, RUN)
    await chain.deployAll([code])
    const to = await deploy(
      chain,
      contract(`const code = quoin.decodeHex("${keccak256(code)}")
        for (let i = 0n; quoin.gasLeft > 100000n; i++) { const salt = quoin.abiEncode("uint256", [n * 1000000n + i]); ${make} }`),
    )
    return (n) => ({ to, data: runData(n) })
  },
})

/** @type {readonly Kind[]} */
export const creation = [
  clones('clone without a constructor', 'quoin.clone(code)'),
  clones(
    'clone whose constructor writes',
    'quoin.clone(code)',
    'export default { constructor() { quoin.store("uint256", "n", 1n) }, functions: { run() {} } }',
  ),
  clones('clone with a salt', 'quoin.clone2(code, salt)'),
  {
    name: 'deployment of a known code through the proxy',
    prepare: async (chain) => {
      const code = creationOf('export default { functions: { run() {} } }', RUN)
      await chain.deployAll([code])
      return (n) => {
        const data = new Uint8Array(32 + code.length)
        new DataView(data.buffer).setUint32(0, n)
        data.set(code, 32)
        return { to: CREATE2_DEPLOYER_ADDRESS, data }
      }
    },
  },
  creations('creation of a small contract', (n) => uniqueSource(n, 0)),
  creations('creation with 200 KiB of comment', (n) => uniqueSource(n, 200 * KIB)),
  creations('creation with 60 KiB of functions', (n) => {
    const functions = Array.from({ length: 4_000 }, (_, i) => `function f${i}(){}`).join('')
    return `${functions} export default { functions: { run() {} } } // ${n}`
  }),
  creations('creation with 40 KiB of a hard expression', (n) => {
    const expression = Array.from({ length: 5_000 }, (_, i) => `[${i % 10},{}]`).join(',')
    return `const f = () => [${expression}]; export default { functions: { run() {} } } // ${n}`
  }),
  creations(
    'creation with an image of 1 MiB',
    (n) =>
      `const a = []; for (let i = 0; i < 11; i++) a.push(new Uint8Array(80000).fill(i * ${n} + 1)); export default { functions: { run() {} } } // ${n}`,
  ),
  creations('creation that throws', (n) => `throw new Error("${n}")`),
  creations('creation that loops', (n) => `for (;;); // ${n}`),
  ...Object.entries(LARGE_ABIS).map(([name, { abi, source }]) => creations(`creation, ${name}`, (n) => `${source} // ${n}`, abi)),
  creations(
    'creation, 250 functions that the module lacks',
    (n) => `${FAILING} // ${n}`,
    LARGE_ABIS['250 functions of 20 parameters'].abi,
  ),
  {
    name: 'creation, 240 KiB that are no container',
    prepare: async () => (n) => ({ data: Uint8Array.from([0xef, 0x51, 1, 0, 3, 0, n & 255, ...new Uint8Array(240 * KIB)]) }),
  },
  {
    name: 'create by a contract, over and over',
    prepare: async (chain) => {
      const child = creationOf('export default { functions: { run() {} } }', RUN)
      const source = contract(`const b = quoin.load("bytes", "c"); for (;;) quoin.create(b)`).replace(
        'run(n)',
        'fill(b) { quoin.store("bytes", "c", b) }, run(n)',
      )
      const abi = [...RUN, ...parseAbi(['function fill(bytes b)'])]
      const to = await deploy(chain, source, abi)
      const data = bytesOf('fill', [`0x${Buffer.from(child).toString('hex')}`], abi)
      await chain.sendAll([{ from: accountOf(0), to, data, gas: transactionGasMax }])
      return (n) => ({ to, data: runData(n) })
    },
  },
  untilOut('create of what is no container', 'try { quoin.create(b) } catch {}', { prepare: 'const b = new Uint8Array(1)' }),
]

/** Each transaction calls a different contract. A block loads `count / 2` of them for the first time; the rehearsals before it use the others. */
const firstUses = (name, count, sourceOf, abi = RUN, data = runData(1)) => ({
  name: `first use, ${name}`,
  cold: true,
  prepare: async (chain) => {
    const addresses = await chain.deployAll(Array.from({ length: count }, (_, n) => creationOf(sourceOf(n), abi)))
    return (n) => ({ to: addresses[n % count], data })
  },
})

const largeImage = (n) =>
  `const a = []; for (let i = 0; i < 11; i++) a.push(new Uint8Array(80000).fill(i * ${n} + 1)); export default { functions: { run() {} } } // ${n}`

/** @type {readonly Kind[]} */
export const loading = [
  firstUses('small contracts', 3_400, (n) => uniqueSource(n, 0)),
  firstUses('200 KiB of comment', 600, (n) => uniqueSource(n, 200 * KIB)),
  firstUses('images of 1 MiB', 640, largeImage),
  ...Object.entries(LARGE_ABIS).map(([name, { abi, source }]) =>
    firstUses(name, 1_000, (n) => `${source} // ${n}`, abi, Uint8Array.of(1, 2, 3, 4)),
  ),
]

/** @type {readonly Kind[]} */
export const upgrades = [
  {
    name: 'upgrade of 110 KiB to 110 KiB',
    prepare: async (chain) => {
      const source = (n) => uniqueSource(n, 110 * KIB)
      const rest = { upgradeAuthority: { kind: 'account', address: accountOf(0) } }
      const [target] = await chain.deployAll([creationOf(source(0), RUN, rest)])
      const upgrade = (n) =>
        encodeFunctionData({
          abi: CODE_REGISTRY_ABI,
          functionName: 'upgrade',
          args: [target, `0x${Buffer.from(creationOf(source(n + 1), RUN, rest)).toString('hex')}`, '0x'],
        })
      return (n) => ({ to: CODE_REGISTRY_ADDRESS, data: hexToBytes(upgrade(n)), from: accountOf(0) })
    },
  },
  {
    name: 'native contract, malformed arguments of 240 KiB',
    prepare: async () => (n) => {
      const data = new Uint8Array(240 * KIB)
      data.set(hexToBytes(encodeFunctionData({ abi: CODE_REGISTRY_ABI, functionName: 'describe', args: [accountOf(n % 4000)] })))
      return { to: CODE_REGISTRY_ADDRESS, data }
    },
  },
]
