import { randomBytes } from 'node:crypto'
import { parseAbi } from 'viem'
import { CODE_REGISTRY_ADDRESS } from '../../../packages/execution/dist/contract/native/code-registry.js'
import { aggregates } from './abuse-aggregates.mjs'
import { accountOf, creationOf, hexToBytes } from './abuse-chain.mjs'
import { creation, loading, upgrades } from './abuse-creation.mjs'
import { bytesOf, contract, deploy, KIB, NAMES, padding, RUN, runData, script, untilLow, untilOut } from './abuse-script.mjs'

/** @typedef {import('./abuse-script.mjs').Kind} Kind */

const OTHER = `"0x${'ab'.repeat(20)}"`
const FRESH = '"0x" + (n * 1000000n + BigInt(i) + (1n << 159n)).toString(16).padStart(40, "0")'
const TRIVIAL = 'export default { functions: { run() {} }, fallback() {} }'
const TRIVIAL_ABI = [...RUN, { type: 'fallback', stateMutability: 'payable' }]

const DEEP_TUPLE = `${'('.repeat(14)}uint8${')'.repeat(14)}`

/** A loop whose body calls a contract; `to` is its address. */
const caller = (name, body, { callee = TRIVIAL, calleeAbi = TRIVIAL_ABI, calleeRest = {}, prepare = '', ...rest } = {}) => ({
  name,
  ...rest,
  prepare: async (chain) => {
    const target = await deploy(chain, callee, [...calleeAbi, ...NAMES], calleeRest)
    const to = await deploy(chain, contract(`const to = "${target}"; ${prepare}; for (let i = 0; ; i++) { ${body} }`))
    return (n) => ({ to, data: runData(n) })
  },
})

/** @type {readonly Kind[]} */
const storage = [
  untilLow('store a new word', 'quoin.store("uint256", "k" + n + "." + i, 1n)'),
  untilLow('store a new word, long key', 'quoin.store("uint256", ("k" + n + "." + i).padEnd(128, "x"), 2n ** 255n)'),
  untilLow('store a new word, its own loop, then fail', 'quoin.store("uint256", "k" + n + "." + i, 1n)', { reserve: 1000 }),
  untilOut('store words, out of gas', 'quoin.store("uint256", "k" + n + "." + i, 1n)'),
  untilOut('store one word, out of gas', 'quoin.store("uint256", "k", BigInt(i) + 1n)'),
  untilLow('store new 64 KiB', 'quoin.store("bytes", "k" + n + "." + i, bytes)', {
    prepare: 'const bytes = new Uint8Array(65536).fill(1)',
    reserve: 1_600_000,
    turns: 1,
  }),
  untilLow('store over 64 KiB', 'bytes[0]++; quoin.store("bytes", "k" + i, bytes)', {
    prepare: 'const bytes = new Uint8Array(65536).fill(1); bytes[1] = Number(n % 256n)',
    reserve: 2_500_000,
    turns: 1,
  }),
  untilOut('store 64 KiB, out of gas', 'bytes[0]++; quoin.store("bytes", "k", bytes)', {
    prepare: 'const bytes = new Uint8Array(65536).fill(1)',
  }),
  untilOut('load what is not there', 'quoin.load("uint256", "k" + n + "." + i)'),
  untilOut('has what is not there', 'quoin.has("k" + n + "." + i)'),
  untilOut('remove what is not there', 'quoin.remove("k" + n + "." + i)'),
  unpaidReads(),
  untilOut('load one word', 'quoin.load("uint256", "k")', { prepare: 'quoin.store("uint256", "k", 1n)' }),
  untilOut('load address[1000]', 'quoin.load("address[]", "k")', {
    prepare: 'quoin.store("address[]", "k", Array(1000).fill(quoin.sender))',
  }),
  {
    name: 'load 64 KiB from disk',
    cold: true,
    prepare: async (chain) => {
      const fill = parseAbi(['function fill(uint256 n, bytes data)'])
      const source = `export default { functions: {
        run(n) { for (let i = 0; i < 40; i++) quoin.load('bytes', (n % 4n) + '.' + i) },
        fill(n, data) { quoin.store('bytes', n % 4n + '.' + n / 4n, data) },
      } }`
      const to = await deploy(chain, source, [...RUN, ...fill])
      const fills = Array.from({ length: 160 }, (_, n) => {
        const data = `0x${randomBytes(64 * KIB).toString('hex')}`
        return { from: accountOf(n), to, data: bytesOf('fill', [BigInt(n), data], fill), gas: 6_000_000 }
      })
      await chain.sendAll(fills)
      return (n) => ({ to, data: runData(n) })
    },
  },
]

