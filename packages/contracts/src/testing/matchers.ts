/**
 * Contract matchers for vitest, and a gas report at the end of each test file. Import this module once per test file, or list it in `setupFiles`.
 * QUOIN_GAS_REPORT=0 in the environment turns the report off.
 *
 * @module
 */

import type { Hex } from '@quoin/protocol'
import type { Abi } from 'abitype'
import { afterAll, beforeAll, expect } from 'vitest'
import type { EventFilter } from './contract-types.ts'
import { formatArguments, formatValue } from './format.ts'
import { gasOfAllChains } from './gas-report.ts'
import type { EventName } from './log.ts'
import { matches, matchesAll } from './match.ts'
import { print } from './print.ts'
import { type ContractEvent, eventsOf, type Receipt } from './receipt.ts'
import { ContractRevert } from './revert.ts'

/** The part of a contract that the matchers need. */
interface Emitter<abi extends Abi> {
  readonly name: string
  readonly address: Hex
  readonly abi: abi
}

interface ContractMatchers {
  /** Expects that a call reverts. Takes a promise, or a function that makes the call. Must be awaited. */
  toRevert(): Promise<void>
  /** Expects a revert with this error of an ABI, and with these arguments if given. Must be awaited. */
  toRevertWith(errorName: string, args?: readonly unknown[]): Promise<void>
  /** Expects a revert with exactly this reason, or one that matches: the text of `throw new Error(…)`, or the chain's own. Must be awaited. */
  toRevertWithReason(reason: string | RegExp): Promise<void>
  /** Expects that a contract emitted an event in a receipt's transaction. Compares only the given arguments, by name or by position. */
  toEmit<const abi extends Abi, name extends EventName<abi>>(
    contract: Emitter<abi>,
    eventName: name,
    args?: EventFilter<abi, name>,
  ): void
}

declare module 'vitest' {
  interface Matchers<T> extends ContractMatchers {}
}

type Attempt = Promise<unknown> | (() => unknown)

/** The revert of an attempt; undefined if it succeeds. Rethrows any other error. */
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
 * Prints the gas of this test file's transactions after its tests. Importing this module calls it. If test files share a process (`isolate: false`),
 * the import only works in the first file, and the others must call this function.
 */
export function reportGas(): void {
  // Earlier test files may share the process.
  beforeAll(() => gasOfAllChains.clear())
  afterAll(() => {
    const report = gasOfAllChains.toString()
    gasOfAllChains.clear()
    if (report !== '' && process.env.QUOIN_GAS_REPORT !== '0') print(report)
  })
}

reportGas()
