import { MeterError } from './binary.ts'
import { type Instruction, OP } from './instruction.ts'
import { gasOf } from './weights.ts'

/** Where a function's body charges gas, and how much. */
export interface Charges {
  /** Gas of each straight run of instructions, by the index where it begins. Runs that cost nothing are left out. */
  readonly at: ReadonlyMap<number, number>
  /** Indices behind a `loop` that is a branch target. There gas is also checked. */
  readonly loopHeads: ReadonlySet<number>
  /** Whether the function calls others. */
  readonly calls: boolean
  /** Block depth of each `return`, by its index. */
  readonly returns: ReadonlyMap<number, number>
}

interface Frame {
  readonly op: number
  /** Index of the instruction that opens the block; -1 for the function itself. */
  readonly opener: number
}

/**
 * Splits a body (without its final `end`) into runs that execute as a whole once entered: nothing branches into the middle of a
 * run, and only a trap leaves it early. A run's gas is charged where it begins. So an execution pays for exactly the instructions
 * that it executed, plus the rest of the run in which it trapped.
 */
export function chargesOf(body: readonly Instruction[]): Charges {
  const targets = branchTargets(body)
  const at = new Map<number, number>()
  const loopHeads = new Set<number>()
  const returns = new Map<number, number>()
  const frames: Frame[] = [{ op: OP.block, opener: -1 }]
  let leader = 0
  let dead = false
  let calls = false
  const begin = (index: number) => {
    leader = index
    dead = false
  }
  body.forEach(({ op }, index) => {
    const gas = dead ? 0 : gasOf(op)
    if (gas > 0) at.set(leader, (at.get(leader) ?? 0) + gas)
    if (op === OP.block || op === OP.loop || op === OP.if) frames.push({ op, opener: index })
    if (op === OP.call || op === OP.callIndirect) calls = true
    if (op === OP.return) returns.set(index, frames.length - 1)
    if (op === OP.loop && targets.has(index) && !dead) loopHeads.add(index + 1)
    if (op === OP.if || op === OP.else || op === OP.brIf || (op === OP.loop && targets.has(index))) {
      // Nothing jumps into code behind a dead `br_if`, or into a dead `if` or `loop`. The code behind an `else` is live when its
      // `if` is.
      if (op === OP.else || !dead) begin(index + 1)
    } else if (op === OP.br || op === OP.brTable || op === OP.return || op === OP.unreachable) dead = true
    else if (op === OP.end) {
      const frame = frames.pop()
      if (frame === undefined || frames.length === 0) throw new MeterError('a body has more ends than blocks')
      if (frame.op === OP.if || (frame.op === OP.block && targets.has(frame.opener))) begin(index + 1)
    }
  })
  if (frames.length !== 1) throw new MeterError('a body has more blocks than ends')
  return { at, loopHeads, calls, returns }
}

/** Indices of the instructions that open a block which is a branch target. */
function branchTargets(body: readonly Instruction[]): ReadonlySet<number> {
  const targets = new Set<number>()
  const openers = [-1]
  body.forEach(({ op, labels }, index) => {
    for (const label of labels) {
      const opener = openers[openers.length - 1 - label]
      if (opener === undefined) throw new MeterError(`a branch names label ${label}, of ${openers.length}`)
      targets.add(opener)
    }
    if (op === OP.block || op === OP.loop || op === OP.if) openers.push(index)
    else if (op === OP.end) openers.pop()
  })
  return targets
}