/** Inner calls that read a value which they cannot pay for: each has enough gas to read a key, but not for the 64 KiB of its value. */
function unpaidReads() {
  const keys = 150
  const abi = [...RUN, ...parseAbi(['function fill(uint256 n, bytes data)', 'function look(uint256 i) view'])]
  const source = `export default { functions: {
    run(n) { for (let i = 0n; ; i++) try { quoin.staticCall(quoin.self, 'look(uint256)', [(n * 37n + i) % ${keys}n], { gas: 15000n }) } catch {} },
    look(i) { quoin.load('bytes', 'k' + i) },
    fill(n, data) { quoin.store('bytes', 'k' + n, data) },
  } }`
  return {
    name: 'load 64 KiB that nobody pays for',
    cold: true,
    prepare: async (chain) => {
      const to = await deploy(chain, source, abi)
      const fills = Array.from({ length: keys }, (_, n) => {
        const data = `0x${randomBytes(64 * KIB).toString('hex')}`
        return { from: accountOf(n), to, data: bytesOf('fill', [BigInt(n), data], abi), gas: 6_000_000 }
      })
      await chain.sendAll(fills)
      return (n) => ({ to, data: runData(n) })
    },
  }
}

/** @type {readonly Kind[]} */
const events = [
  untilLow('emit four topics', 'if (i < 1000) quoin.emit("Four", a, BigInt(i), c, 1n)', {
    prepare: 'const a = quoin.sender, c = new Uint8Array(32).fill(7)',
  }),
  script('1,000 logs without topics', contract('for (let i = 0; i < 1000; i++) quoin.emit("Plain")')),
  untilLow('emit 64 KiB', 'quoin.emit("Data", bytes)', {
    prepare: 'const bytes = new Uint8Array(65536).fill(1)',
    reserve: 1_500_000,
    turns: 1,
  }),
  untilLow('emit hashed topics', 'if (i < 1000) quoin.emit("Hashed", "text" + i, c, [1n, 2n])', {
    prepare: 'const c = new Uint8Array(32).fill(7)',
  }),
  untilOut('revert, caught', 'try { quoin.revert("Broken", 1n, 2n) } catch {}'),
  untilOut('refusal of a host function, caught', 'try { quoin.has(1n) } catch {}'),
  manyNames('revert with an unknown name, 125 errors', 'try { quoin.revert("zz", 1n) } catch {}'),
  manyNames('event of an unknown name, 250 events', 'try { quoin.emit("zz", 1n) } catch {}'),
  manyNames('event of an unknown signature, 125 of the name', 'try { quoin.emit("Over(") } catch {}'),
]

/** A contract with the maximum number of events and errors in its ABI. Its program is read from the database. */
function manyNames(name, body) {
  const lines = Array.from({ length: 125 }, (_, i) => [
    `event E${i}(uint256 a)`,
    `error R${i}(uint256 a)`,
    `event Over(uint${8 * (1 + (i % 32))} a, uint${8 * (1 + (i >> 5))} b)`,
  ]).flat()
  return {
    name,
    cold: true,
    prepare: async (chain) => {
      const source = contract(`for (;;) { ${body} }`)
      const to = await deploy(chain, source, [...RUN, ...parseAbi(lines)])
      return (n) => ({ to, data: runData(n) })
    },
  }
}

