import { type ExecutableTransaction, type Executor, InterpreterFault } from '@quoin/execution'
import { type Crypto, Hash } from '@quoin/protocol'

export interface Poison {
  readonly transactions: ReadonlySet<Hash>
  /** Whether the fault names the running transaction. It does not if it killed its thread. */
  readonly isNamed?: boolean
}

/** An executor that fails at certain transactions, as if its stack were too small for them. */
export function faultyExecutor(executor: Executor, crypto: Crypto, { transactions, isNamed = true }: Poison): Executor {
  const check = (items: readonly ExecutableTransaction[]): void => {
    const hash = items.map(({ raw }) => Hash(crypto.keccak256(raw))).find((item) => transactions.has(item))
    if (hash !== undefined)
      throw new InterpreterFault(isNamed ? hash : undefined, new RangeError('Maximum call stack size exceeded'))
  }
  return {
    version: executor.version,
    genesis: (genesis) => executor.genesis(genesis),
    async build(template, queues, fill) {
      check(queues.flatMap(({ candidates }) => candidates))
      return executor.build(template, queues, fill)
    },
    async execute(template, items, isDecided) {
      check(items)
      return executor.execute(template, items, isDecided)
    },
    commit: (hash) => executor.commit(hash),
    close: () => executor.close(),
  }
}
