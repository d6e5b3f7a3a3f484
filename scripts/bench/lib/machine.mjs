import {
  createContractInterpreter,
  createContracts,
  gasUsedOf,
  Machine,
  ticksOf,
} from '../../../packages/execution/dist/contract/index.js'
import { executionVersion } from '../../../packages/execution/dist/index.js'
import { Journal } from '../../../packages/execution/dist/state/journal.js'
import { imageBytes } from '../../../packages/execution/dist/vm/index.js'
import { loadInterpreterBinary, nodeWasm } from '../../../packages/platform/dist/wasm.js'
import { Address, ChainId, Height, TimeMs } from '../../../packages/protocol/dist/index.js'

const GAS = ticksOf(50_000_000)

const textOf = (key) => String.fromCharCode.apply(null, key)

/** In-memory replacement of the database for a journal. */
class MemoryKv {
  #values = new Map()

  get(key) {
    return this.#values.get(textOf(key))
  }

  write(changes) {
    for (const { flatKey, after } of changes) {
      if (after === undefined) this.#values.delete(textOf(flatKey))
      else this.#values.set(textOf(flatKey), after)
    }
  }
}

/**
 * The contract machine with one deployed contract; runs blocks of its calls.
 *
 * @param {import('@quoin/protocol').Crypto} crypto
 * @param {(deployer: string) => Uint8Array} creationOf container and constructor arguments
 * @param {import('@quoin/execution/vm').WasmPower} [wasm]
 */
export async function deployOnMachine(crypto, creationOf, wasm = nodeWasm) {
  const kv = new MemoryKv()
  const interpreter = createContractInterpreter(wasm, await loadInterpreterBinary())
  const contracts = createContracts({
    crypto,
    chainId: ChainId(31_337),
    interpreter,
    reader: kv,
    executionVersion: executionVersion(crypto),
  })
  const deployer = Address(new Uint8Array(20).fill(0xde))
  let number = 0

  /** Runs messages in one block. Returns the last one's outcome, the write set and the logs. */
  function run(messages) {
    number++
    const context = {
      number: Height(number),
      timeMs: TimeMs(number * 500),
      proposer: deployer,
      gasLimit: 60_000_000,
      baseFee: 0n,
    }
    const journal = new Journal(kv)
    const machine = new Machine(contracts, journal, context)
    const start = journal.checkpoint()
    let last
    for (const message of messages) {
      last = machine.run({ value: 0n, gas: GAS, ...message })
      if (!last.ok) throw new Error(`the message failed: ${last.reason}`)
    }
    return { last, changes: journal.changes(), logs: journal.logsSince(start) }
  }

  const { last, changes } = run([{ from: deployer, to: undefined, data: creationOf(deployer) }])
  kv.write(changes)
  const to = last.contractAddress
  const { codeHash } = new Journal(kv).account(to)
  const { image } = contracts.programs.get(codeHash, () => new Journal(kv).code(codeHash))
  return {
    deployer,
    deployment: { gas: gasUsedOf(last.gasUsed), imageBytes: imageBytes(image) },
    /** Runs calls of the contract in one block, without keeping its writes. */
    run: (calls) => run(calls.map(({ from, data }) => ({ from, to, data }))),
    write: (written) => kv.write(written),
  }
}
