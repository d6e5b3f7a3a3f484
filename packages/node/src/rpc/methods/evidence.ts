import { type EvidenceStanding, evidenceOfKey, flaggedValidators, reportCall } from '@quoin/execution'
import { bytesToHex, codec, type Evidence, evidenceCodec, type Hash, Hash as hashOf, offenceOf } from '@quoin/protocol'
import type { RpcBackend, StateView } from '../backend.ts'
import { RpcError } from '../errors.ts'
import { quantityHex } from '../format.ts'
import * as forms from '../forms/index.ts'
import { type CallContext, type Methods, method } from '../method.ts'
import { hash } from '../schema.ts'

/** Evidence with its encoding and the hash by which the chain knows it. */
interface Encoded {
  readonly evidence: Evidence
  readonly bytes: Uint8Array
  readonly hash: Hash
}

function encoded(backend: RpcBackend, evidence: Evidence): Encoded {
  const bytes = codec.encode(evidenceCodec, evidence)
  return { evidence, bytes, hash: hashOf(backend.crypto.keccak256(bytes)) }
}

function formatOffence(evidence: Evidence) {
  const { validator, height, round, kind } = offenceOf(evidence)
  return { validator, height: quantityHex(height), round: quantityHex(round), kind }
}

function formatEvidence(backend: RpcBackend, { evidence, bytes, hash: name }: Encoded, { id, taken }: EvidenceStanding) {
  const { to, data } = reportCall(backend.crypto, evidence)
  return {
    ...{ hash: name, id: id ?? null, ...formatOffence(evidence), evidence: bytesToHex(bytes) },
    isReported: taken !== undefined,
    call: { to, data: bytesToHex(data) },
  }
}

/** The validators against which the chain has taken evidence, with the first of it. */
async function onChain(state: StateView) {
  const flagged = await flaggedValidators(state)
  return flagged.map(({ id, first }) => ({
    id,
    ...{ hash: first.hash, height: quantityHex(first.height), round: quantityHex(first.round), kind: first.kind },
    ...{ takenAt: quantityHex(first.takenAt), reporter: first.reporter },
  }))
}

/** Evidence of equivocation: what this node has, and what the chain has. */
export const evidenceMethods: Methods<RpcBackend> = {
  quoin_evidence: method(
    {
      summary: 'Evidence of equivocation that this node has, the calls that report it, and what the chain has.',
      params: ['after'],
      result: forms.evidencePage,
    },
    [hash.optional()],
    async (backend: RpcBackend, [after], call: CallContext) => {
      const { pageEvidenceMax } = call.limits
      const state = backend.stateAt(backend.blocks.head.header.number)
      if (state === undefined) throw new RpcError('pruned', 'the state of the head is not kept any more')
      const all = (await backend.evidence()).map((evidence) => encoded(backend, evidence))
      const rest = all.toSorted((a, b) => (a.hash < b.hash ? -1 : 1)).filter((one) => after === undefined || one.hash > after)
      const page = rest.slice(0, pageEvidenceMax)
      const evidence = await Promise.all(
        page.map(async (one) => formatEvidence(backend, one, await evidenceOfKey(state, offenceOf(one.evidence).validator))),
      )
      return { evidence, next: page.length < rest.length ? page.at(-1)!.hash : null, onChain: await onChain(state) }
    },
  ),
}
