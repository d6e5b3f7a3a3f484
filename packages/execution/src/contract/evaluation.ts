import type { Crypto } from '@quoin/protocol'
import { type Ticks, ticksOf } from '../ticks.ts'
import type { CompileRequest, HostHandlers } from '../vm/index.ts'
import { CONTRACT_HANDLERS } from './host/index.ts'
import { HOST_LIBRARY } from './library/host-library.ts'
import { MESSAGE_LIMITS } from './message-limits.ts'

/**
 * Host functions that a module may call during evaluation: only the library, because an image must not depend on the block in
 * which it is made.
 */
const EVALUATION_HANDLERS: HostHandlers = Object.fromEntries(
  Object.keys(HOST_LIBRARY).map((name) => [name, CONTRACT_HANDLERS[name]!]),
)

/** Ticks for evaluating one module. */
export const EVALUATION_TICKS_MAX: Ticks = ticksOf(MESSAGE_LIMITS.evaluationGasMax)

/**
 * Request to evaluate a contract's module, with at most `evaluationGasMax`. The memory grant is always the same, so that a module
 * that evaluates successfully yields the same image at any time and with any budget.
 */
export const evaluation = (crypto: Crypto, source: string, gas: Ticks) =>
  ({
    source,
    gas: Math.min(gas, EVALUATION_TICKS_MAX),
    memoryBytes: MESSAGE_LIMITS.imageGrowthBytesMax,
    handlers: EVALUATION_HANDLERS,
    scope: { crypto, access: 'pure' },
  }) satisfies CompileRequest
