import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { executionVersion } from '@quoin/execution'
import { createContracts, gasUsedOf, intrinsicGas, Journal, Machine, MESSAGE_LIMITS, ticksOf } from '@quoin/execution/contract'
import { loadContractInterpreter } from '@quoin/platform'
import {
  Address,
  type ChainId,
  decodeContainer,
  type Height,
  hexToBytes,
  nobleCrypto,
  type TimeMs,
  unwrap,
} from '@quoin/protocol'
import { bytesToHex, decodeErrorResult, decodeFunctionResult, encodeDeployData, encodeFunctionData } from 'viem'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildFiles, built, complaints, Project } from '../../test/build/project.ts'
import { ANSWER, TOKEN } from '../../test/build/sources.ts'
import type { BuiltContract } from './index.ts'

const USER = Address(`0x${'a1'.repeat(20)}`)
const OTHER = Address(`0x${'b2'.repeat(20)}`)

async function machine(): Promise<Machine> {
  const interpreter = await loadContractInterpreter()
  const contracts = createContracts({
    crypto: nobleCrypto,
    chainId: 1 as ChainId,
    interpreter,
    reader: { get: () => undefined },
    executionVersion: executionVersion(nobleCrypto),
  })
  const block = { number: 1 as Height, timeMs: 1_000 as TimeMs, proposer: USER, gasLimit: 60_000_000, baseFee: 0n }
  return new Machine(contracts, new Journal(), block)
}

describe('a token', () => {
  let project: Project
  let token: BuiltContract
  beforeAll(async () => {
    project = new Project({ 'contracts/token.ts': TOKEN })
    token = built(await project.build(['contracts/token.ts'], { outDir: 'artifacts' }))
  })
  afterAll(() => project.remove())

  it('is a module with an ABI and bytecode that viem takes as they are, and that runs', async () => {
    const artifact = await import(pathToFileURL(join(project.root, 'artifacts/token.js')).href)
    expect(artifact).toMatchObject({ name: 'token', abi: token.abi, bytecode: token.bytecode, layout: token.layout })
    const { abi, bytecode } = artifact
    const run = (to: Address | undefined, data: `0x${string}`, from = USER) =>
      chain.run({ from, to, value: 0n, data: hexToBytes(data), gas: ticksOf(20_000_000) })
    const chain = await machine()
    const made = run(undefined, encodeDeployData({ abi, bytecode, args: ['Quoin', 1_000n] }))
    if (!made.ok) throw new Error(made.reason)
    // The rest is the constructor, which the build does not count. It writes to storage four times.
    const transaction = intrinsicGas({ to: undefined, data: token.code, accessList: [] })
    const constructing = gasUsedOf(made.gasUsed) + transaction - token.deploymentGas
    expect(constructing).toBeGreaterThan(4 * 12_000)
    expect(constructing).toBeLessThan(100_000)
    const transfer = (amount: bigint) => encodeFunctionData({ abi, functionName: 'transfer', args: [OTHER, amount] })
    expect(run(made.contractAddress, transfer(300n)).ok).toBe(true)
    const balance = run(made.contractAddress, encodeFunctionData({ abi, functionName: 'balanceOf', args: [OTHER] }))
    expect(decodeFunctionResult({ abi, functionName: 'balanceOf', data: bytesToHex(balance.data) })).toBe(300n)
    const failed = run(made.contractAddress, transfer(701n))
    expect(decodeErrorResult({ abi, data: bytesToHex(failed.data) })).toMatchObject({
      errorName: 'InsufficientBalance',
      args: [700n, 701n],
    })
  })

  it('has a container with one module, the canonical ABI, the compiler, and no source map', () => {
    const { container } = unwrap(decodeContainer(token.code))
    expect(container).toMatchObject({
      upgradeAuthority: { kind: 'none' },
      reentrantSelectors: [],
      compiler: expect.stringMatching(/^quoin \d+\.\d+\.\d+$/),
      source: token.source,
      sourceMap: new Uint8Array(0),
    })
    expect(container.abi.map((item) => ('name' in item ? item.name : item.type))).toEqual([
      'constructor',
      'transfer',
      'balanceOf',
      'Transfer',
      'InsufficientBalance',
    ])
    expect(token.layout).toEqual([
      { name: 'name', type: 'value(string)' },
      { name: 'supply', type: 'value(uint256)' },
      { name: 'balances', type: 'mapping(address,uint256)' },
    ])
    expect(token.deploymentGas).toBeGreaterThan(53_000)
    expect(Buffer.byteLength(token.source)).toBeLessThan(12_000)
  })

  it('carries its source map where that is asked for', async () => {
    const mapped = built(await project.build(['contracts/token.ts'], { embedSourceMap: true }))
    const { sourceMap } = unwrap(decodeContainer(mapped.code)).container
    expect(JSON.parse(Buffer.from(sourceMap).toString())).toEqual(token.sourceMap)
  })

  it('is left alone when nothing changed', async () => {
    const before = statSync(join(project.root, 'artifacts/token.js'), { bigint: true })
    built(await project.build(['contracts/token.ts'], { outDir: 'artifacts' }))
    expect(statSync(join(project.root, 'artifacts/token.js'), { bigint: true })).toMatchObject({
      mtimeNs: before.mtimeNs,
      ino: before.ino,
    })
    expect(readdirSync(join(project.root, 'artifacts')).sort()).toEqual(['token.d.ts', 'token.js'])
  })

  it('has types that are literal', () => {
    const types = readFileSync(join(project.root, 'artifacts/token.d.ts'), 'utf8')
    expect(types).toContain('export declare const bytecode: `0x${string}`\n')
    expect(types).toContain(
      '  { readonly type: "function"; readonly name: "balanceOf"; readonly inputs: readonly [{ readonly name: "owner"; readonly type: "address" }]; ' +
        'readonly outputs: readonly [{ readonly name: ""; readonly type: "uint256" }]; readonly stateMutability: "view" },\n',
    )
    expect(types).toMatch(/^\/\/ Generated by quoin \S+ from contracts\/token\.ts\. Do not edit\.\n/)
  })
})

