import { type Address, codec, type Height, type Round } from '@quoin/protocol'
import { createSignState, SIGN_STATE_FORMAT, signRecordCodec } from '../../packages/node/src/engine/last-sign-state.ts'
import { RecordFile } from '../../packages/node/src/engine/record-file.ts'
import { MemoryLog } from '../../packages/node/src/store/memory-log.ts'
import { crc32cTable } from '../../packages/node/test/crc32c.ts'
import { FileState } from './file-state.ts'

/**
 * Number of steps whose records fill slightly less than the size at which a sign state is rewritten; fifty heights later it is rewritten.
 */
const STEPS = 8_700

/** The sign state of a validator that has signed for a long time: all in rounds of genesis' height, in which nobody votes. */
export async function agedSignState(validator: Address): Promise<FileState> {
  const log = new MemoryLog()
  const powers = { file: log, crc32c: crc32cTable, random: { bytes: (length: number) => new Uint8Array(length) } }
  await createSignState(powers, validator)
  const { file } = await RecordFile.open(powers, SIGN_STATE_FORMAT)
  const signed = { height: 0 as Height, step: 'prevote', digest: new Uint8Array(32), signature: new Uint8Array(64) } as const
  for (let round = 0; round < STEPS; round++)
    file.append(codec.encode(signRecordCodec, { kind: 'step', ...signed, round: round as Round }))
  await file.sync()
  return new FileState(log.content)
}
