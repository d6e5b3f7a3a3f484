import { type Address, bytesToHex, type Hash, idOfName, LIMITS, nameOfId, parseUtf8, SHORT_NAME_RULE } from '@quoin/protocol'
import { z } from 'zod'
import type { RpcBackend } from '../backend.ts'
import * as forms from '../forms/index.ts'
import { type Methods, method } from '../method.ts'
import { address, withForm } from '../schema.ts'

const limit = z.int().min(1).max(forms.REGISTRY_PAGE_MAX).nullish()

/** Where a page begins, and how long it is. All of it may be left out. */
const pageRequest = <T>(form: forms.Schema, after: z.ZodType<T>) =>
  withForm(
    form,
    z
      .strictObject({ after: after.nullish(), limit })
      .default({})
      .transform((given) => ({ after: given.after ?? undefined, limit: given.limit ?? forms.REGISTRY_PAGE_MAX })),
  )

const organisationId = z.string().transform((name, context): Hash => {
  const id = idOfName(name)
  if (id !== undefined) return id
  context.addIssue({ code: 'custom', message: `must be a short name: ${SHORT_NAME_RULE}` })
  return z.NEVER
})
const peerId = z
  .string()
  .max(LIMITS.peerIdCharsMax, { error: `is longer than ${LIMITS.peerIdCharsMax} characters`, abort: true })
  .regex(/^[\x21-\x7e]+$/, 'must be printable ASCII without spaces')

const nameOf = (id: Hash): string => nameOfId(id) ?? id

/** The next page begins after its last entry. A page whose entries did not all decode still ends with one that did, or the list does. */
const pageOf = <T>(entries: readonly T[], isLast: boolean, keyOf: (entry: T) => string) => {
  const last = entries.at(-1)
  return { entries, next: isLast || last === undefined ? null : keyOf(last) }
}

/** Who belongs to the chain: lists of what the chain contract's views read by key. All at the head, each page at one moment. */
export const registryMethods: Methods<RpcBackend> = {
  quoin_organisations: method(
    { summary: 'The organisations of the chain, by short name.', params: ['page'], result: forms.organisationPage },
    [pageRequest(forms.organisationPageRequest, organisationId)],
    async ({ registry }: RpcBackend, [request]) => {
      const { entries, isLast } = await registry.organisations(request.after, request.limit)
      const shown = entries.map(({ key, value: { checkpoints: _, ...organisation } }) => {
        const id = bytesToHex(key) as string as Hash
        return { id, shortName: nameOf(id), ...organisation }
      })
      return pageOf(shown, isLast, ({ shortName }) => shortName)
    },
  ),
  quoin_accounts: method(
    { summary: 'The accounts and contracts that have an entry, by address.', params: ['page'], result: forms.accountEntryPage },
    [pageRequest(forms.accountPageRequest, address)],
    async ({ registry }: RpcBackend, [request]) => {
      const { entries, isLast } = await registry.accounts(request.after, request.limit)
      const shown = entries.map(({ key, value }) => ({
        address: bytesToHex(key) as string as Address,
        ...value,
        organisation: nameOf(value.organisation),
      }))
      return pageOf(shown, isLast, (entry) => entry.address)
    },
  ),
  quoin_nodes: method(
    { summary: 'The registered nodes with their addresses, by peer id.', params: ['page'], result: forms.nodePage },
    [pageRequest(forms.nodePageRequest, peerId)],
    async ({ registry }: RpcBackend, [request]) => {
      const { entries, isLast } = await registry.nodes(request.after, request.limit)
      const shown = entries.map(({ key, value: { kind, organisation, addresses } }) => ({
        peerId: parseUtf8(key) ?? '',
        ...{ kind, organisation: nameOf(organisation), addresses },
      }))
      return pageOf(shown, isLast, (entry) => entry.peerId)
    },
  ),
  quoin_validators: method(
    {
      summary: 'The validators as governance wants them, and their power at the next heights.',
      params: [],
      result: forms.validators,
    },
    [],
    ({ registry }: RpcBackend) => {
      const { roster, sets } = registry.validators()
      return roster.map(({ id, organisation, publicKey, ...entry }) => ({
        ...{ id, shortName: nameOf(id), organisation: nameOf(organisation), publicKey: bytesToHex(publicKey) },
        ...entry,
        powerNext: sets.next.withId(id)?.power ?? 0,
        powerAfterNext: sets.afterNext.withId(id)?.power ?? 0,
      }))
    },
  ),
}
