import { CONSENSUS_LIMITS } from '@quoin/consensus'
import { LIMITS } from '@quoin/protocol'
import { RECOVERY_POOL_DEFAULTS } from './crypto/recovery-pool.ts'
import { ENGINE_LIMITS } from './engine/limits.ts'
import { MESSAGE_BYTES_MAX, REQUEST_BYTES_MAX, RESPONSE_BYTES_MAX } from './engine/messages.ts'
import { GOSSIP_LIMITS } from './mempool/gossip/limits.ts'
import { OFFER_LIMITS, POOL_LIMITS } from './mempool/limits.ts'
import { NETWORK_LIMITS } from './network/limits.ts'
import { SYNC_LIMITS } from './sync/limits.ts'

const { roundsAheadMax, pastRoundsMax } = CONSENSUS_LIMITS
/** Rounds of a height of which votes are kept at one time. */
const roundsMax = pastRoundsMax + 1 + roundsAheadMax

/** What bounds of different parts promise each other. docs/limits.md says what happens at each of them. */
export const LIMIT_RELATIONS: readonly (readonly [holds: boolean, rule: string])[] = [
  [NETWORK_LIMITS.messageBytesMax >= MESSAGE_BYTES_MAX, 'the network carries the largest message of the engine'],
  [NETWORK_LIMITS.requestBytesMax >= REQUEST_BYTES_MAX, 'the network carries the largest question of the engine'],
  [NETWORK_LIMITS.responseBytesMax >= RESPONSE_BYTES_MAX, 'the network carries a block as an answer'],
  [NETWORK_LIMITS.responseBytesMax >= SYNC_LIMITS.responseBytesMax, 'the network carries the largest answer of block sync'],
  [ENGINE_LIMITS.eventsPerPeerBytesMax >= 2 * NETWORK_LIMITS.messageBytesMax, 'a peer has room for two of the largest messages'],
  [ENGINE_LIMITS.eventsBytesMax >= 8 * ENGINE_LIMITS.eventsPerPeerBytesMax, 'eight peers that flood do not fill the queue'],
  [ENGINE_LIMITS.eventsCountMax >= 8 * ENGINE_LIMITS.eventsPerPeerCountMax, 'eight peers that flood do not fill the queue'],
  [ENGINE_LIMITS.batchMsMax <= 20, 'a batch leaves the loop within 20 ms'],
  [ENGINE_LIMITS.proposalRoundsAheadMax <= roundsAheadMax, 'the driver takes every proposal that the inbox lets pass'],
  [
    ENGINE_LIMITS.earlyRoundsMax <= ENGINE_LIMITS.proposalRoundsAheadMax,
    'what is kept early is near enough when its height begins',
  ],
  [
    ENGINE_LIMITS.receivedRoundsMax >= pastRoundsMax + 1 + ENGINE_LIMITS.proposalRoundsAheadMax,
    'every proposal in reach has its arrival',
  ],
  [
    ENGINE_LIMITS.proposedBlocksCountMax >= 2 * ENGINE_LIMITS.variantsCountMax * (1 + ENGINE_LIMITS.proposalRoundsAheadMax),
    'proposals of this round and of those ahead have room',
  ],
  [ENGINE_LIMITS.verifiedVotesCountMax >= 2 * roundsMax * LIMITS.validatorsMax, 'a vote that is kept is not verified again'],
  [ENGINE_LIMITS.takenMessagesCountMax >= 2 * roundsMax * LIMITS.validatorsMax, 'a vote that is kept is not taken again'],
  [CONSENSUS_LIMITS.proposalsPerRoundMax >= ENGINE_LIMITS.variantsCountMax, 'the driver keeps every variant that was verified'],
  [
    RECOVERY_POOL_DEFAULTS.signaturesQueuedMax >= POOL_LIMITS.verificationsMax + POOL_LIMITS.verifyTurnMax,
    'sender recovery takes all that may be verified at one time',
  ],
  [
    NETWORK_LIMITS.gossipBytesMax >=
      GOSSIP_LIMITS.payloadBytesMin + LIMITS.transactionBytesMax + 4 * (1 + GOSSIP_LIMITS.payloadTransactionsMax),
    'the network carries the largest payload of gossip',
  ],
  [
    POOL_LIMITS.verificationsMax >= 16 * GOSSIP_LIMITS.verifyingPerPeerMax,
    'eight peers leave half of the verification to clients and others',
  ],
  [GOSSIP_LIMITS.turnTransactionsMax >= 4 * GOSSIP_LIMITS.sliceTransactionsMax, 'several peers have a slice in one turn'],
  [GOSSIP_LIMITS.turnBytesMax >= 4 * GOSSIP_LIMITS.sliceBytesMax, 'several peers have a slice in one turn'],
  [
    GOSSIP_LIMITS.repeatBurstBytes >= NETWORK_LIMITS.gossipPendingBytesMax,
    'what is under way when a peer is blamed for the first time does not ban it',
  ],
  [
    GOSSIP_LIMITS.publishedMs >= 2 * GOSSIP_LIMITS.sentMs + 30_000,
    'what a node publishes again is no repeat to others, though the first time was late by half a minute',
  ],
  [POOL_LIMITS.rememberedMax >= LIMITS.blockTransactionsMax, 'the transactions of a body are still known when it is executed'],
  [POOL_LIMITS.rememberedBytesMax >= LIMITS.blockBytesMax, 'the transactions of a body are still known when it is executed'],
  [POOL_LIMITS.bytesMax >= 2 * LIMITS.blockBytesMax, 'the pool fills a block'],
  [
    OFFER_LIMITS.gasFactor >= 1 && OFFER_LIMITS.bytesFactor >= 1 && OFFER_LIMITS.countMax >= LIMITS.blockTransactionsMax,
    'a builder is offered what fills a block',
  ],
  [POOL_LIMITS.useEntriesMax >= LIMITS.blockTransactionsMax, 'the use of a block counts, whatever it holds'],
]

// A relation that does not hold is a bug of whoever changed a limit: nothing starts with it.
for (const [holds, rule] of LIMIT_RELATIONS) if (!holds) throw new RangeError(`limits contradict each other: ${rule}`)
