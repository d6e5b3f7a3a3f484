import { namesOf } from './abi-names.ts'
import type { Merged } from './declaration.ts'
import type { Guest } from './guest.ts'

declare const quoin: Guest

/** The one context that all functions of a contract get; types say what each may use of it, and the host holds them to it. */
export function runContext({ abi, state }: Merged): object {
  const emit = byName(namesOf(abi, 'event'), (name) => quoin.emit.bind(undefined, name))
  const revert = byName(namesOf(abi, 'error'), (name) => quoin.revert.bind(undefined, name))
  return Object.freeze({
    state: byName(
      state.map(([name]) => name),
      (name, i) => state[i]![1].open(name),
    ),
    emit,
    revert,
    transfer: quoin.transfer,
    get sender() {
      return quoin.sender
    },
    get value() {
      return quoin.value
    },
    get self() {
      return quoin.self
    },
    get chainId() {
      return quoin.chainId
    },
    get block() {
      return quoin.block
    },
    get gasLeft() {
      return quoin.gasLeft
    },
  })
}

function byName(names: readonly string[], make: (name: string, index: number) => unknown): object {
  return Object.freeze(Object.fromEntries(names.map((name, i) => [name, make(name, i)])))
}
