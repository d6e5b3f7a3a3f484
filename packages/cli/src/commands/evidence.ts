import { CommandError } from '@quoin/node/process'
import { type Hash, nameOfId } from '@quoin/protocol'
import { JsonRpc } from '../json-rpc.ts'

/** Pages that are read, of 64 pieces each: more than a node keeps. */
const PAGES_MAX = 32

/** Members of the answer of quoin_evidence that are printed. */
interface Page {
  readonly evidence: readonly Piece[]
  readonly next: string | null
  readonly onChain: readonly Taken[]
}

interface Place {
  readonly hash: string
  readonly id: string | null
  readonly height: string
  readonly round: string
  readonly kind: string
}

interface Piece extends Place {
  readonly validator: string
  readonly isReported: boolean
  readonly call: { readonly to: string; readonly data: string }
}

interface Taken extends Place {
  readonly takenAt: string
  readonly reporter: string
}

/**
 * Describes the evidence of equivocation that a node keeps, with the call that reports it, and what is on the chain.
 *
 * @throws CommandError when the node does not answer
 */
export async function evidenceText(rpc: string): Promise<string> {
  const pieces: Piece[] = []
  let page = await pageAfter(rpc, null)
  for (let count = 1; ; count++) {
    pieces.push(...page.evidence)
    if (page.next === null || count >= PAGES_MAX) break
    page = await pageAfter(rpc, page.next)
  }
  const known = pieces.length === 0 ? ['This node has no evidence that is not on the chain.'] : pieces.map(describePiece)
  const taken = page.onChain.length === 0 ? ['No validator of the chain has equivocated.'] : page.onChain.map(describeTaken)
  // The node may be anybody's: its answer must not control the terminal.
  return [...known, ...taken].join('\n').replace(/[^\n\x20-\x7e]/g, '?')
}

async function pageAfter(rpc: string, after: string | null): Promise<Page> {
  const answer = await new JsonRpc(rpc).call('quoin_evidence', after === null ? [] : [after])
  const page = answer as Partial<Page> | null
  if (Array.isArray(page?.evidence) && Array.isArray(page.onChain)) return page as Page
  throw new CommandError(`${rpc} returned no evidence for quoin_evidence`)
}

const describePiece = (piece: Piece): string =>
  `${placeText(piece)}, key ${piece.validator}: ${
    piece.isReported
      ? 'the validator is on the chain already'
      : `not on the chain. Report it with a transaction to ${piece.call.to} with the data\n${piece.call.data}`
  }`

const describeTaken = (taken: Taken): string =>
  `${placeText(taken)}: on the chain since block ${Number(taken.takenAt)}, reported by ${taken.reporter}`

const placeText = ({ id, height, round, kind, hash }: Place): string =>
  `${hash}: validator ${nameOf(id)} signed two different ${kind}s at height ${Number(height)}, round ${Number(round)}`

const nameOf = (id: string | null): string => (id === null ? 'unknown' : (nameOfId(id as Hash) ?? id))
