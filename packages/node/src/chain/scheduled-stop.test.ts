import type { Hash, Height, Schedule } from '@quoin/protocol'
import { NO_SCHEDULE } from '@quoin/protocol'
import { describe, expect, it } from 'vitest'
import { scheduledStop } from './scheduled-stop.ts'

const [V1, V2] = ['11', '22'].map((byte) => `0x${byte.repeat(32)}` as Hash)
const at = (height: number, schedule: Schedule, executionVersion = V1!) => ({
  height: height as Height,
  executionVersion,
  schedule,
})
const withVersion = (version = V1!, resumeAfter?: number) => ({ version, resumeAfter: resumeAfter as Height | undefined })
const halting: Schedule = { ...NO_SCHEDULE, haltHeight: 10 as Height }
const upgrading: Schedule = { ...NO_SCHEDULE, upgrade: { height: 11 as Height, executionVersion: V2! } }

describe('a node stops as scheduled', () => {
  it.each([
    ['without a schedule', at(10, NO_SCHEDULE), withVersion(), undefined],
    ['before the halt', at(9, halting), withVersion(), undefined],
    ['at the halt', at(10, halting), withVersion(), /halted the chain after block 10: .* --chain-resume-after 10$/],
    ['at the halt, told to go on', at(10, halting), withVersion(V1, 10), undefined],
    ['at the halt, told to go on after another', at(10, halting), withVersion(V1, 9), /halted/],
    ['after the halt', at(11, halting), withVersion(), undefined],
    ['before an upgrade that it lacks', at(10, upgrading), withVersion(), new RegExp(`block 11 needs execution version ${V2}`)],
    ['well before an upgrade', at(9, upgrading), withVersion(), undefined],
    ['with the new version too early', at(9, upgrading), withVersion(V2), new RegExp(`block 10 needs execution version ${V1}`)],
    ['with the new version at the upgrade', at(10, upgrading), withVersion(V2), undefined],
    ['after the upgrade', at(11, upgrading, V2), withVersion(V2), undefined],
    ['with the old version after the upgrade', at(20, upgrading, V2), withVersion(), /needs execution version/],
  ] as const)('%s', (_what, standpoint, options, message) => {
    const stop = scheduledStop(standpoint, options)
    if (message === undefined) expect(stop).toBeUndefined()
    else expect(stop?.ending).toMatchObject({ code: 'scheduled-stop', message: expect.stringMatching(message) })
  })
})