describe('a build produces the same bytes', () => {
  const files = {
    'contracts/token.ts': TOKEN.replace(
      'export default',
      "import { one } from './lib/one.ts'\nimport { two } from 'dep'\nexport default",
    ).replace('return true', 'return one + two + `a\nb` !== ""'),
    'contracts/lib/one.ts': 'export const one: number = 1\n',
    'node_modules/dep/package.json': '{ "name": "dep", "main": "main.js" }',
    'node_modules/dep/main.js': 'exports.two = 2\n',
    'contracts/other.ts': ANSWER('1n'),
  }

  const artifactsOf = async (texts: Readonly<Record<string, string>>, entries: readonly string[], cwd?: string) => {
    const project = new Project(texts)
    const before = process.cwd()
    try {
      if (cwd !== undefined) process.chdir(join(project.root, cwd))
      const result = await project.build(entries, { outDir: 'out' })
      if (!result.ok) throw new Error(complaints(result).join('\n'))
      const text = (name: string) => readFileSync(join(project.root, 'out', name), 'utf8')
      expect(text('token.js') + text('other.js')).not.toContain(project.root)
      return ['token.js', 'token.d.ts', 'other.js', 'other.d.ts'].map(text)
    } finally {
      process.chdir(before)
      project.remove()
    }
  }

  it('in another directory, from another place, in another order, of a checkout with CRLF', async () => {
    const entries = ['contracts/token.ts', 'contracts/other.ts']
    const crlf = Object.fromEntries(Object.entries(files).map(([name, text]) => [name, text.replaceAll('\n', '\r\n')]))
    const first = await artifactsOf(files, entries)
    expect(await artifactsOf(crlf, [...entries].reverse(), 'contracts')).toEqual(first)
    expect(first[0]).toContain('"contracts/token.ts"')
    expect(first[0]).toContain('"dep/main.js"')
    expect(first[0]).not.toContain('\\r')
  })
})

