import { grouped } from '../build/grouped.ts'
import { table } from './text-table.ts'

/** Gas of the calls of one function. */
export interface GasOfFunction {
  readonly contract: string
  /** Name of the function; its signature if the contract has several functions with that name. */
  readonly functionName: string
  readonly calls: number
  readonly min: bigint
  /** Rounded down. */
  readonly avg: bigint
  readonly max: bigint
  readonly last: bigint
}

interface Count {
  readonly contract: string
  readonly functionName: string
  calls: number
  min: bigint
  max: bigint
  last: bigint
  total: bigint
}

/** Name under which deployments are counted. No function can have it. */
export const DEPLOYMENT = '(deployment)'

/** Gas of successful transactions, by contract and function. Reads and simulations are not counted. */
export class GasStatistics {
  readonly #counts = new Map<string, Count>()

  /** Adds a transaction. */
  record(contract: string, functionName: string, gasUsed: bigint): void {
    const name = `${contract}.${functionName}`
    let count = this.#counts.get(name)
    if (count === undefined) {
      count = { contract, functionName, calls: 0, min: gasUsed, max: gasUsed, last: gasUsed, total: 0n }
      this.#counts.set(name, count)
    }
    count.calls++
    count.total += gasUsed
    count.last = gasUsed
    if (gasUsed < count.min) count.min = gasUsed
    if (gasUsed > count.max) count.max = gasUsed
  }

  /** Called functions, sorted by contract and name. */
  get functions(): readonly GasOfFunction[] {
    return this.#sorted().filter(({ functionName }) => functionName !== DEPLOYMENT)
  }

  /** Deployed contracts, sorted by name. */
  get deployments(): readonly GasOfFunction[] {
    return this.#sorted().filter(({ functionName }) => functionName === DEPLOYMENT)
  }

  /** Gas of one function; undefined if it was not called. */
  of(contract: string, functionName: string): GasOfFunction | undefined {
    const count = this.#counts.get(`${contract}.${functionName}`)
    return count === undefined ? undefined : summary(count)
  }

  /** Removes all samples. */
  clear(): void {
    this.#counts.clear()
  }

  /** The statistics as a table; empty if nothing was called. */
  toString(): string {
    if (this.#counts.size === 0) return ''
    const rows = [...this.deployments, ...this.functions].map(({ contract, functionName, calls, min, avg, max, last }) => [
      contract,
      functionName,
      ...[BigInt(calls), min, avg, max, last].map(grouped),
    ])
    return table(['contract', 'function', 'calls', 'min', 'avg', 'max', 'last'], rows, 2)
  }

  #sorted(): readonly GasOfFunction[] {
    return [...this.#counts.keys()].sort().map((name) => summary(this.#counts.get(name)!))
  }
}

function summary({ total, ...count }: Count): GasOfFunction {
  return { ...count, avg: total / BigInt(count.calls) }
}

/** Gas of all chains of a test file, for its report. */
export const gasOfAllChains = new GasStatistics()
