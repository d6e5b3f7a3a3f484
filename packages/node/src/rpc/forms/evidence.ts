import { closed, component, flag, list, oneOf, orNull } from './json-schema.ts'
import { address, bytes, hash, quantity } from './values.ts'

const place = { height: quantity, round: quantity, kind: oneOf('proposal', 'prevote', 'precommit') }

export const evidencePage = component(
  'EvidencePage',
  closed({
    evidence: list(
      closed({
        ...{ hash, id: orNull(hash), validator: address, ...place, evidence: bytes, isReported: flag },
        call: closed({ to: address, data: bytes }),
      }),
    ),
    next: orNull(hash),
    onChain: list(closed({ id: hash, hash, ...place, takenAt: quantity, reporter: address })),
  }),
)
