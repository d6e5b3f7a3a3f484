import { table } from './text-table.ts'

/** What the calls of one function took. */
export interface GasOfFunction {
  readonly contract: string
  /** Its name; its signature where the contract has several of one name. */
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

/** Under which creations are counted. No function has such a name. */
export const DEPLOYMENT = '(deployment)'

/** Gas of the transactions that succeeded, by contract and function. Reads and simulations are not counted. */
export class GasStatistics {
  readonly #counts = new Map<string, Count>()

  /** Counts one more transaction. */
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

  /** Functions that were called, by contract and name. */
  get functions(): readonly GasOfFunction[] {
    return this.#sorted().filter(({ functionName }) => functionName !== DEPLOYMENT)
  }

  /** Contracts that were deployed, by name. */
  get deployments(): readonly GasOfFunction[] {
    return this.#sorted().filter(({ functionName }) => functionName === DEPLOYMENT)
  }

  /** What one function took; undefined when it was not called. */
  of(contract: string, functionName: string): GasOfFunction | undefined {
    const count = this.#counts.get(`${contract}.${functionName}`)
    return count === undefined ? undefined : summary(count)
  }

  /** Forgets all of them. */
  clear(): void {
    this.#counts.clear()
  }

  /** As a table; empty when nothing was called. */
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

/** 1234567 as 1,234,567, whatever the machine's locale. */
export const grouped = (value: bigint): string => value.toString().replace(/\B(?=(\d{3})+$)/g, ',')

/** What all chains of a test file took, for its report. */
export const gasOfAllChains = new GasStatistics()
