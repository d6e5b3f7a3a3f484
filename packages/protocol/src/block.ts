import { type Hash, hexToBytes } from './bytes.ts'
import { type CommitCertificate, commitCertificateCodec } from './certificate.ts'
import * as codec from './codec.ts'
import type { Crypto } from './crypto.ts'
import { type Header, headerCodec } from './header.ts'
import { LIMITS } from './limits.ts'
import { merkleRoot, merkleRootSteps } from './merkle.ts'

const encodedTransaction = codec.checked(codec.bytes(LIMITS.transactionBytesMax), ({ length }) =>
  length < LIMITS.transactionBytesMin
    ? `transaction has ${length} bytes, at least ${LIMITS.transactionBytesMin} are needed`
    : undefined,
)

/** A block body of at most `transactionsMax` transactions. A larger count is refused before any transaction is read. */
export const bodyCodecOf = (transactionsMax: number): codec.Codec<readonly Uint8Array[]> => ({
  ...codec.checked(codec.list(encodedTransaction, transactionsMax), bodyProblem),
  bytesMax: 4 + 4 * transactionsMax + LIMITS.blockBytesMax,
})

/** The encoded transactions of a block, in order. Their total size is at most `LIMITS.blockBytesMax`. */
export const bodyCodec = bodyCodecOf(LIMITS.blockTransactionsMax)

function bodyProblem(transactions: readonly Uint8Array[]): string | undefined {
  const size = transactions.reduce((sum, { length }) => sum + length, 0)
  return size > LIMITS.blockBytesMax ? `block body has ${size} bytes, at most ${LIMITS.blockBytesMax} are allowed` : undefined
}

/** A block with the hashes of its transactions instead of the transactions. Proposals are sent in this form. */
export interface CompactBlock {
  readonly header: Header
  readonly transactionHashes: readonly Hash[]
}

export const compactBlockCodec: codec.Codec<CompactBlock> = codec.struct({
  header: headerCodec,
  transactionHashes: codec.list(codec.hash, LIMITS.blockTransactionsMax),
})

/** A block with its encoded transactions. */
export interface RawBlock {
  readonly header: Header
  readonly transactions: readonly Uint8Array[]
}

/** A block of at most `transactionsMax` transactions. */
export const rawBlockCodecOf = (transactionsMax: number): codec.Codec<RawBlock> =>
  codec.struct({ header: headerCodec, transactions: bodyCodecOf(transactionsMax) })

export const rawBlockCodec = rawBlockCodecOf(LIMITS.blockTransactionsMax)

/** A block with the proof that it is final. Block sync transfers blocks in this form. */
export interface CertifiedBlock extends RawBlock {
  readonly certificate: CommitCertificate
}

export const certifiedBlockCodec: codec.Codec<CertifiedBlock> = codec.struct({
  header: headerCodec,
  transactions: bodyCodec,
  certificate: commitCertificateCodec,
})

/** `transactionsRoot` of a header: the Merkle root over the hashes of a block's transactions. */
export const transactionsRoot = (crypto: Crypto, hashes: readonly Hash[]): Uint8Array =>
  merkleRoot(crypto, hashes.map(hexToBytes))

/**
 * Computes `transactionsRoot` in steps, so that the caller can do other work between them.
 *
 * @param slice hashes per step, a power of two.
 */
export const transactionsRootSteps = (crypto: Crypto, hashes: readonly Hash[], slice: number): Generator<undefined, Uint8Array> =>
  merkleRootSteps(crypto, hashes.length, (index) => hexToBytes(hashes[index]!), slice)
