import type { Address, Hash } from './bytes.ts'
import * as codec from './codec.ts'
import { type PublicKey, publicKeyCodec } from './keys.ts'
import { LIMITS } from './limits.ts'
import { type Height, POWER_MAX, type Power } from './numbers.ts'
import { idProblem } from './short-name.ts'

/** A validator as the state wants it. The sets of the next heights follow as fast as safety allows (`nextValidatorSet`). */
export interface RosterEntry {
  /** Names the validator for as long as it exists. Its key may change. */
  readonly id: Hash
  readonly organisation: Hash
  readonly publicKey: PublicKey
  /** Address of the key. */
  readonly address: Address
  /** 0 if it is to leave the set. */
  readonly power: Power
  readonly feeAddress: Address
  /** Its machines, as in the registry of nodes. Sorted, without duplicates. */
  readonly peerIds: readonly string[]
  /** Last block in which the key proved that it is in use. 0 if it never did. */
  readonly readyAt: Height
  /** Last block that changed power or key. Older changes take effect first. */
  readonly changedAt: Height
  /** Last block that changed the key; 0 if none did. */
  readonly rotatedAt: Height
  /** It has signed two different messages where one is allowed. It gets no power again. */
  readonly equivocated: boolean
}

const strictlySorted = (texts: readonly string[]): boolean => texts.every((text, i) => i === 0 || texts[i - 1]! < text)

export const rosterEntryCodec: codec.Codec<RosterEntry> = codec.struct({
  id: codec.checked(codec.hash, idProblem),
  organisation: codec.checked(codec.hash, idProblem),
  publicKey: publicKeyCodec,
  address: codec.address,
  power: codec.u64<Power>(POWER_MAX),
  feeAddress: codec.address,
  peerIds: codec.checked(codec.list(codec.ascii(LIMITS.peerIdCharsMax), LIMITS.validatorPeersMax), (peerIds) =>
    strictlySorted(peerIds) ? undefined : 'peer ids must be sorted, without duplicates',
  ),
  readyAt: codec.u64<Height>(),
  changedAt: codec.u64<Height>(),
  rotatedAt: codec.u64<Height>(),
  equivocated: codec.bool,
})

/** All validators that the state knows, sorted by id. No two have a key in common. */
export const rosterCodec: codec.Codec<readonly RosterEntry[]> = codec.checked(
  codec.list(rosterEntryCodec, LIMITS.validatorsMax),
  (entries) => {
    if (!strictlySorted(entries.map(({ id }) => id))) return 'validators must be sorted by id, without duplicates'
    if (new Set(entries.map(({ address }) => address)).size < entries.length) return 'two validators must not have the same key'
    return undefined
  },
)
