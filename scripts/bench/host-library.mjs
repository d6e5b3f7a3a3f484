/**
 * Cost of each function of the host library, compared with its price: µs per call, and µs per million gas. The latter must stay below the target for
 * which the prices in packages/execution/src/contract/library/library-gas.ts are made. The samples are the most expensive arguments that were found,
 * with two sizes if the price depends on the size: the slope between them is the cost of a unit. Uses dist: build first. Takes about 20 s.
 * Usage: node scripts/bench/host-library.mjs
 */
import { HOST_LIBRARY } from '../../packages/execution/dist/contract/index.js'
import { CANDIDATES, loadCrypto } from '../../packages/node/dist/crypto/load.js'
import { concatBytes, merkleProof, merkleRoot } from '../../packages/protocol/dist/index.js'

const ROUNDS = 5
const ROUND_MS = 40
/** µs per million gas. */
const TARGET = 333

// Prices are made for the slower of the two curve backends, which is available on every platform.
const crypto = await loadCrypto({ ...CANDIDATES, curve: CANDIDATES.curve.filter(({ backend }) => backend === 'ox-wasm') })
console.log(`${crypto.chosen.map(({ job, backend }) => `${job} ${backend}`).join(', ')}; Node ${process.version}\n`)

/** µs per call in the fastest round, which other programs disturbed least. */
function microseconds(call) {
  const found = []
  for (let round = 0; round <= ROUNDS; round++) {
    const start = performance.now()
    let calls = 0
    let elapsed = 0
    while (elapsed < ROUND_MS) {
      call()
      calls++
      elapsed = performance.now() - start
    }
    // The first round warms up.
    if (round > 0) found.push((1000 * elapsed) / calls)
  }
  return Math.min(...found)
}

const bytes = (length, fill = 7) => new Uint8Array(length).fill(fill)
const times = (count, value) => Array.from({ length: count }, () => value)
const KiB = 1024

const secretKey = bytes(32, 5)
const digest = bytes(32, 9)
const { signature, yParity } = crypto.sign(digest, secretKey)
const r = signature.slice(0, 32)
const s = signature.slice(32)
const address = '0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045'
const large = 2n ** 256n - 3n

const leaves = times(1 << 12, digest)
const root = merkleRoot(crypto, leaves)
const ordered = merkleProof(crypto, leaves, 1234)

const nestedTypes = (depth, members) => {
  const struct = `(${times(members, 'uint256').join(',')}`
  return `${struct},`.repeat(depth) + 'bool' + ')'.repeat(depth)
}
/** Structs that each refer to all following structs. */
const chain = (structs, members) =>
  Array.from({ length: structs }, (_, i) => {
    const next = i + 1 < structs ? `,S${String.fromCharCode(98 + i)} n` : ''
    return `S${String.fromCharCode(97 + i)}(${times(members, 0)
      .map((_, j) => `uint256 a${j}`)
      .join(',')}${next})`
  }).join('')
const chainValue = (structs, members) => {
  const own = Object.fromEntries(times(members, 0).map((_, j) => [`a${j}`, large]))
  return structs === 1 ? own : { ...own, n: chainValue(structs - 1, members) }
}
const domain = { name: 'Token', version: '1', chainId: 1n, verifyingContract: address }

const encoded = (types, values) => HOST_LIBRARY.abiEncode.run(crypto, types, values).value

/**
 * Name of the function, unit of the size, sizes, and arguments for a size.
 *
 * @type {[string, string, number[], (n: number) => unknown[]][]}
 */
