import type { State } from '@quoin/consensus'
import type { Crypto, Height, Round } from '@quoin/protocol'
import type { Chain } from '../chain/types.ts'
import type { Logger } from '../logger.ts'
import type { Mempool } from '../mempool/types.ts'
import type { Clock, LogFile, PeerId, Random, Transport } from '../powers.ts'
import type { BlockReader } from '../store/types.ts'
import type { BlockSync, SyncedBlock } from '../sync/types.ts'
import type { Consensus } from './consensus.ts'
import type { Crc32c } from './crc32c.ts'
import type { Received } from './inbox.ts'
import type { Signer } from './private-validator.ts'
import type { SignStateOptions } from './sign-custody.ts'
import type { Elapsed } from './ticker.ts'
import type { ValueEvent } from './values.ts'

export interface InterpreterOptions {
  readonly crypto: Crypto
  readonly crc32c: Crc32c
  readonly clock: Clock
  readonly random: Random
  readonly transport: Pick<Transport, 'peers' | 'send' | 'request' | 'penalise'>
  /** Closed by whoever opened them, after the engine has stopped. */
  readonly files: { readonly wal: LogFile; readonly signState: LogFile }
  readonly chain: Chain
  readonly blocks: BlockReader
  readonly mempool: Mempool
  readonly sync: BlockSync
  /** Undefined follows without voting. */
  readonly signer: Signer | undefined
  readonly signState?: SignStateOptions | undefined
  readonly logger: Logger
  /** The engine has stopped by itself, for good: see the error. Called once. */
  readonly onHalt: (error: unknown) => void
}

/** Where the engine is. `waiting`: the height has not begun, for there is nothing to put into a block yet. */
export interface EngineStatus {
  readonly height: Height
  readonly round: Round
  readonly step: State['step'] | 'waiting'
  /** Why this validator signs nothing at this height, in words; undefined when it does, or has no vote. */
  readonly silence: string | undefined
}

/** Where this node stands in a height, and the votes that brought it there. */
export type ConsensusView = Pick<Consensus, 'state' | 'votes'>

/** What the engine's loop deals with. Those that belong to a height carry it: one of another height than the engine's is dropped, whatever it is. */
export type EngineEvent =
  | ({ readonly kind: 'message' } & Received)
  | { readonly kind: 'peer'; readonly peer: PeerId }
  | { readonly kind: 'due'; readonly height: Height }
  | { readonly kind: 'elapsed'; readonly height: Height; readonly elapsed: Elapsed }
  | { readonly kind: 'value'; readonly height: Height; readonly event: ValueEvent }
  | { readonly kind: 'synced'; readonly synced: SyncedBlock }
  | { readonly kind: 'tick' }
  | { readonly kind: 'rejoined' }
