import { readdirSync, readFileSync } from 'node:fs'
import { CODE_REGISTRY_ABI, CODE_REGISTRY_ADDRESS } from '@quoin/execution/contract'
import { DEFAULT_PARAMETERS } from '@quoin/protocol'
import { type Abi, encodeFunctionData } from 'viem'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type BuildOptions, type BuiltContract, formatDiagnostics } from '../src/build/index.ts'
import { createChain } from '../src/testing/index.ts'
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
      const { address } = await chain.deploy({ ...contract, abi: contract.abi as Abi }, { args: [admin, admin], from: admin })
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