describe('modules without a contract', () => {
  const cases: readonly (readonly [what: string, source: string, complaint: RegExp])[] = [
    ['no default export', 'export const a = 1', /^contracts\/token\.ts:1:1: there is no default export/],
    ['a number', '\nexport default 5', /^contracts\/token\.ts:2:1: the default export is not a contract \(number\)/],
    ['null', 'export default null', /^contracts\/token\.ts:1:1: the default export is not a contract \(null\)/],
    ['a function', 'export default () => 1', /not a contract \(function\)/],
    ['a plain object', 'export default { functions: {} }', /an object that was not made by `contract` of @quoin\/contracts/],
    ['a syntax error', 'const a = 1\nexport default {{', /^contracts\/token\.ts:2:17: /],
  ]
  it.each(cases)('%s', async (_, source, complaint) => {
    expect(complaints(await buildFiles(source))).toEqual([expect.stringMatching(complaint)])
  })

  it('other exports of the module stay behind', async () => {
    const contract = built(await buildFiles(`${ANSWER('1n')}export const helper = () => 'this stays'\n`))
    expect(contract.source).not.toContain('this stays')
  })

  it('two entries of one name, a missing one, none at all', async () => {
    const project = new Project({ 'contracts/a/token.ts': ANSWER('1n'), 'contracts/b/token.ts': ANSWER('2n') })
    try {
      expect(complaints(await project.build(['contracts/a/token.ts', 'contracts/b/token.ts', 'contracts/no.ts']))).toEqual([
        'contracts/b/token.ts: contracts/a/token.ts has the same name, so its artifact would be overwritten',
        'contracts/no.ts: there is no such file',
      ])
      expect(complaints(await project.build([]))).toEqual(['contracts: there is no contract to build'])
      mkdirSync(join(project.root, 'contracts/dir.ts'))
      expect(complaints(await project.build(['contracts/dir.ts']))).toHaveLength(1)
    } finally {
      project.remove()
    }
  })
})

describe('errors of a deployment are reported with their place', () => {
  const withAbi = (line: string) => ANSWER('1n').replace("abi: ['function", `abi: [\n    ${line},\n    'function`)

  it.each([
    [
      'an unknown type',
      "'event E(uint257 a)'",
      /^contracts\/token\.ts:5:6: cannot parse the abi line 'event E\(uint257 a\)': .*uint257/,
    ],
    ['no signature', "'transfer the money'", /^contracts\/token\.ts:5:6: cannot parse the abi line 'transfer the money': /],
    [
      'a missing function',
      "'function missing()'",
      /^contracts\/token\.ts:5:15: the abi has missing\(\), but the module has no such function/,
    ],
    ['a selector twice', "'function answer() returns (bool)'", /answer/],
    [
      'a broken JSON item',
      "{ type: 'event', name: 'no identifier', inputs: [] } as const",
      /^contracts\/token\.ts:3:1: abi\[0\]\.name/,
    ],
  ])('%s', async (_, line, complaint) => {
    expect(complaints(await buildFiles(withAbi(line)))).toEqual([expect.stringMatching(complaint)])
  })

  it('an exception in a declaration: the author’s frame, not the kit’s', async () => {
    const source = ANSWER('1n').replace('functions: {', 'state: { balance: 5 as never },\n  functions: {')
    expect(complaints(await buildFiles(source))).toEqual([expect.stringMatching(/^contracts\/token\.ts:3:16: TypeError: /)])
  })

  it('an exception below a helper in another file', async () => {
    const files = {
      'contracts/lib/helper.ts': '\n\nexport const helper = (n: number) => {\n  if (n > 0) throw new RangeError(`no ${n}`)\n}\n',
    }
    const source = ANSWER('1n', "import { helper } from './lib/helper.ts'\nhelper(7)")
    expect(complaints(await buildFiles(source, files))).toEqual(['contracts/lib/helper.ts:4:24: RangeError: no 7'])
  })

  it('columns behind characters beyond U+FFFF', async () => {
    const head = "export const s = ['😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀', (undefined as never)['x']]"
    expect(complaints(await buildFiles(ANSWER('BigInt(s.length)', head)))).toEqual([
      expect.stringMatching(/^contracts\/token\.ts:2:72: TypeError/),
    ])
  })

  it('more gas than an evaluation may take', async () => {
    const source = ANSWER('BigInt(n)', 'let n = 0\nfor (let i = 0; i < 700_000; i++) n += i')
    expect(complaints(await buildFiles(source))).toEqual([
      expect.stringMatching(
        new RegExp(
          `^contracts/token\\.ts:4:1: evaluating the module takes more than ${MESSAGE_LIMITS.evaluationGasMax} gas\n +3,\\d{3} B  the module\n`,
        ),
      ),
    ])
  })

  it('a container that is too large', async () => {
    const source = ANSWER('BigInt(text.length)', `const text = '${'x'.repeat(260_000)}'`)
    expect(complaints(await buildFiles(source))).toEqual([
      expect.stringMatching(
        /^contracts\/token\.ts:3:1: the contract is too large: cannot make the container: [^]*\n +260,\d{3} B +contracts\/token\.ts\n/,
      ),
    ])
  })
})