/** @type {readonly Kind[]} */
const calls = [
  caller('call of an empty function', 'quoin.call(to, "run(uint256)", [1n])'),
  caller('staticCall of a fallback', 'quoin.staticCallRaw(to, data)', { prepare: 'const data = new Uint8Array(1)' }),
  caller('call with new signatures', 'quoin.call(to, "f" + i + "(uint256)", [1n])'),
  caller('callRaw that fails at once', 'try { quoin.callRaw(to, data) } catch {}', {
    prepare: 'const data = new Uint8Array(4)',
    callee: 'export default { functions: { run() {} } }',
    calleeAbi: RUN,
  }),
  caller('callRaw that throws', 'try { quoin.callRaw(to, data) } catch {}', {
    prepare: 'const data = new Uint8Array(4)',
    callee: 'export default { functions: { run() {} }, fallback() { throw 1 } }',
  }),
  caller('callRaw of a large answer', 'quoin.callRaw(to, data)', {
    prepare: 'const data = new Uint8Array(4)',
    callee: 'const b = new Uint8Array(131072); export default { functions: { run() {} }, fallback() { return b } }',
  }),
  caller('callRaw with 64 KiB', 'quoin.callRaw(to, data)', { prepare: 'const data = new Uint8Array(65536)' }),
  caller('call that grows 16 MiB', 'try { quoin.callRaw(to, data, { gas: 9000000n }) } catch {}', {
    prepare: 'const data = new Uint8Array(4)',
    callee:
      'export default { functions: { run() {} }, fallback() { const all = []; for (let i = 0; i < 15; i++) all.push(new Uint8Array(1000000)); throw 1 } }',
  }),
  caller('call that stores and fails', 'try { quoin.callRaw(to, data) } catch {}', {
    prepare: 'const data = new Uint8Array(4)',
    callee:
      'export default { functions: { run() {} }, fallback() { for (let i = 0; i < 100; i++) quoin.store("uint256", "k" + i, 1n); throw 1 } }',
  }),
  caller('call of the native contract: describe', 'quoin.callRaw(native, data)', {
    prepare: `const native = "${CODE_REGISTRY_ADDRESS}"; const data = quoin.concatBytes([quoin.keccak256(quoin.encodeUtf8("describe(address)")).slice(0, 4), quoin.abiEncode("address", [to])])`,
  }),
  caller('call of the native contract: codeVersion of 200 KiB', 'quoin.callRaw(native, data)', {
    callee: `export default { functions: { run() {} }, fallback() {} } ${padding(200 * KIB)}`,
    prepare: `const native = "${CODE_REGISTRY_ADDRESS}"; const data = quoin.concatBytes([quoin.keccak256(quoin.encodeUtf8("codeVersion(address,uint256)")).slice(0, 4), quoin.abiEncode("address,uint256", [to, 1n])])`,
  }),
  caller('codeAt of 200 KiB', 'quoin.codeAt(to)', {
    callee: `export default { functions: { run() {} }, fallback() {} } ${padding(200 * KIB)}`,
  }),
  deepCalls(),
  untilOut('transfer to one account', `quoin.transfer(${OTHER}, 1n)`, { value: 10n ** 9n }),
  untilLow('transfer to new accounts', `quoin.transfer(${FRESH}, 1n)`, { value: 10n ** 9n }),
  untilOut('transfer of nothing to new accounts', `quoin.transfer(${FRESH}, 0n)`),
  untilOut('balanceOf new accounts', `quoin.balanceOf(${FRESH})`),
  untilOut('balanceOf one account', `quoin.balanceOf(${OTHER})`),
  untilOut('callRaw to nobody, new accounts', `quoin.callRaw(${FRESH}, e)`, { prepare: 'const e = new Uint8Array(0)' }),
  untilOut('callRaw to nobody, one account', `quoin.callRaw(${OTHER}, e)`, { prepare: 'const e = new Uint8Array(0)' }),
  imagesInTurn(),
  contractsOfOneCode(),
]

/** Calls of contracts with images of 900 KiB, one after the other, so that they do not fit into the processor's caches together. */
function imagesInTurn() {
  const source = (n) =>
    `const a = []; for (let i = 0; i < 10; i++) a.push(new Uint8Array(83000).fill(i * ${n} + 1)); export default { functions: { run() {} }, fallback() {} }`
  return {
    name: 'calls of 40 images of 900 KiB in turn',
    prepare: async (chain) => {
      const targets = await chain.deployAll(Array.from({ length: 40 }, (_, n) => creationOf(source(n), TRIVIAL_ABI)))
      const to = await deploy(
        chain,
        contract(
          `const all = ${JSON.stringify(targets)}, data = new Uint8Array(4); for (let i = 0; ; i++) quoin.staticCallRaw(all[i % 40], data)`,
        ),
      )
      return (n) => ({ to, data: runData(n) })
    },
  }
}

/** First calls in a transaction of many contracts with the same code: reads an account and a record for each. */
function contractsOfOneCode() {
  return {
    name: 'calls of 400 contracts of one code',
    prepare: async (chain) => {
      const targets = await chain.deployAll(Array.from({ length: 400 }, () => creationOf(TRIVIAL, TRIVIAL_ABI)))
      const to = await deploy(
        chain,
        contract(`const data = new Uint8Array(4); for (const to of ${JSON.stringify(targets)}) quoin.staticCallRaw(to, data)`),
      )
      return (n) => ({ to, data: runData(n) })
    },
  }
}

