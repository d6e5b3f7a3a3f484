import type { Ticks } from '../ticks.ts'
import { evaluate, type Roots } from './boot.ts'
import { settle } from './guest.ts'
import type { HostListener, Instance } from './instance.ts'
import { VM_LIMITS } from './limits.ts'
import { Unwind } from './outcome.ts'

/** For all dead calls of one run together. Enough for the backtrace of the deepest recursion that a call's stack allows. */
export const POST_MORTEM_TICKS = 50_000_000

export interface PostMortem {
  /** The guest's backtrace, innermost frame first; empty if it cannot be made. */
  readonly stack: string
  /** Whether the instance may be used again, after an image is restored. */
  readonly isUsable: boolean
  /** At most the ticks that were given. */
  readonly ticks: Ticks
}

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
 * Makes the guest's backtrace at the point where its gas ended. A trap leaves the guest's frames in the
 * interpreter's memory, so an exception that is thrown now gets their backtrace. Lines are exact for frames that were calling a function; the
 * interpreter does not note the line of a loop that calls nothing.
 *
 * It is for people only: the result depends on the guest's memory in the middle of an instruction, and its gas is not the guest's. So nothing that happens
 * here may change how the call ends: every exception only means that there is no backtrace, a full stack of this machine too.
 *
 * @param ticks at most this much work is done
 */
export function stackAtDeath(instance: Instance, roots: Roots, ticks: Ticks): PostMortem {
  instance.begin(ticks)
  instance.meter.depth.value = VM_LIMITS.depthBytesMax
  try {
    const thrown = instance.listen(REFUSING, () => settle(instance, roots, evaluate(instance, 'null.gas', FILE, 0)))
    const stack = thrown.ok ? '' : withoutFile(thrown.error.stack)
    return { stack, isUsable: true, ticks: ticks - Math.max(0, instance.gasLeft) }
  } catch {
    // The ticks of a function that trapped are lost.
    return { stack: '', isUsable: false, ticks }
  }
}

const withoutFile = (stack: string): string =>
  stack
    .split('\n')
    .filter((line) => !line.includes(FILE))
    .join('\n')

const FILE = '<out of gas>'
