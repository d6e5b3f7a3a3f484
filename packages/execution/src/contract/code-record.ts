import { codec, codeRecordKey, type Hash, type UpgradeAuthority, unwrap, upgradeAuthorityCodec } from '@quoin/protocol'
import type { Journal, KeyUse } from '../state/journal.ts'
import type { Ticks } from '../ticks.ts'

/**
 * What the state knows about a code: that it was checked and evaluated, and all that creating another contract with it needs
 * except its program. It is written together with the code and never removed.
 */
export interface CodeRecord {
  /** Execution version under which the code was accepted. Under another one it has to be made again (`code.ts`). */
  readonly executionVersion: Hash
  /** Price in ticks of the code's first use in a block. */
  readonly loadGas: Ticks
  readonly codeBytes: number
  /** Authority that the container declares. */
  readonly authority: UpgradeAuthority
}

export const codeRecordCodec: codec.Codec<CodeRecord> = codec.struct({
  executionVersion: codec.hash,
  loadGas: codec.u64(),
  codeBytes: codec.u32(),
  authority: upgradeAuthorityCodec,
})

/** Record of a code; undefined when the state does not have the code, or only as code of a native contract. */
export function readCodeRecord(journal: Journal, codeHash: Hash): CodeRecord | undefined {
  const value = journal.value(codeRecordKey(codeHash))
  return value === undefined ? undefined : unwrap(codec.decode(codeRecordCodec, value))
}

/** How the current transaction has used the record of a code. */
export const codeRecordUse = (journal: Journal, codeHash: Hash): KeyUse => journal.valueUse(codeRecordKey(codeHash))

export function writeCodeRecord(journal: Journal, codeHash: Hash, record: CodeRecord): void {
  journal.setValue(codeRecordKey(codeHash), codec.encode(codeRecordCodec, record))
}
