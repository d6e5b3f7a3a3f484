import { readFileSync } from 'node:fs'
import solc from 'solc'

/**
 * Compiles a contract of this folder with solc, optimized for code that runs often.
 *
 * @param {string} name of the contract and its file
 * @param {string} evmVersion
 * @returns {{ bytecode: `0x${string}`, abi: object[], compiler: string }} `bytecode` is the creation code, without constructor arguments
 */
export function compileSolidity(name, evmVersion) {
  const read = (path) => readFileSync(new URL(path, import.meta.url), 'utf8')
  const file = `${name}.sol`
  const input = {
    language: 'Solidity',
    sources: { [file]: { content: read(file) } },
    settings: {
      evmVersion,
      optimizer: { enabled: true, runs: 1_000_000 },
      viaIR: true,
      outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object'] } },
    },
  }
  const { contracts, errors = [] } = JSON.parse(
    solc.compile(JSON.stringify(input), { import: (path) => ({ contents: read(path) }) }),
  )
  if (errors.length > 0) throw new Error(errors.map(({ formattedMessage }) => formattedMessage).join('\n'))
  const { abi, evm } = contracts[file][name]
  return { abi, bytecode: `0x${evm.bytecode.object}`, compiler: `solc ${solc.version()}` }
}
