import { verifyCommitCertificate } from '@quoin/consensus'
import {
  type CertifiedBlock,
  type Crypto,
  err,
  Hash,
  type Header,
  type Height,
  headerHash,
  ok,
  type Result,
  type SigningDomain,
  transactionsRoot,
  type ValidatorSet,
} from '@quoin/protocol'

/** A fetched block with its hash. */
export interface FetchedBlock extends CertifiedBlock {
  readonly hash: Hash
}

/** Why a peer's answer does not match the request; `message` is for the log. */
export interface AnswerError {
  readonly code: 'not-asked' | 'not-contiguous' | 'certificate' | 'body'
  readonly message: string
}

const wrong = (code: AnswerError['code'], message: string): Result<never, AnswerError> => err({ code, message })

/**
 * Checks that an answer matches the request: blocks from `from` on, no more than requested, each the parent of the next, each with its
 * certificate.
 */
export function checkAnswer(
  crypto: Crypto,
  blocks: readonly CertifiedBlock[],
  question: { readonly from: Height; readonly countMax: number },
): Result<readonly FetchedBlock[], AnswerError> {
  if (blocks.length > question.countMax)
    return wrong('not-asked', `${blocks.length} blocks, but ${question.countMax} were requested`)
  const fetched = blocks.map((block) => ({ ...block, hash: headerHash(crypto, block.header) }))
  for (const [i, { header, hash, certificate }] of fetched.entries()) {
    if (header.number !== question.from + i)
      return wrong('not-contiguous', `block ${header.number} instead of ${question.from + i}`)
    if (i > 0 && header.parentHash !== fetched[i - 1]!.hash)
      return wrong('not-contiguous', `block ${header.number} has another parent`)
    if (certificate.height !== header.number || certificate.blockHash !== hash)
      return wrong(
        'certificate',
        `block ${header.number} ${hash} has the certificate of block ${certificate.height} ${certificate.blockHash}`,
      )
  }
  return ok(fetched)
}

/**
 * Checks that more than two thirds of the height's voting power signed this block, and that the body is the signed one. If the result is
 * `ok`, every byte of the header and the hash of each transaction are final.
 */
export function checkFinal(
  crypto: Crypto,
  domain: SigningDomain,
  validators: ValidatorSet,
  block: FetchedBlock,
): Result<undefined, AnswerError> {
  const { header, transactions, certificate } = block
  const verified = verifyCommitCertificate(crypto, domain, validators, certificate)
  if (!verified.ok) return wrong('certificate', `certificate of block ${header.number}: ${describe(verified.error)}`)
  return checkBody(crypto, header, transactions)
}

function checkBody(crypto: Crypto, header: Header, transactions: readonly Uint8Array[]): Result<undefined, AnswerError> {
  const root = Hash(
    transactionsRoot(
      crypto,
      transactions.map((raw) => Hash(crypto.keccak256(raw))),
    ),
  )
  if (root === header.transactionsRoot) return ok(undefined)
  return wrong(
    'body',
    `body of block ${header.number} has transactions root ${root}, but the header has ${header.transactionsRoot}`,
  )
}

const describe = (error: { readonly code: string }): string =>
  Object.entries(error)
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(', ')
