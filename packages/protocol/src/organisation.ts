import * as codec from './codec.ts'
import { LIMITS } from './limits.ts'
import { rolesProblem } from './roles.ts'

/** A member of the consortium. Its id (`idOfName`) is the key under which the state holds it. */
export interface Organisation {
  /** For people. */
  readonly name: string
  /** A suspended organisation's accounts may not act. Its nodes and validators go on, and its voters vote. */
  readonly suspended: boolean
  /** Weight of its vote in governance. */
  readonly votes: number
  /** Its part of the block space among organisations that want more than there is, in relation to the others' shares. */
  readonly share: number
  /** Roles that its admins may give. */
  readonly grantable: number
  /** Number of its accounts, of nodes and of validators in the state. */
  readonly members: number
  /** Number of its accounts that vote: with the role voter, and not suspended. */
  readonly voters: number
  /** Number of checkpoints of its votes. */
  readonly checkpoints: number
}

export const organisationCodec: codec.Codec<Organisation> = codec.struct({
  name: codec.checked(codec.utf8(LIMITS.organisationNameBytesMax), (name) =>
    name === '' ? 'an organisation must have a name' : undefined,
  ),
  suspended: codec.bool,
  votes: codec.u32(LIMITS.votesMax),
  share: codec.checked(codec.u32(LIMITS.shareMax), (share) => (share === 0 ? 'a share must be at least 1' : undefined)),
  grantable: codec.checked(codec.u32<number>(), rolesProblem),
  members: codec.u32(),
  voters: codec.u32(),
  checkpoints: codec.u32(),
})

/** Votes from a height on, until the next checkpoint. */
export interface VotesCheckpoint {
  /** The block that changed them. */
  readonly height: number
  readonly votes: number
}

export const votesCheckpointCodec: codec.Codec<VotesCheckpoint> = codec.struct({ height: codec.u64(), votes: codec.u64() })

/** Sums over all organisations. */
export interface OrganisationTotals {
  readonly organisations: number
  readonly votes: number
  /** Number of checkpoints of `votes`. */
  readonly checkpoints: number
}

export const organisationTotalsCodec: codec.Codec<OrganisationTotals> = codec.struct({
  organisations: codec.u32(LIMITS.organisationsMax),
  votes: codec.u64(),
  checkpoints: codec.u32(),
})
