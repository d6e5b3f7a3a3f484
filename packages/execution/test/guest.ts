import { type Abi, type Address, type ChainId, type Height, nobleCrypto, parseAbi, type TimeMs, unwrap } from '@quoin/protocol'
import { parseAbiItem } from 'viem'
import { compileAbi } from '../src/contract/abi/abi.ts'
import type { Frame } from '../src/contract/frame.ts'
import { GUEST_LINK } from '../src/contract/guest.ts'
import { CONTRACT_HANDLERS, CONTRACT_HOST } from '../src/contract/host/index.ts'
import type { InnerMessage, MessageOutcome } from '../src/contract/message.ts'
import { Journal } from '../src/state/journal.ts'
import type { Ticks } from '../src/ticks.ts'
import { createInterpreter, type GuestError, type GuestValue, type Interpreter } from '../src/vm/index.ts'
import { interpreterBinary, wasmPower } from './interpreter.ts'
import { addressOf } from './transactions.ts'

/** Runs expressions in contracts with the real host functions, in frames whose messages end as a test says. */

let interpreter: Interpreter | undefined
export const hostInterpreter = (): Interpreter => {
  interpreter ??= createInterpreter({ wasm: wasmPower(), binary: interpreterBinary(), host: CONTRACT_HOST, link: GUEST_LINK })
  return interpreter
}

/** An ABI in viem's short notation, for a container. An event followed by `anonymous` is anonymous. */
export const abiOf = (...items: readonly string[]): Abi => unwrap(parseAbi(items.map(parseItem)))

function parseItem(text: string): object {
  const item = text.replace(/ anonymous$/, '')
  return { ...(parseAbiItem(item as never) as object), anonymous: item !== text }
}

export const SELF = addressOf(0x5e1f)
export const SENDER = addressOf(0xabcdef)

interface TestFrame extends Frame {
  /** Messages that were sent, in order. */
  readonly sent: readonly InnerMessage[]
}

export interface FrameOptions extends Partial<Omit<Frame, 'abi' | 'send'>> {
  readonly abi?: Abi
  /** Outcomes of messages, in order; the last one applies to all that follow. */
  readonly outcomes?: readonly MessageOutcome[]
}

export const succeeded = (data: Uint8Array, contractAddress?: Address): MessageOutcome => ({
  ok: true,
  gasUsed: 0,
  data,
  contractAddress,
})
export const failedWith = (reason: string, data: Uint8Array): MessageOutcome => ({
  ok: false,
  gasUsed: 0,
  data,
  reason,
  error: undefined,
  trace: [],
})

export function frameOf({ abi = [], outcomes = [], ...given }: FrameOptions = {}): TestFrame {
  const sent: InnerMessage[] = []
  return {
    crypto: nobleCrypto,
    chainId: 7357 as ChainId,
    journal: new Journal(),
    block: {
      number: 12 as Height,
      timeMs: 1_700_000_000_123 as TimeMs,
      proposer: addressOf(0xfee),
      gasLimit: 60_000_000,
      baseFee: 7n,
    },
    self: SELF,
    sender: SENDER,
    value: 5n,
    abi: unwrap(compileAbi(nobleCrypto, abi)),
    access: 'write',
    send(_context, message) {
      const outcome = outcomes[Math.min(sent.length, outcomes.length - 1)]
      sent.push(message)
      if (outcome === undefined) throw new Error('no message was expected')
      return outcome
    },
    sent,
    ...given,
  }
}

/** Default gas limit of a function. */
export const GAS: Ticks = 100_000_000

/** Runs a function of a contract. Returns its outcome and gas. */
export function runFunction(source: string, frame: Frame, values: readonly GuestValue[] = [], gas = GAS) {
  const { image } = unwrap(hostInterpreter().compile({ source, gas: GAS }))
  return hostInterpreter().call({ image, entry: 'functions.run', values, handlers: CONTRACT_HANDLERS, scope: frame, gas })
}

/** A contract with an expression; its arguments are `values`. */
const contractOf = (expression: string): string => `export default { functions: { run: (...values) => (${expression}) } }`

/** Result of an expression. */
export function valueOf(expression: string, frame: Frame, ...values: readonly GuestValue[]): GuestValue {
  const outcome = runFunction(contractOf(expression), frame, values)
  if (outcome.kind === 'return') return outcome.value
  throw new Error(outcome.kind === 'throw' ? `${outcome.error.name}: ${outcome.error.message}` : outcome.kind)
}

/** Error that an expression throws. */
export function errorOf(expression: string, frame: Frame, ...values: readonly GuestValue[]): GuestError {
  const outcome = runFunction(contractOf(expression), frame, values)
  if (outcome.kind === 'throw') return outcome.error
  throw new Error(`${expression}: ${outcome.kind}`)
}

/** Text of the error that an expression throws. */
export const refusalOf = (expression: string, frame: Frame, ...values: readonly GuestValue[]): string =>
  errorOf(expression, frame, ...values).message

/** Gas of an expression in addition to that of an empty call. */
export function gasOf(expression: string, frame: Frame, ...values: readonly GuestValue[]): number {
  const [nothing, outcome] = [contractOf('undefined'), contractOf(expression)].map((source) => runFunction(source, frame, values))
  if (outcome?.kind !== 'return' || nothing?.kind !== 'return') throw new Error(`${expression}: ${outcome?.kind}`)
  return outcome.gasUsed - nothing.gasUsed
}
