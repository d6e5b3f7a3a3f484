import type { Executor } from '@quoin/execution'
import { headerHash, ZERO_HASH } from '@quoin/protocol'
import { simCrypto } from '../sim/crypto.ts'
import type { Role } from './stage.ts'

/** Proposes blocks whose state root does not match the result of their transactions. */
export const wrongRoot: Role = {
  name: 'wrong root',
  options: (isLiar) => ({ wrapExecutor: (index, executor) => (isLiar(index) ? withWrongRoots(executor) : executor) }),
}

const withWrongRoots = (executor: Executor): Executor => ({
  version: executor.version,
  genesis: (genesis) => executor.genesis(genesis),
  execute: (...args) => executor.execute(...args),
  commit: (hash) => executor.commit(hash),
  close: () => executor.close(),
  async build(...args) {
    const built = await executor.build(...args)
    const header = { ...built.header, stateRoot: ZERO_HASH }
    return { ...built, header, hash: headerHash(simCrypto, header) }
  },
})
