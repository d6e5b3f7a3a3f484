import { LIMITS, SHORT_NAME_CHARS_MAX } from '@quoin/protocol'
import { closed, component, flag, list, oneOf, orNull, type Schema, text } from './json-schema.ts'
import { address, bytes, hash, string, whole } from './values.ts'

/** Lists of the chain contract (docs/json-rpc.md, "Members of the chain"). */

/** Entries on one page. */
export const REGISTRY_PAGE_MAX = 200

const shortName = text(`[a-z0-9](?:[a-z0-9-]{0,${SHORT_NAME_CHARS_MAX - 2}}[a-z0-9])?`)
const peerId = text(`[\\x21-\\x7e]{1,${LIMITS.peerIdCharsMax}}`)

const pageOf = (after: Schema): Schema =>
  closed({}, { after, limit: { type: 'integer', minimum: 1, maximum: REGISTRY_PAGE_MAX } })

export const organisationPageRequest = component('OrganisationPageRequest', pageOf(shortName))
export const accountPageRequest = component('AccountEntryPageRequest', pageOf(address))
export const nodePageRequest = component('NodePageRequest', pageOf(peerId))

/** Bits, as in the chain contract: 1 admin, 2 voter, 4 sender, 8 deployer, 16 operator, 32 reader, 64 auditor; bits 16 to 31 are the consortium's. */
const roles: Schema = { type: 'integer', minimum: 0, maximum: 0xffff_ffff }

const page = (entry: Schema, next: Schema): Schema => closed({ entries: list(entry), next: orNull(next) })

export const organisationPage = component(
  'OrganisationPage',
  page(
    closed({
      ...{ id: hash, shortName, name: string, suspended: flag, votes: whole, share: whole },
      ...{ grantable: roles, members: whole, voters: whole },
    }),
    shortName,
  ),
)
export const accountEntryPage = component(
  'AccountEntryPage',
  page(closed({ address, organisation: shortName, roles, expiry: whole, suspended: flag }), address),
)
export const nodePage = component(
  'NodePage',
  page(closed({ peerId, kind: oneOf('validator', 'observer'), organisation: shortName, addresses: list(string) }), peerId),
)
export const validators = component(
  'Validators',
  list(
    closed({
      ...{ id: hash, shortName, organisation: shortName, publicKey: bytes, address, power: whole, feeAddress: address },
      ...{ peerIds: list(peerId), readyAt: whole, changedAt: whole, rotatedAt: whole, equivocated: flag },
      ...{ powerNext: whole, powerAfterNext: whole },
    }),
  ),
)
