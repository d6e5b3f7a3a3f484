import type { Address, Hash, Result } from '@quoin/protocol'
import type { Journal } from '../../state/journal.ts'
import type { HostContext } from '../../vm/index.ts'
import type { Contracts } from '../contracts.ts'
import type { EntryCall } from '../entry.ts'
import type { Failure, Success } from '../failure.ts'
import type { GasMeter } from '../gas-meter.ts'
import type { BlockContext, InnerMessage, MessageOutcome, Sender } from '../message.ts'
import type { Program } from '../program.ts'

/** Part of the machine that native contracts may use. */
export interface NativeHost {
  readonly contracts: Contracts
  readonly journal: Journal
  readonly block: BlockContext
  /** Whether a contract is on the call stack. */
  isUnderWay(address: Address): boolean
  /** Whether the block has paid for a code's load. */
  isLoaded(codeHash: Hash): boolean
  /** Records a use of a code, whose load the block has paid for. */
  markLoaded(codeHash: Hash, program: Program): void
  /** Sends a message from the native contract. `host` is the innermost frame of a guest, if there is one. */
  send(sender: Sender, message: InnerMessage, host: HostContext | undefined): MessageOutcome
  /** Runs one entry of another contract in its own frame and encodes its result. */
  enter(meter: GasMeter, call: EntryCall, host: HostContext | undefined): Result<Success, Failure>
}
