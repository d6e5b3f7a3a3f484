import { looseInteger, method } from '@quoin/node/rpc'
import { ok } from '@quoin/protocol'
import type { DevBackend } from '../dev-backend.ts'
import { timed } from './errors.ts'
import { type DevMethods, DONE, DONE_FORM, underBothNames } from './naming.ts'

const setInterval = (seconds: number | undefined) => (backend: DevBackend) =>
  timed(backend, (time) => {
    time.setInterval(seconds)
    return ok(DONE)
  })

/** Sets the chain's time. All parameters are in seconds. */
export const timeMethods: DevMethods = {
  evm_increaseTime: method(
    {
      summary: 'Moves the clock forward; answers its lead over the wall clock, in seconds.',
      params: ['seconds'],
      result: { type: 'integer' },
    },
    [looseInteger],
    (backend: DevBackend, [seconds]) => timed(backend, (time) => time.increase(seconds)),
  ),
  evm_setNextBlockTimestamp: method(
    { summary: 'Sets the timestamp of the next block.', params: ['timestamp'], result: DONE_FORM },
    [looseInteger],
    async (backend: DevBackend, [timestamp]) => {
      await timed(backend, (time, parentMs) => time.setNext(timestamp, parentMs))
      return DONE
    },
  ),
  evm_setTime: method(
    { summary: 'Sets the clock; answers by how many seconds it moved.', params: ['timestamp'], result: { type: 'integer' } },
    [looseInteger],
    (backend: DevBackend, [timestamp]) => timed(backend, (time, parentMs) => time.moveTo(timestamp, parentMs)),
  ),
  ...underBothNames(
    'setBlockTimestampInterval',
    method(
      { summary: 'Sets the seconds between two blocks.', params: ['seconds'], result: DONE_FORM },
      [looseInteger],
      (backend: DevBackend, [seconds]) => setInterval(seconds)(backend),
    ),
  ),
  ...underBothNames(
    'removeBlockTimestampInterval',
    method(
      { summary: 'Lets the clock set the time of blocks again.', params: [], result: DONE_FORM },
      [],
      setInterval(undefined),
    ),
  ),
}
