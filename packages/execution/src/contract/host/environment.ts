import { ok } from '@quoin/protocol'
import { gasLeftOf, type Ticks } from '../../ticks.ts'
import type { GuestValue } from '../../vm/index.ts'
import { checksumText } from '../abi/address.ts'
import { CONTRACT_GAS } from '../contract-gas.ts'
import type { Frame } from '../frame.ts'
import { define, type HostEntry } from './define.ts'

const { word, address, block } = CONTRACT_GAS.environment

/**
 * Accessors of the guest's `quoin`. As in Solidity, a pure function may use none of them, so that it depends only on its
 * arguments.
 */
const accessor = (name: string, gas: Ticks, read: (frame: Frame, ticksLeft: Ticks) => GuestValue): HostEntry =>
  define({ name, access: 'read', gas, parameters: [] }, (frame, context) => ok(read(frame, context.gasLeft)))

export const ENVIRONMENT: readonly HostEntry[] = [
  accessor('sender', address, ({ crypto, sender }) => checksumText(crypto, sender)),
  accessor('value', word, ({ value }) => value),
  accessor('self', address, ({ crypto, self }) => checksumText(crypto, self)),
  accessor('chainId', word, ({ chainId }) => BigInt(chainId)),
  accessor('block', block, ({ crypto, block: { number, timeMs, proposer, gasLimit, baseFee } }) => ({
    number: BigInt(number),
    timestamp: BigInt(Math.floor(timeMs / 1000)),
    milliseconds: BigInt(timeMs),
    proposer: checksumText(crypto, proposer),
    gasLimit: BigInt(gasLimit),
    baseFee,
  })),
  accessor('gasLeft', word, (_frame, ticksLeft) => BigInt(gasLeftOf(ticksLeft))),
]
