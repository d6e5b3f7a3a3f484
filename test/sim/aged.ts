import type { Height, Round } from '@quoin/protocol'
import { crc32cTable } from '../../packages/node/src/engine/crc32c.ts'
import { LastSignState } from '../../packages/node/src/engine/last-sign-state.ts'
import { MemoryLog } from '../../packages/node/src/store/memory-log.ts'
import { FileState } from './file-state.ts'

/** Steps whose records come to a little less than the size at which a sign state is rewritten: fifty heights later it is. */
const STEPS = 8_750

/** The sign state of a validator that has signed for long: all in rounds of genesis' height, in which nobody votes. */
export async function agedSignState(): Promise<FileState> {
  const file = new MemoryLog()
  const random = { bytes: (length: number) => new Uint8Array(length) }
  const state = await LastSignState.open({ file, crc32c: crc32cTable, random })
  const signed = { height: 0 as Height, step: 'prevote', digest: new Uint8Array(32), signature: new Uint8Array(64) } as const
  for (let round = 0; round < STEPS; round++) state.record({ ...signed, round: round as Round })
  await state.sync()
  return new FileState(file.content)
}
