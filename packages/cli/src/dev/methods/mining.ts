import { type CallContext, forms, hash, invalidParams, looseInteger, method, quantityHex } from '@quoin/node/rpc'
import { z } from 'zod'
import type { DevBackend } from '../dev-backend.ts'
import { DEV_LIMITS } from '../limits.ts'
import type { Mining } from '../mining.ts'
import { timed } from './errors.ts'
import { type DevMethods, DONE, DONE_FORM, underBothNames } from './naming.ts'

async function mine({ dev }: DevBackend, count: number, intervalSeconds: number, { signal }: CallContext): Promise<void> {
  if (count > DEV_LIMITS.minedBlocksMax)
    throw invalidParams(`cannot mine ${count} blocks: at most ${DEV_LIMITS.minedBlocksMax} blocks are allowed per request`)
  await dev.mine(count, intervalSeconds, signal)
}

/** Parameter of `evm_mine`: a timestamp as in Ganache, or an object as in anvil. */
const mineOptions = z
  .union([
    looseInteger.transform((timestamp) => ({ timestamp, blocks: 1 })),
    z.object({ timestamp: looseInteger.optional(), blocks: looseInteger.default(1) }),
  ])
  .default({ timestamp: undefined, blocks: 1 })

const mineMany = method(
  { summary: 'Makes blocks.', params: ['blocks', 'intervalSeconds'], result: DONE_FORM },
  [looseInteger.default(1), looseInteger.default(0)],
  async (backend: DevBackend, [count, intervalSeconds], call) => {
    await mine(backend, count, intervalSeconds, call)
    return DONE
  },
)

const getAutomine = method(
  { summary: 'Whether each transaction gets a block at once.', params: [], result: forms.flag },
  [],
  ({ dev }: DevBackend) => dev.mining.kind === 'automatic',
)

/** The parameter is in whole seconds, as in anvil; 0 stops interval mining. */
function intervalOf(seconds: number): Mining {
  const blockTimeMs = 1_000 * seconds
  if (blockTimeMs === 0) return { kind: 'manual' }
  if (blockTimeMs <= DEV_LIMITS.blockTimeMsMax) return { kind: 'interval', blockTimeMs }
  throw invalidParams(`interval of ${seconds} s is too long: at most ${DEV_LIMITS.blockTimeMsMax / 1_000} s are allowed`)
}

const dropTransaction = method(
  { summary: 'Removes a waiting transaction; answers its hash, or null.', params: ['hash'], result: forms.orNull(forms.hash) },
  [hash],
  async ({ dev }: DevBackend, [transaction]) => ((await dev.drop(transaction)) ? transaction : null),
)

/** When blocks are made. */
export const miningMethods: DevMethods = {
  evm_mine: method(
    { summary: 'Makes blocks, the first one at a timestamp; answers zero.', params: ['options'], result: forms.quantity },
    [mineOptions],
    async (backend: DevBackend, [{ timestamp, blocks }], call) => {
      if (timestamp !== undefined) await timed(backend, (time, parentMs) => time.setNext(timestamp, parentMs))
      await mine(backend, blocks, 0, call)
      return quantityHex(0)
    },
  ),
  ...underBothNames('mine', mineMany),
  ...underBothNames('getAutomine', getAutomine),
  evm_setAutomine: method(
    { summary: 'Whether each transaction gets a block at once.', params: ['enabled'], result: DONE_FORM },
    [z.boolean()],
    async ({ dev }: DevBackend, [on]) => {
      if (on || dev.mining.kind === 'automatic') await dev.setMining({ kind: on ? 'automatic' : 'manual' })
      return DONE
    },
  ),
  evm_setIntervalMining: method(
    { summary: 'Makes a block at every interval; 0 waits for evm_mine.', params: ['seconds'], result: DONE_FORM },
    [looseInteger],
    async ({ dev }: DevBackend, [seconds]) => {
      await dev.setMining(intervalOf(seconds))
      return DONE
    },
  ),
  ...underBothNames('dropTransaction', dropTransaction),
}
