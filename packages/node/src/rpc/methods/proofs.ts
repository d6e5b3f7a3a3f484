import type { AccountProofRefusal } from '@quoin/execution'
import type { RpcBackend } from '../backend.ts'
import { requireHeight } from '../blocks.ts'
import { RpcError } from '../errors.ts'
import * as forms from '../forms/index.ts'
import { JsonText } from '../json-text.ts'
import { type CallContext, type Methods, method } from '../method.ts'
import { by, reader, readList } from '../reader.ts'
import type { RefusalReason } from '../refusal-reasons.ts'
import { address, blockReference, storageKey } from '../schema.ts'
import { weightOfPastProof } from '../weights.ts'
import { unavailable } from './calls.ts'

const readKey = by(storageKey)

const storageKeys = reader(forms.list(forms.storageKey), (value, { proofKeysMax }) =>
  readList(value, proofKeysMax, 'storage keys', readKey),
)

/** `not-yet`: the proofs lag behind the head that was shown. */
const REASONS: Readonly<Record<AccountProofRefusal['code'], RefusalReason>> = {
  'not-yet': 'block-not-found',
  'not-provable': 'pruned',
  'too-large': 'answer-too-large',
  'too-deep': 'too-deep',
  updating: 'updating',
}

const ETHEREUM_PROOF =
  'eth_getProof is not available: the state tree is not a Merkle-Patricia trie. Use quoin_getProof, whose proofs verifyAccountProof of @quoin/protocol verifies'

/** Proofs of the state against a header's `stateRoot`, which `verifyAccountProof` of the protocol package verifies. */
export const proofMethods: Methods<RpcBackend> = {
  quoin_getProof: method(
    {
      summary: 'Proves an account and values of its storage against a header.',
      params: ['address', 'keys', 'block'],
      result: forms.accountProof,
    },
    [address, storageKeys, blockReference],
    async (backend: RpcBackend, [account, keys, reference], call: CallContext) => {
      const height = requireHeight(backend, reference)
      if (backend.proofs.blocks === 0)
        throw new RpcError('pruned', 'this node makes no proofs: its setting store.proof-blocks is 0')
      const behindHead = backend.blocks.head.header.number - height
      // An older block is refused at once.
      if (behindHead <= backend.proofs.blocks) call.charge(weightOfPastProof(behindHead))
      const { header, hash: blockHash } = backend.blocks.header(height)!
      const answer = await backend.proofs.run(
        'proof',
        {
          ...{ address: account, keys, height, blockHash, stateRoot: header.stateRoot },
          valueBytesMax: call.limits.proofValueBytesMax,
        },
        call.signal,
        call.identity,
      )
      if (!answer.ok) throw unavailable(answer.error)
      const outcome = answer.value
      if (outcome.kind === 'refused') throw new RpcError(REASONS[outcome.refusal.code], outcome.refusal.message)
      const { json } = outcome
      call.hold(json.length)
      return new JsonText([json])
    },
  ),
  /** Refused whatever its parameters are: Ethereum's proofs are Merkle-Patricia proofs, which this state tree does not have. */
  eth_getProof: {
    run: () => {
      throw new RpcError('method-not-found', ETHEREUM_PROOF)
    },
  },
}
