import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import * as any from '../test/arbitraries.ts'
import { concatBytes, hexToBytes, numberToBytes } from './bytes.ts'
import { nobleCrypto as crypto } from './noble.ts'
import { readyDigest, rotationDigest } from './validator-key-proof.ts'

const sha256 = (...parts: readonly Uint8Array[]) =>
  Uint8Array.from(
    createHash('sha256')
      .update(concatBytes(...parts))
      .digest(),
  )

it('what a key signs is SHA-256 of the chain, the kind, and what it proves', () => {
  fc.assert(
    fc.property(any.signingDomain, any.hash, any.height, any.address, (domain, id, height, previous) => {
      const head = (kind: number) =>
        concatBytes(hexToBytes(domain.genesisHash), numberToBytes(domain.restartEpoch, 4), Uint8Array.of(kind))
      expect(readyDigest(crypto, domain, id, height)).toEqual(sha256(head(5), hexToBytes(id), numberToBytes(height, 8)))
      expect(rotationDigest(crypto, domain, id, previous)).toEqual(sha256(head(6), hexToBytes(id), hexToBytes(previous)))
    }),
  )
})
