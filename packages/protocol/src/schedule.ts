import type { Hash } from './bytes.ts'
import * as codec from './codec.ts'
import type { Height } from './numbers.ts'

/** What governance has decided about heights to come. */
export interface Schedule {
  /** The last block before operators must say that their nodes continue; undefined for none. */
  readonly haltHeight: Height | undefined
  /** From which block on which execution version is used; undefined if the chain still has that of genesis. */
  readonly upgrade: { readonly height: Height; readonly executionVersion: Hash } | undefined
}

export const NO_SCHEDULE: Schedule = { haltHeight: undefined, upgrade: undefined }

export const scheduleCodec: codec.Codec<Schedule> = codec.struct({
  haltHeight: codec.optional(codec.u64<Height>()),
  upgrade: codec.optional(codec.struct({ height: codec.u64<Height>(), executionVersion: codec.hash })),
})

/**
 * The execution version of a block.
 *
 * @param before that of its parent
 */
export const versionAt = ({ upgrade }: Schedule, height: Height, before: Hash): Hash =>
  upgrade !== undefined && upgrade.height === height ? upgrade.executionVersion : before
