import { namesOf } from './abi-names.ts'
import type { Merged } from './declaration.ts'
import type { Guest } from './guest.ts'

declare const quoin: Guest

/** The context object that all functions of a contract share. Types restrict what a function may use, and the host enforces it. */
export function runContext({ abi, state }: Merged): object {
  const { event, error } = namesOf(abi)
  return Object.freeze({
    state: byName(Object.keys(state), (name) => state[name]!.open(name)),
    emit: byName(event, (name) => quoin.emit.bind(quoin, name)),
    revert: byName(error, (name) => quoin.revert.bind(quoin, name)),
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

const byName = (names: readonly string[], make: (name: string) => unknown): object =>
  Object.freeze(Object.fromEntries(names.map((name) => [name, make(name)])))
