import { readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { CODE_REGISTRY_ABI, CODE_REGISTRY_ADDRESS } from '@quoin/execution/contract'
import { bytesToHex, DEFAULT_PARAMETERS } from '@quoin/protocol'
import { type Abi, encodeFunctionData, parseAbi } from 'viem'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { containerOf, otherCodeOf } from '../../../test/contracts/contract.mjs'
import { type BuildOptions, type BuiltContract, formatDiagnostics } from '../src/build/index.ts'
import { createChain } from '../src/testing/index.ts'
import '../src/testing/matchers.ts'
import { complaints, Project } from './build/project.ts'

/** Contracts that authors wrote and that once failed without a clear reason, each with the outcome that it must have. */

const FOLDER = new URL('./authors/', import.meta.url)
const names = readdirSync(FOLDER).map((file) => file.replace(/\.txt$/, ''))
const sourceOf = (name: string): string => readFileSync(new URL(`${name}.txt`, FOLDER), 'utf8')
const lineOf = (name: string, text: string): number =>
  sourceOf(name)
    .split('\n')
    .findIndex((line) => line.includes(text)) + 1

let project: Project
beforeAll(() => {
  project = new Project(Object.fromEntries(names.map((name) => [`contracts/${name}.ts`, sourceOf(name)])))
})
afterAll(() => project.remove())

const buildOne = (name: string, options: Partial<BuildOptions> = {}) => project.build([`contracts/${name}.ts`], options)

async function built(name: string, options?: Partial<BuildOptions>): Promise<BuiltContract> {
  const result = await buildOne(name, options)
  if (!result.ok) throw new Error(formatDiagnostics(result.error))
  return result.value[0]!
}

/** Time limit of tests that build several times or check types: tsc takes seconds, and longer on a busy machine. */
const CHECKED_MS = 120_000

/** Builds one contract in a project of its own, with the project's type check. */
async function checked(name: string, path = `contracts/${name}.ts`) {
  const alone = new Project({ 'contracts/empty.ts': 'export {}', [path]: sourceOf(name) })
  try {
    return await alone.build([path], { typeCheck: true })
  } finally {
    alone.remove()
  }
}

const refusal = async (name: string, options: Partial<BuildOptions>) => complaints(await buildOne(name, options)).join('\n')

describe('a ledger with tables, and one with an owner too', { timeout: CHECKED_MS }, () => {
  it.each(['ledger', 'undeployable-ledger'])(
    '%s is built, deployed, and upgraded for the gas that the build told',
    async (name) => {
      const contract = await built(name)
      const { transactionGasMax } = DEFAULT_PARAMETERS
      expect(contract.deploymentGas).toBeLessThan(transactionGasMax)
      expect(contract.upgradeGas).toBeLessThan(transactionGasMax)
      const chain = await createChain()
      const [admin] = chain.accounts
      // Another code, because an upgrade to a code that the chain knows costs less.
      const deployment = { ...contract, abi: contract.abi as Abi, bytecode: otherCodeOf(contract.bytecode) }
      const { address } = await chain.deploy(deployment, { args: [admin, admin], from: admin })
      const args = [address, contract.bytecode, '0x']
      const data = encodeFunctionData({ abi: CODE_REGISTRY_ABI as Abi, functionName: 'upgrade', args })
      const { gasUsed } = await chain.send({ to: CODE_REGISTRY_ADDRESS, data, from: admin })
      // The trial's contract has no stored layout to compare with.
      expect(Number(gasUsed) / contract.upgradeGas!).toBeCloseTo(1, 2)
      await chain.close()
    },
  )

  it('is refused if it can never be deployed, with the weight of each part', async () => {
    const { deploymentGas, weights, source } = await built('undeployable-ledger')
    const text = await refusal('undeployable-ledger', { transactionGasMax: deploymentGas - 1 })
    const grouped = deploymentGas.toLocaleString('en')
    expect(text).toContain(
      `contracts/undeployable-ledger.ts:${lineOf('undeployable-ledger', 'export default')}:1: the contract is too large: its deployment takes ${grouped} gas plus the constructor`,
    )
    for (const part of ['the module', 'the kit', '@quoin/contracts/ownable', 'contracts/undeployable-ledger.ts', 'the abi'])
      expect(text).toMatch(new RegExp(`^ +[\\d,]+ B +${part}$`, 'm'))
    const sum = weights.reduce((total, { bytes }) => total + bytes, 0)
    expect(sum).toBeGreaterThan(0.95 * source.length)
    expect(sum).toBeLessThanOrEqual(source.length)
  })

  it('is refused if it can be deployed and never be upgraded, unless it needs no upgrades', async () => {
    const { deploymentGas, upgradeGas } = await built('ledger')
    expect(upgradeGas).toBeGreaterThan(deploymentGas)
    const text = await refusal('ledger', { transactionGasMax: deploymentGas })
    expect(text).toContain(`the contract is too large: an upgrade to it takes ${upgradeGas!.toLocaleString('en')} gas`)
    project.write({ 'contracts/fixed.ts': sourceOf('ledger').replace("upgradeAuthority: 'deployer',", '') })
    const fixed = await built('fixed')
    expect(fixed.upgradeGas).toBeUndefined()
    expect((await buildOne('fixed', { transactionGasMax: fixed.deploymentGas })).ok).toBe(true)
  })

  it('is built if its migrate does not end without data: that is not counted', async () => {
    const withMigrate = (body: string) =>
      sourceOf('ledger').replace("upgradeAuthority: 'deployer',", `upgradeAuthority: 'deployer', migrate() { ${body} },`)
    project.write({ 'contracts/endless.ts': withMigrate('for (;;);'), 'contracts/quick.ts': withMigrate('') })
    const [endless, quick] = [await built('endless'), await built('quick')]
    expect(endless.upgradeGas! / quick.upgradeGas!).toBeCloseTo(1, 1)
    expect(endless.upgradeGas!).toBeLessThanOrEqual(quick.upgradeGas!)
  })

  it('that gets too little gas is told to be too large for it', async () => {
    const contract = await built('ledger')
    const chain = await createChain()
    const [admin] = chain.accounts
    const attempt = chain.deploy(contract, { args: [admin, admin], gas: 1_500_000n } as never)
    await expect(attempt).rejects.toThrow(
      /^deployment of ledger reverted: out of gas: contract too large for this gas limit: making its code takes more than the [\d]+ gas left for it; 1500000 of the gas limit of 1500000 were used$/,
    )
    await chain.close()
  })
})

describe('a call of another contract', { timeout: CHECKED_MS }, () => {
  it('may declare tuples inline, with and without names of their members', async () => {
    const result = await checked('remote-named-tuple')
    if (!result.ok) throw new Error(formatDiagnostics(result.error))
    const artifact = { ...result.value[0]!, abi: result.value[0]!.abi as Abi }
    const chain = await createChain()
    const a = await chain.deploy(artifact)
    const b = await chain.deploy(artifact)
    for (const via of ['viaNamed', 'viaUnnamed', 'viaStruct']) expect(await a.read[via]!([b.address])).toBe(7n)
    await a.write.viaInput!([b.address])
    await chain.close()
  })
})

describe('a reserved word of Solidity in a struct', { timeout: CHECKED_MS }, () => {
  it.each([
    ['struct-reserved', 'struct S'],
    ['reserved-word-ledger', 'struct Invoice'],
  ])('%s: is one error, in the line of the struct', async (name, line) => {
    const found = complaints(await checked(name))
    expect(found).toEqual([
      expect.stringMatching(new RegExp(`^contracts/${name}\\.ts:${lineOf(name, line)}:\\d+: cannot parse the abi line`)),
    ])
    expect(found[0]).toMatch(/"reference" is a protected Solidity keyword/)
  })
})

describe('a file that tsconfig.json leaves out', { timeout: CHECKED_MS }, () => {
  it.each(['skipped-typecheck', 'silent-any'])('%s: is not built as if its types had been checked', async (name) => {
    expect(complaints(await checked(name, `elsewhere/${name}.ts`))).toEqual([
      expect.stringMatching(new RegExp(`^elsewhere/${name}\\.ts: tsconfig\\.json does not include this file`)),
    ])
  })

  it('is not built either if tsconfig.json only names other projects', async () => {
    const alone = new Project({
      'contracts/skipped-typecheck.ts': sourceOf('skipped-typecheck'),
      'tsconfig.json': '{ "files": [], "references": [{ "path": "./app" }] }',
      'app/tsconfig.json': '{ "compilerOptions": { "composite": true }, "include": ["../contracts"] }',
    })
    try {
      expect(complaints(await alone.build(['contracts/skipped-typecheck.ts'], { typeCheck: true }))).toEqual([
        expect.stringMatching(/^contracts\/skipped-typecheck\.ts: tsconfig\.json does not include this file/),
      ])
    } finally {
      alone.remove()
    }
  })

  it('is not refused if it is named by another path than tsc lists, or the end of the list is missing', async () => {
    const path = 'contracts/ledger.ts'
    const alone = new Project({ [path]: sourceOf('ledger'), 'shared/other.ts': sourceOf('ledger') })
    const link = `${alone.root}-link`
    try {
      symlinkSync(alone.root, link, 'dir')
      symlinkSync('../shared', join(alone.root, 'contracts', 'linked'), 'dir')
      // By the link into the project, by a link within it, and by the real path of what is checked through that link.
      const named = {
        [join(link, path)]: path,
        'contracts/linked/other.ts': 'contracts/linked/other.ts',
        'shared/other.ts': 'shared/other.ts',
      }
      for (const [entry, file] of Object.entries(named)) {
        const result = await alone.build([entry], { typeCheck: true })
        expect(result.ok ? result.value[0]!.file : complaints(result)).toBe(file)
      }
      rmSync(join(alone.root, 'node_modules', 'typescript'))
      alone.write({
        'node_modules/typescript/package.json': '{ "name": "typescript", "bin": { "tsc": "./tsc.js" } }',
        'node_modules/typescript/tsc.js': "console.log('/somewhere/file.d.ts\\n'.repeat(300_000))",
      })
      expect((await alone.build([path], { typeCheck: true })).ok).toBe(true)
    } finally {
      rmSync(link, { force: true })
      alone.remove()
    }
  })

  it('is checked where the configuration includes it', async () => {
    expect(complaints(await checked('skipped-typecheck'))).toEqual([
      expect.stringMatching(
        /^contracts\/skipped-typecheck\.ts:5:\d+: Argument of type 'string' is not assignable to parameter of type 'bigint'/,
      ),
    ])
  })

  it('may be left out if an included file imports it', async () => {
    const alone = new Project({
      'elsewhere/ledger.ts': sourceOf('ledger'),
      'contracts/all.ts': "export * from '../elsewhere/ledger.ts'",
    })
    try {
      const result = await alone.build(['elsewhere/ledger.ts'], { typeCheck: true })
      expect(result.ok ? [] : complaints(result)).toEqual([])
    } finally {
      alone.remove()
    }
  })
})

describe('overloads that differ in the width of an integer', () => {
  it('are called by their signatures', async () => {
    const over = {
      name: 'over',
      abi: OVERLOADS,
      bytecode: bytesToHex(
        containerOf(
          `export default { functions: {
            'f(uint256)': () => 'uint256', 'f(uint8)': () => 'uint8', 'f(address)': () => 'address', 'f(bytes20)': () => 'bytes20',
            'g(uint256)'() { quoin.revert('Called', 256n) }, 'g(uint8)'() { quoin.revert('Called', 8n) },
          } }`,
          OVERLOADS,
        ),
      ),
    } as const
    const chain = await createChain()
    const contract = await chain.deploy(over)
    const [a] = chain.accounts
    const { read } = contract
    expect([await read['f(uint8)']([5]), await read['f(uint256)']([5n])]).toEqual(['uint8', 'uint256'])
    expect([await read['f(address)']([a]), await read['f(bytes20)']([a])]).toEqual(['address', 'bytes20'])
    for (const attempt of [contract.write['g(uint8)']([5]), contract.simulate['g(uint8)']([5])])
      await expect(attempt).rejects.toMatchObject({ errorName: 'Called', args: [8n] })
    expect(Object.keys(contract.write)).toEqual(['g', 'g(uint256)', 'g(uint8)'])
    await chain.close()
  })
})

const OVERLOADS = parseAbi([
  'function f(uint256 x) pure returns (string)',
  'function f(uint8 x) pure returns (string)',
  'function f(address x) pure returns (string)',
  'function f(bytes20 x) pure returns (string)',
  'function g(uint256 x)',
  'function g(uint8 x)',
  'error Called(uint256 width)',
])

describe('a loop that changes its collection', () => {
  it("empties a set by removing what it visits, follows what it adds, and ends with the list, as JavaScript's own", async () => {
    const contract = await built('setloop')
    const chain = await createChain()
    const { simulate } = await chain.deploy({ ...contract, abi: contract.abi as Abi })
    const left = async (name: string) => (await simulate[name]!([6n])).result
    expect(await left('run')).toEqual(await left('native'))
    expect(await left('run')).toEqual([])
    expect((await simulate.growing!()).result).toBe(5n)
    expect((await simulate.listPop!()).result).toBe(3n)
    await chain.close()
  })
})

const CHILD = parseAbi([
  'constructor(uint256 n)',
  'function refuse(uint256 n)',
  'error TooSmall(uint256 n, (address who, uint8[] list) more)',
])
const CHILD_SOURCE = `
  const refuse = (n) => quoin.revert('TooSmall', n, { who: quoin.self, list: [1n, 2n] })
  export default { constructor(n) { if (n < 5n) refuse(n) }, functions: { refuse } }`
const FACTORY = parseAbi(['function make(bytes code, uint256 n)', 'function refuse(uint256 n)'])
const FACTORY_SOURCE = `export default { functions: {
  make(code, n) { quoin.store('address', 'child', quoin.create(code, quoin.abiEncode('uint256', [n]))) },
  refuse(n) { quoin.call(quoin.load('address', 'child'), 'refuse(uint256)', [n]) },
} }`

describe('an error of a contract that a contract made', () => {
  it('is known by the ABI in its container, also if the creation fails', async () => {
    const factory = { name: 'factory', abi: FACTORY, bytecode: bytesToHex(containerOf(FACTORY_SOURCE, FACTORY)) } as const
    const code = bytesToHex(containerOf(CHILD_SOURCE, CHILD))
    const chain = await createChain()
    const contract = await chain.deploy(factory)
    await expect(contract.write.make([code, 4n])).toRevertWith('TooSmall', [4n, { list: [1, 2] }])
    await contract.write.make([code, 5n])
    await expect(contract.write.refuse([7n])).toRevertWith('TooSmall', [7n, { list: [1, 2] }])
    await expect(contract.simulate.refuse([8n])).toRevertWith('TooSmall', [8n, { list: [1, 2] }])
    await chain.close()
  })
})
