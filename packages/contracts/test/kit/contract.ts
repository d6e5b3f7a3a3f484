import { type Address, contract, value } from '@quoin/contracts'
import { decodeWire, encodeWire, type Program, type Step, type Wire } from './wire.ts'

type Target = { readonly [verb: string]: unknown } & Iterable<Wire>
type Verb = (...args: unknown[]) => Wire
interface Scope {
  readonly state: { readonly [name: string]: unknown }
  readonly peer: Address | undefined
}

/** Uses the host directly instead of the kit's `remote`: fewer bytes leave more deployment gas for the tested parts. */
declare const quoin: { call(to: Address, signature: string, values: readonly unknown[]): string }

function runProgram(scope: Scope, text: string): string {
  return encodeWire((decodeWire(text) as unknown as Program).map((step) => run(scope, step)))
}

function run(scope: Scope, step: Step): Wire {
  if (step.kind === 'call') {
    try {
      return quoin.call(scope.peer!, 'run(string,bool)(string)', [encodeWire(step.program as unknown as Wire), step.fails])
    } catch (error) {
      return (error as Error).message
    }
  }
  const target = (step.keys as readonly unknown[]).reduce(
    (field, key) => (field as { at(key: unknown): unknown }).at(key),
    scope.state[step.field],
  ) as Target
  try {
    return step.kind === 'do' ? act(target, step.verb, step.args) : each(target, step)
  } catch (error) {
    return (error as Error).name
  }
}

function act(target: Target, verb: string, args: readonly unknown[]): Wire {
  if (verb === '*') return [...target]
  const member = target[verb]
  if (typeof member !== 'function') return member as Wire
  const given = verb === 'update' ? [...args.slice(0, -1), (old: unknown) => changed(old, args.at(-1))] : args
  const answer = (member as Verb).apply(target, [...given])
  return isIterator(answer) ? [...answer] : answer
}

/** Update function: adds to integers, replaces all other values. */
const changed = (old: unknown, by: unknown): unknown => (typeof old === 'bigint' ? old + (by as bigint) : by)

const isIterator = (value: unknown): value is Iterable<Wire> => typeof value === 'object' && value !== null && 'next' in value

function each(target: Target, { range, changes }: Step & { readonly kind: 'each' }): Wire {
  const seen: Wire[] = []
  for (const entry of (target['range'] as Verb).call(target, range) as Iterable<Wire>) {
    for (const [verb, ...args] of (changes[seen.length] ?? []) as readonly (readonly [string, ...Wire[]])[])
      act(target, verb, args)
    seen.push(entry)
  }
  return seen
}

/** A contract that runs a test's program on its collections. */
export function collections(fields: { readonly [name: string]: unknown }) {
  return contract({
    abi: [
      'function meet(address peer)',
      'function run(string program, bool fails) returns (string)',
      'function read(string program) view returns (string)',
    ],
    state: { ...fields, peer: value('address') } as { readonly peer: ReturnType<typeof value<'address'>> },
    reentrant: ['run'],
    functions: {
      meet: ({ state }, peer) => state.peer.set(peer),
      run({ state }, program, fails) {
        const answers = runProgram({ state, peer: state.peer.get() }, program)
        if (fails) throw new Error('undone')
        return answers
      },
      read: ({ state }, program) => runProgram({ state, peer: undefined }, program),
    },
  })
}
