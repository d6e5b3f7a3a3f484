import { looseInteger, method } from '@quoin/node/rpc'
import { ok } from '@quoin/protocol'
import type { DevBackend } from '../dev-backend.ts'
import { timed } from './errors.ts'
import { type DevMethods, DONE, underBothNames } from './naming.ts'

const setInterval = (seconds: number | undefined) => (backend: DevBackend) =>
  timed(backend, (time) => {
    time.setInterval(seconds)
    return ok(DONE)
  })

/** Sets the chain's time. All parameters are in seconds. */
export const timeMethods: DevMethods = {
  evm_increaseTime: method([looseInteger], (backend: DevBackend, [seconds]) => timed(backend, (time) => time.increase(seconds))),
  evm_setNextBlockTimestamp: method([looseInteger], async (backend: DevBackend, [timestamp]) => {
    await timed(backend, (time, parentMs) => time.setNext(timestamp, parentMs))
    return DONE
  }),
  evm_setTime: method([looseInteger], (backend: DevBackend, [timestamp]) =>
    timed(backend, (time, parentMs) => time.moveTo(timestamp, parentMs)),
  ),
  ...underBothNames(
    'setBlockTimestampInterval',
    method([looseInteger], (backend: DevBackend, [seconds]) => setInterval(seconds)(backend)),
  ),
  ...underBothNames('removeBlockTimestampInterval', method([], setInterval(undefined))),
}
