/** The contracts of this folder, for tests and benches. Plain JavaScript, because programs that run over dist read it too. */
import { readFileSync } from 'node:fs'
import { bytesToHex, decodeContainer, encodeContainer, hexToBytes, parseAbi, unwrap } from '@quoin/protocol'

const read = (/** @type {string} */ file) => readFileSync(new URL(file, import.meta.url), 'utf8')

/**
 * Container of a source text and an ABI in the format of solc or viem.
 *
 * @param {string} source
 * @param {unknown} json
 * @param {Partial<import('@quoin/protocol').ContractContainer>} [rest]
 * @returns {Uint8Array}
 */
export function containerOf(source, json, rest = {}) {
  const abi = parseAbi(json)
  if (!abi.ok) throw new Error(abi.error.message)
  return encodeContainer({
    upgradeAuthority: { kind: 'none' },
    reentrantSelectors: [],
    compiler: '',
    source,
    abi: abi.value,
    sourceMap: new Uint8Array(0),
    ...rest,
  })
}

/**
 * The same contract with another code hash: a chain that knows a code creates contracts with it, and upgrades to it, for less.
 *
 * @param {string} bytecode a container in hex
 * @returns {`0x${string}`}
 */
export function otherCodeOf(bytecode) {
  const { container } = unwrap(decodeContainer(hexToBytes(/** @type {`0x${string}`} */ (bytecode))))
  return bytesToHex(encodeContainer({ ...container, source: `${container.source}\n` }))
}

/**
 * The contract `<name>.js` with the ABI `<name>.abi.json`.
 *
 * @param {string} name
 * @param {Partial<import('@quoin/protocol').ContractContainer>} [rest]
 * @returns {{ source: string, abi: import('viem').Abi, container: Uint8Array, bytecode: `0x${string}` }} `bytecode` is the container as
 *   viem's deployContract wants it; the constructor's arguments follow it
 */
export function readContract(name, rest) {
  const source = read(`${name}.js`)
  const abi = JSON.parse(read(`${name}.abi.json`))
  const container = containerOf(source, abi, rest)
  return { source, abi, container, bytecode: bytesToHex(container) }
}
