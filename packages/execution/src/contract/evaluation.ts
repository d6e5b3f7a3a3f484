import type { Crypto } from '@quoin/protocol'
import { type Ticks, ticksOf } from '../ticks.ts'
import type { CompileRequest, HostHandlers } from '../vm/index.ts'
import { CONTRACT_HANDLERS } from './host/index.ts'
import { HOST_LIBRARY } from './library/host-library.ts'
import { MESSAGE_LIMITS } from './message-limits.ts'

/** What a module may call while it is evaluated: the library alone, for an image must not depend on the block it is made in. */
const EVALUATION_HANDLERS: HostHandlers = Object.fromEntries(
  Object.keys(HOST_LIBRARY).map((name) => [name, CONTRACT_HANDLERS[name]!]),
)

/** Of evaluating one module. */
export const EVALUATION_TICKS_MAX: Ticks = ticksOf(MESSAGE_LIMITS.evaluationGasMax)

/**
 * How a contract's module is evaluated, on at most `evaluationGasMax`. The memory granted is always the same, so that a module which comes to
 * an end leaves the same image whenever and under whatever budget it is evaluated.
 */
export const evaluation = (crypto: Crypto, source: string, gas: Ticks) =>
  ({
    source,
    gas: Math.min(gas, EVALUATION_TICKS_MAX),
    memoryBytes: MESSAGE_LIMITS.imageGrowthBytesMax,
    handlers: EVALUATION_HANDLERS,
    scope: { crypto, access: 'pure' },
  }) satisfies CompileRequest