/** A contract that calls itself up to the maximum depth. */
function deepCalls() {
  const abi = [...RUN, ...parseAbi(['function deep(uint256 n) view'])]
  const source = `const f = (n) => { if (n > 0n) quoin.staticCall(quoin.self, 'deep(uint256)', [n - 1n]) }
    export default { functions: { run(n) { for (;;) f(15n) }, deep: f } }`
  return {
    name: 'static calls 16 deep',
    prepare: async (chain) => {
      const to = await deploy(chain, source, abi)
      return (n) => ({ to, data: runData(n) })
    },
  }
}

/** @type {readonly Kind[]} */
const library = [
  untilOut('keccak256 of nothing', 'quoin.keccak256(b)', { prepare: 'const b = new Uint8Array(0)' }),
  untilOut('keccak256 of 32 bytes', 'quoin.keccak256(b)', { prepare: 'const b = new Uint8Array(32)' }),
  untilOut('sha256 of 64 KiB', 'quoin.sha256(b)', { prepare: 'const b = new Uint8Array(65536)' }),
  untilOut('recoverSigner', 'try { quoin.recoverSigner(d, s) } catch {}', {
    prepare: 'const d = new Uint8Array(32).fill(3), s = new Uint8Array(65).fill(5); s[64] = 27',
  }),
  untilOut('abiEncode strings', 'quoin.abiEncode("string[]", [list])', { prepare: 'const list = Array(500).fill("")' }),
  untilOut('abiEncode, refused', 'try { quoin.abiEncode("uint8", [256n]) } catch {}'),
  untilOut('abiDecode addresses', 'quoin.abiDecode("address[]", b)', {
    prepare:
      'const b = quoin.abiEncode("address[]", [Array.from({ length: 500 }, (_, i) => "0x" + (i + 1).toString(16).padStart(4, "0").repeat(10))])',
  }),
  untilOut('abiDecode of tuples 16 deep', `quoin.abiDecode("${DEEP_TUPLE}[]", b)`, {
    prepare: 'const b = quoin.abiEncode("uint8[]", [Array(2000).fill(1n)])',
  }),
  untilOut('abiDecode of arrays 15 deep', `quoin.abiDecode("uint8${'[]'.repeat(15)}", b)`, {
    prepare: `let v = 1n; for (let k = 0; k < 15; k++) v = [v]; const b = quoin.abiEncode("uint8${'[]'.repeat(15)}", [v])`,
  }),
  untilOut('abiEncode of tuples 16 deep', `quoin.abiEncode("${DEEP_TUPLE}[]", [list])`, {
    prepare: 'let v = 1n; for (let k = 0; k < 14; k++) v = [v]; const list = Array(500).fill(v)',
  }),
  untilOut('typedDataDigest', 'quoin.typedDataDigest("Mail(string a,uint256 b)", { name: "x" }, { a: "text", b: 1n })'),
  untilOut('block and sender', 'quoin.block; quoin.sender; quoin.value'),
]

/** Inner calls that allocate 15 MiB at once with little gas: the built-in function allocates before it reads. */
function unpaidGrowth(gas) {
  const source = `export default { functions: { run() {}, grow() { Array.prototype.toReversed.call({ length: 1900000, get 1899999() { for (;;); } }) } } }`
  return caller(`call that grows 15 MiB on ${gas} gas`, `try { quoin.call(to, 'grow()', [], { gas: ${gas}n }) } catch {}`, {
    callee: source,
    calleeAbi: [...RUN, ...parseAbi(['function grow()'])],
  })
}

/** @type {readonly Kind[]} */
const memory = [
  untilOut('endless loop', 'i'),
  script(
    'memory to 16 MiB in every transaction',
    contract('const all = []; try { for (;;) all.push(new Uint8Array(60000)) } catch {}'),
  ),
  script(
    'memory to 16 MiB by strings',
    contract('const all = []; try { for (let i = 0; ; i++) all.push("x".repeat(60000) + i) } catch {}'),
  ),
  unpaidGrowth(60_000),
  unpaidGrowth(600_000),
  untilOut('recursion to the end of the stack', 'try { f() } catch {}', { before: 'const f = () => f() + 1' }),
  script('throw of a megabyte of text', contract('throw new Error("x".repeat(1000000))')),
]

