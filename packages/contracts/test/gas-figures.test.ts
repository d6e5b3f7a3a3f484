import { fileURLToPath } from 'node:url'
import { executionVersion, runMessage } from '@quoin/execution'
import { CODE_REGISTRY_ABI, CODE_REGISTRY_ADDRESS, createContracts, Journal, Machine } from '@quoin/execution/contract'
import { loadContractInterpreter } from '@quoin/platform'
import {
  Address,
  type ChainId,
  DEFAULT_PARAMETERS,
  decodeContainer,
  encodeContainer,
  type Height,
  hexToBytes,
  nobleCrypto,
  type TimeMs,
  unwrap,
} from '@quoin/protocol'
import {
  type Abi,
  bytesToHex,
  concat,
  encodeAbiParameters,
  encodeDeployData,
  encodeFunctionData,
  getContractAddress,
  keccak256,
  parseAbiParameters,
} from 'viem'
import { beforeAll, describe, expect, it } from 'vitest'
import { type BuiltContract, build, formatDiagnostics } from '../src/build/index.ts'
import { Project } from './build/project.ts'

/** The gas figures that docs/gas.md promises to authors (*What things cost*). */

const REPOSITORY = fileURLToPath(new URL('../../../', import.meta.url))
const [ALICE, BOB, CAROL] = ['a1', 'b2', 'c3'].map((byte) => Address(`0x${byte.repeat(20)}`)) as [Address, Address, Address]
const { transactionGasMax } = DEFAULT_PARAMETERS

const ASKER = `import { contract, remote } from '@quoin/contracts'
const other = remote(['function supportsInterface(bytes4 id) view returns (bool)'])
export default contract({
  abi: ['function ask(address at, bytes4 id) view returns (bool)'],
  functions: {
    ask: (_context, at, id) => {
      other.supportsInterface(at, id)
      return other.supportsInterface({ to: at, gas: 30000n }, id)
    },
  },
})`

const FACTORY = `import { abiEncode, clone, clone2, contract, set } from '@quoin/contracts'
const encoded = (name, symbol, holder, supply) => abiEncode('string,string,address,uint256', [name, symbol, holder, supply])
export default contract({
  abi: [
    'function make(bytes32 codeHash, string name, string symbol, uint256 supply) returns (address)',
    'function make2(bytes32 codeHash, bytes32 salt, string name, string symbol, uint256 supply) returns (address)',
    'function count() view returns (uint256)',
  ],
  state: { tokens: set('address') },
  functions: {
    make: ({ sender }, codeHash, name, symbol, supply) => clone(codeHash, encoded(name, symbol, sender, supply)),
    make2({ state, sender }, codeHash, salt, name, symbol, supply) {
      const token = clone2(codeHash, salt, encoded(name, symbol, sender, supply))
      state.tokens.add(token)
      return token
    },
    count: ({ state }) => state.tokens.size,
  },
})`

async function contractsOf(project: string, ...entries: readonly string[]): Promise<readonly BuiltContract[]> {
  const result = await build({ project, entries, typeCheck: false, conditions: ['@quoin/source'] })
  if (!result.ok) throw new Error(formatDiagnostics(result.error))
  return result.value
}

/** Runs transactions in one block until `beginBlock`. */
class Chain {
  readonly #contracts
  readonly #journal = new Journal()
  #machine: Machine

  constructor(interpreter: Awaited<ReturnType<typeof loadContractInterpreter>>) {
    this.#contracts = createContracts({
      crypto: nobleCrypto,
      chainId: 1 as ChainId,
      interpreter,
      reader: { get: () => undefined },
      executionVersion: executionVersion(nobleCrypto),
    })
    this.#machine = this.#block()
  }

  #block(): Machine {
    const block = { number: 1 as Height, timeMs: 1_000 as TimeMs, proposer: CAROL, gasLimit: 72_000_000, baseFee: 0n }
    return new Machine(this.#contracts, this.#journal, block)
  }

  beginBlock(): void {
    this.#machine = this.#block()
  }

  send(to: Address | undefined, data: `0x${string}`, from = ALICE) {
    const message = { from, to, value: 0n, data: hexToBytes(data), accessList: [], gasLimit: transactionGasMax }
    const { outcome, gasUsed } = runMessage(this.#machine, message)
    if (!outcome.ok) throw new Error(`${outcome.reason}, ${gasUsed} gas`)
    return { gasUsed, data: bytesToHex(outcome.data), address: outcome.contractAddress! }
  }

  deploy({ abi, bytecode }: BuiltContract, args: readonly unknown[]) {
    return this.send(undefined, encodeDeployData({ abi: abi as Abi, bytecode, args } as never))
  }

  call(to: Address, { abi }: BuiltContract, functionName: string, args: readonly unknown[], from = ALICE) {
    return this.send(to, encodeFunctionData({ abi, functionName, args } as never), from)
  }
}

let interpreter: Awaited<ReturnType<typeof loadContractInterpreter>>
beforeAll(async () => {
  interpreter = await loadContractInterpreter()
})

