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
import type { EvidenceSink } from './evidence-sink.ts'
import type { Received } from './inbox.ts'
import type { Signer } from './private-validator.ts'
import type { SignStateOptions } from './sign-custody.ts'
import type { Elapsed } from './ticker.ts'
import type { ValueEvent } from './values.ts'

/** Powers and settings of the consensus engine. */
export interface EngineOptions {
  readonly crypto: Crypto
  readonly crc32c: Crc32c
  readonly clock: Clock
  readonly random: Random
  readonly transport: Pick<Transport, 'peers' | 'send' | 'request' | 'penalise'>
  /** The caller opened these files, and closes them after the engine has stopped. */
  readonly files: { readonly wal: LogFile; readonly signState: LogFile }
  readonly chain: Chain
  readonly blocks: BlockReader
  readonly mempool: Mempool
  readonly sync: BlockSync
  /** If undefined, the node follows the chain and does not vote. */
  readonly signer: Signer | undefined
  readonly signState?: SignStateOptions | undefined
  readonly evidence: EvidenceSink
  readonly logger: Logger
  /** Called once when the engine has stopped by itself, for good. The error says why. */
  readonly onHalt: (error: unknown) => void
}

/** Position of the engine. `waiting`: the height has not begun, because there is nothing to put into a block yet. */
export interface EngineStatus {
  readonly height: Height
  readonly round: Round
  readonly step: State['step'] | 'waiting'
  /** Explains why this validator signs nothing at this height; undefined if it signs, or has no vote. */
  readonly silence: string | undefined
}

/** The consensus state of a height, and the votes that led to it. */
export type ConsensusView = Pick<Consensus, 'state' | 'votes'>

/** Events of the engine's loop. An event that belongs to a height carries it; the loop drops events of any other height. */
export type EngineEvent =
  | ({ readonly kind: 'message' } & Received)
  | { readonly kind: 'peer'; readonly peer: PeerId }
  | { readonly kind: 'due'; readonly height: Height }
  | { readonly kind: 'elapsed'; readonly height: Height; readonly elapsed: Elapsed }
  | { readonly kind: 'value'; readonly height: Height; readonly event: ValueEvent }
  | { readonly kind: 'synced'; readonly synced: SyncedBlock }
  | { readonly kind: 'tick' }
  | { readonly kind: 'rejoined' }
