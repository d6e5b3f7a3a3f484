import { evaluate, type Roots } from './boot.ts'
import { settle } from './guest.ts'
import type { HostListener, Instance } from './instance.ts'
import { VM_LIMITS } from './limits.ts'
import { endingOf, Unwind } from './outcome.ts'
import type { WasmPower } from './power.ts'

/** Enough for the backtrace of the deepest recursion that a call's stack allows. */
const POST_MORTEM_TICKS = 50_000_000

/** Nothing that a dead call may still run reaches the chain. */
const REFUSING: HostListener = {
  onHostCall: () => {
    throw new Unwind({ kind: 'trap' })
  },
  onImport: () => {
    throw new Unwind({ kind: 'trap' })
  },
}

/**
 * The guest's backtrace at the point where its gas ended, innermost frame first; empty if it cannot be made. A trap leaves the guest's frames in the
 * interpreter's memory, so an exception that is thrown now gets their backtrace. Lines are exact for frames that were calling a function; the
 * interpreter does not note the line of a loop that calls nothing.
 *
 * It is for people only: the result depends on the guest's memory in the middle of an instruction, and its gas is not the guest's. Restore an image before
 * the instance runs anything else.
 */
export function stackAtDeath(instance: Instance, roots: Roots, power: WasmPower): string {
  instance.begin(POST_MORTEM_TICKS)
  instance.meter.depth.value = VM_LIMITS.depthBytesMax
  try {
    const thrown = instance.listen(REFUSING, () => settle(instance, roots, evaluate(instance, 'null.gas', FILE, 0)))
    return thrown.ok
      ? ''
      : thrown.error.stack
          .split('\n')
          .filter((line) => !line.includes(FILE))
          .join('\n')
  } catch (error) {
    endingOf(error, instance, power)
    return ''
  }
}

const FILE = '<out of gas>'