/** @type {readonly Kind[]} */
const plain = [
  { name: 'transfer to one account', prepare: async () => () => ({ to: accountOf(3999), value: 1n }) },
  {
    name: 'transfer to new accounts',
    prepare: async () => (n) => ({ to: `0x${(2n ** 158n + BigInt(n)).toString(16).padStart(40, '0')}`, value: 1n }),
  },
  {
    name: '250 KiB of zeros to an account',
    prepare: async () => () => ({ to: accountOf(3999), data: new Uint8Array(250 * KIB) }),
  },
  {
    name: 'access list of 4,096 keys',
    prepare: async () => (n) => ({
      to: accountOf(3999),
      accessList: [[hexToBytes(accountOf(n % 1000)), Array(4096).fill(new Uint8Array(32).fill(n))]],
    }),
  },
  {
    name: 'no function for the selector',
    prepare: async (chain) => {
      const to = await deploy(chain, 'export default { functions: { run() {} } }')
      return (n) => ({ to, data: Uint8Array.of(1, 2, 3, n & 255) })
    },
  },
  {
    name: 'call of an empty function',
    prepare: async (chain) => {
      const to = await deploy(chain, 'export default { functions: { run() {} } }')
      return (n) => ({ to, data: runData(n) })
    },
  },
  {
    name: 'throw at once',
    prepare: async (chain) => {
      const to = await deploy(chain, 'export default { functions: { run() { throw new Error("no") } } }')
      return (n) => ({ to, data: runData(n) })
    },
  },
  {
    name: 'calldata of address[]',
    prepare: async (chain) => {
      const abi = parseAbi(['function take(address[] list)'])
      const to = await deploy(chain, 'export default { functions: { take(list) {} } }', abi)
      const list = Array.from({ length: 1_650 }, (_, i) => `0x${(i + 1).toString(16).padStart(40, '0')}`)
      return (n) => ({ to, data: bytesOf('take', [[...list, accountOf(n % 4000)]], abi) })
    },
  },
  {
    name: 'calldata of uint256[]',
    prepare: async (chain) => {
      const abi = parseAbi(['function take(uint256[] list)'])
      const to = await deploy(chain, 'export default { functions: { take(list) {} } }', abi)
      return (n) => ({ to, data: bytesOf('take', [Array(7_500).fill(BigInt(n))], abi) })
    },
  },
  {
    name: 'calldata of tuples 16 deep',
    prepare: async (chain) => {
      const deep = (levels) =>
        levels === 0 ? [{ name: '', type: 'uint8' }] : [{ name: '', type: 'tuple', components: deep(levels - 1) }]
      const inputs = [{ name: 'list', type: 'tuple[]', components: deep(13) }]
      const abi = [{ type: 'function', name: 'take', inputs, outputs: [], stateMutability: 'nonpayable' }]
      const to = await deploy(chain, 'export default { functions: { take(list) {} } }', abi)
      let value = 1n
      for (let i = 0; i < 14; i++) value = [value]
      return (n) => ({ to, data: bytesOf('take', [Array(1_000 + (n % 2)).fill(value)], abi) })
    },
  },
  {
    name: 'calldata of string[]',
    prepare: async (chain) => {
      const abi = parseAbi(['function take(string[] list)'])
      const to = await deploy(chain, 'export default { functions: { take(list) {} } }', abi)
      const data = bytesOf('take', [Array(3_000).fill('')], abi)
      return () => ({ to, data })
    },
  },
  {
    name: 'calldata of bytes, 240 KiB',
    prepare: async (chain) => {
      const abi = parseAbi(['function take(bytes data)'])
      const to = await deploy(chain, 'export default { functions: { take(data) {} } }', abi)
      const data = bytesOf('take', [`0x${'00'.repeat(240 * KIB)}`], abi)
      return () => ({ to, data })
    },
  },
  {
    name: 'return of uint256[]',
    prepare: async (chain) => {
      const abi = parseAbi(['function run(uint256 n) payable returns (uint256[])'])
      const to = await deploy(
        chain,
        'const list = Array(8000).fill(2n ** 255n); export default { functions: { run() { return list } } }',
        abi,
      )
      return (n) => ({ to, data: runData(n) })
    },
  },
  {
    name: 'return of address[]',
    prepare: async (chain) => {
      const abi = parseAbi(['function run(uint256 n) payable returns (address[])'])
      const to = await deploy(
        chain,
        `const list = Array(2000).fill(${OTHER}); export default { functions: { run() { return list } } }`,
        abi,
      )
      return (n) => ({ to, data: runData(n) })
    },
  },
]

/** @type {Readonly<Record<string, readonly Kind[]>>} */
export const ABUSE_KINDS = {
  transactions: plain,
  storage,
  events,
  calls,
  library,
  memory,
  creation,
  loading,
  upgrades,
  aggregates,
}
