import type { TestContract, TestContracts } from '../../../execution/test/contracts.ts'
import { type KitContract, kitContract } from '../kit-contract.ts'
import { FIELDS, type FieldName, type FieldSpec } from './fields.ts'
import { decodeWire, encodeWire, type Program, type Wire } from './wire.ts'

/** More gas than any program of the tests uses. */
const PROGRAM_GAS = 2_000_000_000

/**
 * A contract of `contract.ts` with some of the fields. It declares only these fields, because the kit with all fields is too large for the gas of a
 * deployment.
 */
export function collectionsContract(names: readonly FieldName[]): Promise<KitContract> {
  const declarations = names.map((name) => `const ${name} = ${declarationOf(FIELDS[name])}`)
  return kitContract(`import { list, mapping, replacing, set, table, value } from '@quoin/contracts'
    import { collections } from './kit/contract.ts'
    ${declarations.join('\n')}
    export default collections({ ${names.join()} })`)
}

function declarationOf(spec: FieldSpec): string {
  const text = JSON.stringify
  switch (spec.kind) {
    case 'value':
    case 'set':
    case 'list':
      return `${spec.kind}(${text(spec.of)})`
    case 'mapping':
      return `mapping(${text(spec.key)}, ${text(spec.of)})`
    case 'nested':
      return `mapping(${text(spec.key)}, ${declarationOf(spec.of)})`
    case 'table':
      return `table(${text({ key: spec.key, row: spec.row })})`
    case 'replacing':
      return `replacing(${text(spec.former)}, ${spec.former}, ${declarationOf(spec.by)}, (old) => old * 100n)`
  }
}

/** Deploys two copies that can call each other. */
export function deployPair(contract: KitContract, contracts: TestContracts): readonly [TestContract, TestContract] {
  const pair = [contract.deploy(contracts), contract.deploy(contracts)] as const
  contracts.call(pair[0], 'meet', [pair[1].address])
  contracts.call(pair[1], 'meet', [pair[0].address])
  return pair
}

/** Results of a program; undefined if the call fails on request. */
export function runProgram(contracts: TestContracts, contract: TestContract, program: Program, fails: boolean): Wire | undefined {
  const args = [encodeWire(program as unknown as Wire), fails]
  if (!fails) return decodeWire(contracts.call(contract, 'run', args, { gas: PROGRAM_GAS }) as string)
  const reason = contracts.failure(contract, 'run', args, { gas: PROGRAM_GAS })
  if (!reason.endsWith('undone')) throw new Error(reason)
  return undefined
}
