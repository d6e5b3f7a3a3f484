/**
 * Matchers of contracts for vitest, and a report of gas at the end of each test file. Import it once a file, or name it in `setupFiles`.
 * The environment variable QUOIN_GAS_REPORT=0 silences the report.
 *
 * @module
 */
import type { Abi } from 'abitype'
import type { ContractEventName, Hex } from 'viem'
import { afterAll, beforeAll, expect } from 'vitest'
import type { EventFilter } from './contract-types.ts'
import { formatArguments, formatValue } from './format.ts'
import { gasOfAllChains } from './gas-report.ts'
import { matches, matchesAll } from './match.ts'
import { print } from './print.ts'
import { type ContractEvent, eventsOf, type Receipt } from './receipt.ts'
import { ContractRevert } from './revert.ts'

/** What the matchers need of a contract. */
interface Emitter<abi extends Abi> {
  readonly name: string
  readonly address: Hex
  readonly abi: abi
}

interface ContractMatchers {
  /** That a call, or what a function calls, is refused by a contract. Must be awaited. */
  toRevert(): Promise<void>
  /** That it is refused with this error of an ABI, and with these arguments if any are given. Must be awaited. */
  toRevertWith(errorName: string, args?: readonly unknown[]): Promise<void>
  /** That it is refused with exactly this text, or one that fits: that of `throw new Error(…)`, or the chain's. Must be awaited. */
  toRevertWithReason(reason: string | RegExp): Promise<void>
  /** That a contract emitted an event in a receipt's transaction; of the arguments, those given count, by name or by position. */
  toEmit<const abi extends Abi, name extends ContractEventName<abi>>(
    contract: Emitter<abi>,
    eventName: name,
    args?: EventFilter<abi, name>,
  ): void
}

declare module 'vitest' {
  interface Matchers<T> extends ContractMatchers {}
}

type Attempt = Promise<unknown> | (() => unknown)

/** The revert that an attempt ends in; undefined when it succeeds. Any other error is thrown on. */
async function revertFrom(attempt: Attempt): Promise<ContractRevert | undefined> {
  try {
    await (typeof attempt === 'function' ? attempt() : attempt)
    return undefined
  } catch (error) {
    if (error instanceof ContractRevert) return error
    throw error
  }
}

const shown = (revert: ContractRevert | undefined): string =>
  revert === undefined ? 'it succeeded' : [revert.message, ...revert.frames].join('\n')

expect.extend({
  async toRevert(attempt: Attempt) {
    const revert = await revertFrom(attempt)
    const wanted = this.isNot ? 'a call that succeeds' : 'a call that reverts'
    return { pass: revert !== undefined, message: () => `expected ${wanted}: ${shown(revert)}` }
  },

  async toRevertWith(attempt: Attempt, errorName: string, args?: readonly unknown[]) {
    const revert = await revertFrom(attempt)
    const pass = revert?.errorName === errorName && (args === undefined || matchesAll(revert.args, args))
    const wanted = `${this.isNot ? 'not ' : ''}to revert with ${errorName}${args === undefined ? '' : formatArguments(args)}`
    return { pass, message: () => `expected the call ${wanted}: ${shown(revert)}` }
  },

  async toRevertWithReason(attempt: Attempt, reason: string | RegExp) {
    const revert = await revertFrom(attempt)
    const pass = revert !== undefined && (typeof reason === 'string' ? revert.reason === reason : reason.test(revert.reason))
    const wanted = `${this.isNot ? 'not ' : ''}to revert with the reason ${typeof reason === 'string' ? formatValue(reason) : reason}`
    return { pass, message: () => `expected the call ${wanted}: ${shown(revert)}` }
  },

  toEmit(receipt: Receipt, contract: Emitter<Abi>, eventName: string, args?: object) {
    const events = eventsOf(contract.abi, contract.address, receipt.logs)
    const pass = events.some((event) => event.eventName === eventName && matches(event.args, args))
    const wanted = `${this.isNot ? 'not ' : ''}to emit ${eventName}${args === undefined ? '' : ` with ${formatValue(args)}`}`
    return { pass, message: () => `expected ${contract.name} ${wanted}; it emitted ${shownEvents(events)}` }
  },
})

const shownEvents = (events: readonly ContractEvent[]): string =>
  events.length === 0 ? 'nothing' : events.map(({ eventName, args }) => `\n  ${eventName} ${formatValue(args)}`).join('')

/**
 * Prints what the transactions of this test file took, once it has run. The import of this module asks for that; where test files share a
 * process (`isolate: false`), only the first one's does, and the others call this.
 */
export function reportGas(): void {
  // Of files before this one, where they share the process.
  beforeAll(() => gasOfAllChains.clear())
  afterAll(() => {
    const report = gasOfAllChains.toString()
    gasOfAllChains.clear()
    if (report !== '' && process.env.QUOIN_GAS_REPORT !== '0') print(report)
  })
}

reportGas()
