import { type ContractContainer, formatAbi, utf8ToBytes } from '@quoin/protocol'
import { grouped } from './grouped.ts'
import type { Deployment } from './trial.ts'
import type { Weight } from './weight.ts'

/** The parts of a container and their sizes, for messages about contracts that are too large. */
export interface Size {
  readonly container: ContractContainer
  readonly weights: readonly Weight[]
}

/**
 * Why a contract cannot be deployed, or cannot be upgraded later; undefined if it can.
 *
 * @param gasMax the chain's gas limit for a transaction
 */
export function sizeProblem({ gasUsed, upgradeGas }: Deployment, gasMax: number, size: Size): string | undefined {
  if (gasUsed > gasMax)
    return `the contract is too large: its deployment takes ${grouped(gasUsed)} gas plus the constructor, and a transaction may use at most ${grouped(gasMax)}\n${weighed(size)}`
  if (upgradeGas !== undefined && upgradeGas > gasMax)
    return `the contract is too large: an upgrade to it takes ${grouped(upgradeGas)} gas, and a transaction may use at most ${grouped(gasMax)}. It could be deployed but never upgraded: make it smaller, or declare upgradeAuthority: 'none'\n${weighed(size)}`
  return undefined
}

/** What a container consists of, one line per part, heaviest first. */
export function weighed({ container: { source, abi, sourceMap }, weights }: Size): string {
  const rows = [
    { name: 'the module', bytes: utf8ToBytes(source).length },
    ...weights.map(({ name, bytes }) => ({ name: `  ${name}`, bytes })),
    { name: 'the abi', bytes: utf8ToBytes(formatAbi(abi)).length },
    ...(sourceMap.length > 0 ? [{ name: 'the source map', bytes: sourceMap.length }] : []),
  ].map(({ name, bytes }) => ({ name, bytes: grouped(bytes) }))
  const width = Math.max(...rows.map(({ bytes }) => bytes.length))
  return rows.map(({ name, bytes }) => `  ${bytes.padStart(width)} B  ${name}`).join('\n')
}
