import { CONSENSUS_LIMITS } from '@quoin/consensus'
import { LIMITS } from '@quoin/protocol'
import { RECOVERY_POOL_DEFAULTS } from './crypto/recovery-pool.ts'
import { ENGINE_LIMITS } from './engine/limits.ts'
import { MESSAGE_BYTES_MAX, REQUEST_BYTES_MAX, RESPONSE_BYTES_MAX } from './engine/messages.ts'
import { CALL_POOL_DEFAULTS } from './executor/call-runner.ts'
import { PROOF_POOL_LIMITS } from './executor/proof-runner.ts'
import { GOSSIP_LIMITS } from './mempool/gossip/limits.ts'
import { OFFER_LIMITS, POOL_LIMITS } from './mempool/limits.ts'
import { NETWORK_LIMITS } from './network/limits.ts'
import { DEFAULT_RPC_LIMITS } from './rpc/limits.ts'
import { SYNC_LIMITS } from './sync/limits.ts'

const { roundsAheadMax, pastRoundsMax } = CONSENSUS_LIMITS
/** Number of rounds of a height for which votes are kept at the same time. */
const roundsMax = pastRoundsMax + 1 + roundsAheadMax

/** Relations that must hold between limits of different modules. docs/limits.md says what happens at each limit. */
export const LIMIT_RELATIONS: readonly (readonly [holds: boolean, rule: string])[] = [
  [NETWORK_LIMITS.messageBytesMax >= MESSAGE_BYTES_MAX, 'the network carries the largest message of the engine'],
  [NETWORK_LIMITS.requestBytesMax >= REQUEST_BYTES_MAX, 'the network carries the largest request of the engine'],
  [NETWORK_LIMITS.responseBytesMax >= RESPONSE_BYTES_MAX, 'the network carries a block as an answer'],
  [NETWORK_LIMITS.responseBytesMax >= SYNC_LIMITS.responseBytesMax, 'the network carries the largest answer of block sync'],
  [
    ENGINE_LIMITS.eventsPerPeerBytesMax >= 2 * NETWORK_LIMITS.messageBytesMax,
    'the queue has room for two of the largest messages of a peer',
  ],
  [ENGINE_LIMITS.eventsBytesMax >= 8 * ENGINE_LIMITS.eventsPerPeerBytesMax, 'eight flooding peers do not fill the queue'],
  [ENGINE_LIMITS.eventsCountMax >= 8 * ENGINE_LIMITS.eventsPerPeerCountMax, 'eight flooding peers do not fill the queue'],
  [ENGINE_LIMITS.batchMsMax <= 20, 'a batch leaves the loop within 20 ms'],
  [ENGINE_LIMITS.proposalRoundsAheadMax <= roundsAheadMax, 'the driver accepts every proposal that passes the inbox'],
  [
    ENGINE_LIMITS.earlyRoundsMax <= ENGINE_LIMITS.proposalRoundsAheadMax,
    'an early message that is kept is within reach when its height begins',
  ],
  [
    ENGINE_LIMITS.receivedRoundsMax >= pastRoundsMax + 1 + ENGINE_LIMITS.proposalRoundsAheadMax,
    'an arrival time is kept for every proposal within reach',
  ],
  [
    ENGINE_LIMITS.proposedBlocksCountMax >= 2 * ENGINE_LIMITS.variantsCountMax * (1 + ENGINE_LIMITS.proposalRoundsAheadMax),
    'there is room for the proposals of this round and of the rounds ahead',
  ],
  [ENGINE_LIMITS.verifiedVotesCountMax >= 2 * roundsMax * LIMITS.validatorsMax, 'a vote that is kept is not verified again'],
  [ENGINE_LIMITS.takenMessagesCountMax >= 2 * roundsMax * LIMITS.validatorsMax, 'a vote that is kept is not processed again'],
  [CONSENSUS_LIMITS.proposalsPerRoundMax >= ENGINE_LIMITS.variantsCountMax, 'the driver keeps every variant that was verified'],
  [
    RECOVERY_POOL_DEFAULTS.signaturesQueuedMax >= POOL_LIMITS.verificationsMax + POOL_LIMITS.verifyTurnMax,
    'sender recovery accepts everything that may be verified at the same time',
  ],
  [
    NETWORK_LIMITS.gossipBytesMax >=
      GOSSIP_LIMITS.payloadBytesMin + LIMITS.transactionBytesMax + 4 * (1 + GOSSIP_LIMITS.payloadTransactionsMax),
    'the network carries the largest gossip payload',
  ],
  [
    POOL_LIMITS.verificationsMax >= 16 * GOSSIP_LIMITS.verifyingPerPeerMax,
    'eight peers leave half of the verification capacity to clients and others',
  ],
  [GOSSIP_LIMITS.turnTransactionsMax >= 4 * GOSSIP_LIMITS.sliceTransactionsMax, 'one turn has room for slices of several peers'],
  [GOSSIP_LIMITS.turnBytesMax >= 4 * GOSSIP_LIMITS.sliceBytesMax, 'one turn has room for slices of several peers'],
  [
    GOSSIP_LIMITS.repeatBurstBytes >= NETWORK_LIMITS.gossipPendingBytesMax,
    'payloads in flight when a peer is first blamed do not get it banned',
  ],
  [
    GOSSIP_LIMITS.publishedMs >= 2 * GOSSIP_LIMITS.sentMs + 30_000,
    'other nodes do not count a republished transaction as a repeat, even if the first copy arrived half a minute late',
  ],
  [
    POOL_LIMITS.rememberedMax >= LIMITS.blockTransactionsMax,
    'the pool still remembers the transactions of a block body when it is executed',
  ],
  [
    POOL_LIMITS.rememberedBytesMax >= LIMITS.blockBytesMax,
    'the pool still remembers the transactions of a block body when it is executed',
  ],
  [POOL_LIMITS.bytesMax >= 2 * LIMITS.blockBytesMax, 'the pool can fill a block'],
  [
    OFFER_LIMITS.gasFactor >= 1 && OFFER_LIMITS.bytesFactor >= 1 && OFFER_LIMITS.countMax >= LIMITS.blockTransactionsMax,
    'the offer to a block builder can fill a block',
  ],
  ...[CALL_POOL_DEFAULTS, PROOF_POOL_LIMITS].flatMap(
    ({ callsQueuedMax, callsQueuedPerRemoteMax, queuedBytesMax, queuedBytesPerRemoteMax }) =>
      [
        [callsQueuedMax >= 2 * callsQueuedPerRemoteMax, 'one address does not fill a queue of calls or proofs'],
        [queuedBytesMax >= 4 * queuedBytesPerRemoteMax, 'three addresses do not fill the memory of a queue of calls or proofs'],
      ] as const,
  ),
  [
    CALL_POOL_DEFAULTS.queuedBytesPerRemoteMax >= 4 * DEFAULT_RPC_LIMITS.requestBytesMax,
    'an address may have several of the largest calls waiting',
  ],
  [
    PROOF_POOL_LIMITS.queuedBytesPerRemoteMax >= 4 * DEFAULT_RPC_LIMITS.proofKeysMax * LIMITS.stateKeyBytesMax,
    'an address may have several of the largest questions for proofs waiting',
  ],
  [POOL_LIMITS.useEntriesMax >= LIMITS.blockTransactionsMax, 'the gas use of every sender of a block is recorded'],
]

// A violated relation is a bug in a changed limit: refuse to start.
for (const [holds, rule] of LIMIT_RELATIONS) if (!holds) throw new RangeError(`limits contradict each other: ${rule}`)