describe('a token of the kit', () => {
  let chain: Chain
  let token: BuiltContract
  let deployment: ReturnType<Chain['deploy']>
  beforeAll(async () => {
    ;[token] = (await contractsOf(REPOSITORY, 'packages/contracts/test/fixtures/token.ts')) as [BuiltContract]
    chain = new Chain(interpreter)
    deployment = chain.deploy(token, ['Token', 'TOK', ALICE, 10n ** 24n])
  })

  it('is deployed for at most 2,500,000 gas', () => {
    expect(deployment.gasUsed).toBeLessThanOrEqual(2_500_000)
  })

  it('is transferred for at most 75,000 gas, to a holder and to a new one', () => {
    const transfer = (to: Address) => chain.call(deployment.address, token, 'transfer', [to, 10n ** 18n]).gasUsed
    expect(transfer(BOB)).toBeLessThanOrEqual(75_000)
    expect(transfer(BOB)).toBeLessThanOrEqual(75_000)
    chain.beginBlock()
    const first = transfer(BOB)
    const second = transfer(BOB)
    expect(second).toBeLessThanOrEqual(75_000)
    // The first use of the code in a block costs more.
    expect(first - second).toBeGreaterThan(10_000)
    expect(first - second).toBeLessThanOrEqual(50_000)
  })
})

it('supportsInterface answers on the 30,000 gas that ERC-165 gives it, once the code is warm', async () => {
  const project = new Project({ 'contracts/asker.ts': ASKER })
  try {
    const [nft] = (await contractsOf(REPOSITORY, 'test/standards/contracts/nft.ts')) as [BuiltContract]
    const [asker] = (await contractsOf(project.root, 'contracts/asker.ts')) as [BuiltContract]
    const chain = new Chain(interpreter)
    const inputs = (nft.abi as Abi).find(({ type }) => type === 'constructor') as { inputs?: readonly unknown[] } | undefined
    const { address } = chain.deploy(
      nft,
      (inputs?.inputs ?? []).map((_, i) => `text ${i}`),
    )
    const at = chain.deploy(asker, []).address
    chain.beginBlock()
    const answer = (id: string) => BigInt(chain.call(at, asker, 'ask', [address, id]).data)
    expect([answer('0x80ac58cd'), answer('0xffffffff')]).toEqual([1n, 0n])
  } finally {
    project.remove()
  }
})

it('a factory makes a second token for at most 200,000 gas, constructor included', async () => {
  const project = new Project({ 'contracts/factory.ts': FACTORY })
  try {
    const [token] = (await contractsOf(REPOSITORY, 'packages/contracts/test/fixtures/token.ts')) as [BuiltContract]
    const [preset] = (await contractsOf(REPOSITORY, 'packages/contracts/src/standards/presets/token.ts')) as [BuiltContract]
    const [factory] = (await contractsOf(project.root, 'contracts/factory.ts')) as [BuiltContract]
    const chain = new Chain(interpreter)
    const at = chain.deploy(factory, []).address
    for (const [contract, args, most] of [
      [token, ['Token', 'TOK', ALICE, 10n ** 24n], 200_000],
      [preset, PRESETS['token']!, 240_000],
    ] as const) {
      const first = chain.deploy(contract, args)
      const hash = keccak256(contract.code)
      chain.beginBlock()
      const second = chain.call(at, factory, 'make', [hash, 'Second', 'SEC', 5n])
      const next = chain.call(at, factory, 'make', [hash, 'Second', 'SEC', 5n])
      expect(next.gasUsed).toBeLessThanOrEqual(most)
      // The first in a block loads both codes.
      expect(second.gasUsed - next.gasUsed).toBeLessThanOrEqual(100_000)
      const made = Address(`0x${second.data.slice(-40)}`)
      expect(BigInt(chain.call(made, contract, 'balanceOf', [ALICE]).data)).toBe(5n)
      // With its container as data it costs that, too.
      const again = chain.deploy(contract, args).gasUsed
      expect(again).toBeGreaterThan(second.gasUsed)
      expect(again).toBeLessThan(first.gasUsed / 2)
      const salted = chain.call(at, factory, 'make2', [hash, hash, 'Third', 'THI', 5n])
      const rest = encodeAbiParameters(parseAbiParameters('string, string, address, uint256'), ['Third', 'THI', ALICE, 5n])
      const bytecodeHash = keccak256(concat(['0x00', hash, rest]))
      const address = getContractAddress({ opcode: 'CREATE2', from: at, salt: hash, bytecodeHash })
      expect(`0x${salted.data.slice(-40)}`).toBe(address.toLowerCase())
    }
    expect(BigInt(chain.call(at, factory, 'count', []).data)).toBe(2n)
  } finally {
    project.remove()
  }
})

const PRESETS: Readonly<Record<string, readonly unknown[]>> = {
  token: ['Name', 'NAM', ALICE, 1n],
  multisig: [[ALICE, BOB], 1n],
  timelock: [60n, [ALICE], [BOB], CAROL],
  governance: [5_000, 6_000, 9_000, 60n, 60n, 60n],
}

it.each(Object.keys(PRESETS))(
  'the preset %s is deployed and upgraded for an eighth of what a transaction may use',
  async (name) => {
    const [preset] = (await contractsOf(REPOSITORY, `packages/contracts/src/standards/presets/${name}.ts`)) as [BuiltContract]
    const { container } = unwrap(decodeContainer(preset.code))
    const renewable = (source: string) => {
      const bytes = encodeContainer({ ...container, source, upgradeAuthority: { kind: 'deployer' } })
      return bytesToHex(bytes)
    }
    const chain = new Chain(interpreter)
    const { address, gasUsed } = chain.deploy({ ...preset, bytecode: renewable(container.source) }, PRESETS[name]!)
    const args = [address, renewable(`${container.source}\n`), '0x'] as const
    const upgrade = encodeFunctionData({ abi: CODE_REGISTRY_ABI, functionName: 'upgrade', args } as never)
    for (const gas of [gasUsed, chain.send(CODE_REGISTRY_ADDRESS, upgrade).gasUsed])
      expect(gas).toBeLessThan(transactionGasMax / 8)
  },
)
