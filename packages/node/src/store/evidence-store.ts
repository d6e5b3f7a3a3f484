import { codec, type Evidence, evidenceCodec, type Hash } from '@quoin/protocol'
import type { Kv } from '../powers.ts'
import { evidenceKey, evidenceRange } from './schema.ts'

/** Evidence that this node keeps in its database. Bytes that do not decode are left out: another release may have written them. */
export async function readEvidence(kv: Pick<Kv, 'scan'>): Promise<readonly Evidence[]> {
  const found: Evidence[] = []
  for await (const [, value] of kv.scan(evidenceRange)) {
    const decoded = codec.decode(evidenceCodec, value)
    if (decoded.ok) found.push(decoded.value)
  }
  return found
}

/** Durably adds and removes evidence, by its hash. */
export const writeEvidence = (kv: Pick<Kv, 'write'>, changes: ReadonlyMap<Hash, Evidence | undefined>): Promise<void> =>
  kv.write(
    [...changes].map(([hash, evidence]) => ({
      key: evidenceKey(hash),
      value: evidence && codec.encode(evidenceCodec, evidence),
    })),
  )
