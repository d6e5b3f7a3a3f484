import type { Executor } from '@quoin/execution'
import { type Life, never } from './life.ts'

/**
 * Blocks that take time to build, to execute and to apply, as on a separate thread: the process continues meanwhile. `workMs` is called for
 * each piece of work. Work of a dead process never ends.
 */
export function timedExecutor(executor: Executor, life: Life, workMs: () => number): Executor {
  const work = async <T>(run: () => Promise<T>): Promise<T> => {
    if (!life.alive) return never()
    const ms = workMs()
    if (ms > 0) await new Promise<void>((resolve) => void life.after(ms, resolve))
    return run()
  }
  return {
    version: executor.version,
    genesis: (genesis) => executor.genesis(genesis),
    build: (...args) => work(() => executor.build(...args)),
    execute: (...args) => work(() => executor.execute(...args)),
    commit: (hash) => work(() => executor.commit(hash)),
    close: () => executor.close(),
  }
}