const samples = [
  ['keccak256', 'block', [1, 256], (n) => [bytes(136 * n - 1)]],
  ['sha256', 'block', [1, 512], (n) => [bytes(64 * n - 9)]],
  ['ecrecover', 'call', [1], () => [digest, 27n + BigInt(yParity), r, s]],
  ['recoverSigner', 'call', [1], () => [digest, concatBytes(signature, Uint8Array.of(27 + yParity))]],
  ['abiEncode', 'address', [1, 500], (n) => ['address[]', [times(n, address)]]],
  ['abiEncode', 'integer', [1, 4000], (n) => ['int256[]', [times(n, -large / 2n)]]],
  ['abiEncode', 'string', [1, 2000], (n) => ['string[]', [times(n, '')]]],
  ['abiEncode', 'struct', [1, 1000], (n) => ['(uint256,uint256)[]', [times(n, [1n, 2n])]]],
  ['abiEncode', 'byte', [32, 64 * KiB], (n) => ['bytes', [bytes(n)]]],
  ['abiEncode', 'character', [32, 32 * KiB], (n) => ['string', ['ä€'.repeat(n / 2)]]],
  ['abiEncode', 'type', [1, 60], (n) => [nestedTypes(15, n), []]],
  ['abiEncode', 'refusal', [1], () => ['uint8', [256n]]],
  ['abiEncode', 'refusal', [1], () => ['uint7', [256n]]],
  ['abiEncodePacked', 'address', [1, 500], (n) => ['address[]', [times(n, address)]]],
  ['abiEncodePacked', 'integer', [1, 4000], (n) => ['int256[]', [times(n, -large / 2n)]]],
  ['abiEncodePacked', 'byte', [32, 64 * KiB], (n) => ['bytes', [bytes(n)]]],
  ['abiDecode', 'address', [1, 500], (n) => ['address[]', encoded('address[]', [times(n, address)])]],
  ['abiDecode', 'integer', [1, 4000], (n) => ['uint256[]', encoded('uint256[]', [times(n, large)])]],
  ['abiDecode', 'bytes4', [1, 2000], (n) => ['bytes4[]', encoded('bytes4[]', [times(n, bytes(4))])]],
  ['abiDecode', 'string', [1, 2000], (n) => ['string[]', encoded('string[]', [times(n, 'ä')])]],
  ['abiDecode', 'struct', [1, 1000], (n) => ['(uint256,uint256)[]', encoded('(uint256,uint256)[]', [times(n, [1n, 2n])])]],
  ['abiDecode', 'byte', [32, 64 * KiB], (n) => ['bytes', encoded('bytes', [bytes(n)])]],
  ['abiDecode', 'character', [32, 64 * KiB], (n) => ['string', encoded('string', ['ä'.repeat(n / 2)])]],
  ['typedDataDigest', 'type', [1, 16], (n) => [chain(n, 20), domain, chainValue(n, 20)]],
  [
    'typedDataDigest',
    'type char',
    [1, 4000],
    (n) => [
      `S(${times(Math.ceil(n / 70), 0)
        .map((_, i) => `uint256${'[]'.repeat(15)} a${i}`)
        .join(',')})`,
      {},
      {},
    ],
  ],
  ['typedDataDigest', 'refusal', [1], () => ['S(', {}, {}]],
  ['recoverSigner', 'refusal', [1], () => [digest, bytes(65, 27)]],
  ['typedDataDigest', 'address', [1, 500], (n) => ['S(address[] a)', domain, { a: times(n, address) }]],
  ['typedDataDigest', 'string', [1, 1000], (n) => ['S(string[] a)', domain, { a: times(n, '') }]],
  ['typedDataDigest', 'struct', [1, 1000], (n) => ['S(T[] a)T(bool b)', domain, { a: times(n, { b: true }) }]],
  ['typedDataDigest', 'byte', [32, 64 * KiB], (n) => ['S(bytes a)', domain, { a: bytes(n) }]],
  ['typedDataDigest', 'character', [32, 32 * KiB], (n) => ['S(string a)', domain, { a: 'ä€'.repeat(n / 2) }]],
  ['verifySortedProof', 'node', [1, 64], (n) => [digest, digest, bytes(32 * n)]],
  ['verifyOrderedProof', 'node', [12], () => [root, digest, 1234n, 4096n, concatBytes(...ordered.siblings)]],
  ['formatAddress', 'call', [1], () => [bytes(20, 0xab)]],
  ['parseAddress', 'call', [1], () => [address]],
  ['compareBytes', 'byte', [1, 64 * KiB], (n) => [bytes(n), bytes(n)]],
  ['concatBytes', 'part', [1, 4000], (n) => [times(n, bytes(1))]],
  ['concatBytes', 'byte', [32, 64 * KiB], (n) => [[bytes(n)]]],
  ['encodeUtf8', 'character', [1, 32 * KiB], (n) => ['ä€'.repeat(n / 2 + 1)]],
  ['decodeUtf8', 'byte', [2, 64 * KiB], (n) => [bytes(n).map((_, i) => (i % 2 === 0 ? 0xc3 : 0xa4))]],
  ['encodeHex', 'byte', [1, 64 * KiB], (n) => [bytes(n)]],
  ['decodeHex', 'character', [2, 64 * KiB], (n) => [`0x${'a'.repeat(n)}`]],
]

const cell = (value, width) => value.toLocaleString('en-US', { maximumFractionDigits: 3 }).padStart(width)
const over = []
console.log(
  `${'function'.padEnd(20)}${'by'.padEnd(12)}${'size'.padStart(8)}${'µs'.padStart(12)}${'µs/unit'.padStart(10)}${'gas'.padStart(12)}${'µs/Mgas'.padStart(9)}`,
)
for (const [name, unit, sizes, argumentsOf] of samples) {
  const entry = HOST_LIBRARY[name]
  let before
  for (const size of sizes) {
    const values = argumentsOf(size)
    // Computing the price is part of the cost. A returned string is read, because copying it to the guest would read it too.
    const call = () => {
      entry.gas(...values)
      const result = entry.run(crypto, ...values)
      return typeof result.value === 'string' ? result.value.charCodeAt(0) : 0
    }
    const cost = microseconds(call)
    const gas = entry.gas(...values)
    const slope = before === undefined ? '' : cell((cost - before.cost) / (size - before.size), 10)
    const perMillion = (1e6 * cost) / gas
    console.log(
      `${name.padEnd(20)}${unit.padEnd(12)}${cell(size, 8)}${cell(cost, 12)}${slope.padStart(10)}${cell(gas, 12)}${cell(perMillion, 9)}`,
    )
    if (perMillion > TARGET) over.push(`${name} by ${unit}, ${size}: ${Math.round(perMillion)}`)
    before = { size, cost }
  }
}
console.log(
  over.length === 0 ? `\nAll below ${TARGET} µs per million gas.` : `\nAbove ${TARGET} µs per million gas:\n${over.join('\n')}`,
)
