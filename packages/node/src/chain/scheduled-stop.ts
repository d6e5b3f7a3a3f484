import { type Hash, type Height, nextHeight, type Schedule, versionAt } from '@quoin/protocol'
import { EndingError } from '../health/ending-error.ts'

/** Where a node stands, as far as it decides whether it may go on. */
export interface Standpoint {
  /** The last block, and its execution version. */
  readonly height: Height
  readonly executionVersion: Hash
  readonly schedule: Schedule
}

/** What this node brings along. */
export interface StopOptions {
  /** The execution version of this release. */
  readonly version: Hash
  /** The halt height after which the operator has told this node to continue. */
  readonly resumeAfter: Height | undefined
}

/**
 * Why this node must not make or judge the next block: the chain halts after the last one, or the next one needs another release.
 *
 * @returns undefined if it may
 */
export function scheduledStop(
  { height, executionVersion, schedule }: Standpoint,
  { version, resumeAfter }: StopOptions,
): EndingError | undefined {
  const next = nextHeight(height)
  const needed = versionAt(schedule, next, executionVersion)
  if (needed !== version)
    return stop(
      `block ${next} needs execution version ${needed}, and this release has version ${version}: install the release with that version, and start the node again`,
    )
  if (schedule.haltHeight === height && resumeAfter !== height)
    return stop(
      `the consortium halted the chain after block ${height}: when you have agreed to go on, start the node with --chain-resume-after ${height}`,
    )
  return undefined
}

const stop = (message: string): EndingError => new EndingError({ code: 'scheduled-stop', message })
