import { type Hash, hexToBytes } from './bytes.ts'
import { type CommitCertificate, commitCertificateCodec } from './certificate.ts'
import * as codec from './codec.ts'
import type { Crypto } from './crypto.ts'
import { decodeHeader, encodeHeader, type Header } from './header.ts'
import { LIMITS } from './limits.ts'
import { merkleRoot, merkleRootSteps } from './merkle.ts'

/** A header on the wire and on disk: its RLP behind a length, so that hash and bytes never part. */
export const headerCodec: codec.Codec<Header> = {
  bytesMax: 4 + LIMITS.headerBytesMax,
  write: (writer, header) => codec.bytes(LIMITS.headerBytesMax).write(writer, encodeHeader(header)),
  read(reader) {
    const header = decodeHeader(codec.bytes(LIMITS.headerBytesMax).read(reader))
    return header.ok ? header.value : reader.fail(header.error.message)
  },
}

const encodedTransaction = codec.checked(codec.bytes(LIMITS.transactionBytesMax), ({ length }) =>
  length < LIMITS.transactionBytesMin
    ? `a transaction of ${length} bytes, at least ${LIMITS.transactionBytesMin} are needed`
    : undefined,
)

/** A body of at most so many transactions: more are refused before one of them is read. */
export const bodyCodecOf = (transactionsMax: number): codec.Codec<readonly Uint8Array[]> => ({
  ...codec.checked(codec.list(encodedTransaction, transactionsMax), bodyProblem),
  bytesMax: 4 + 4 * transactionsMax + LIMITS.blockBytesMax,
})

/** The encoded transactions of a block, in order; their sum is bounded, so that a body is too. */
export const bodyCodec = bodyCodecOf(LIMITS.blockTransactionsMax)

function bodyProblem(transactions: readonly Uint8Array[]): string | undefined {
  const size = transactions.reduce((sum, { length }) => sum + length, 0)
  return size > LIMITS.blockBytesMax ? `a body of ${size} bytes, at most ${LIMITS.blockBytesMax} are allowed` : undefined
}

/** A block by its transactions' hashes: how a proposal travels. */
export interface CompactBlock {
  readonly header: Header
  readonly transactionHashes: readonly Hash[]
}

export const compactBlockCodec: codec.Codec<CompactBlock> = codec.struct({
  header: headerCodec,
  transactionHashes: codec.list(codec.hash, LIMITS.blockTransactionsMax),
})

/** A block with its whole body. */
export interface RawBlock {
  readonly header: Header
  readonly transactions: readonly Uint8Array[]
}

/** A block of at most so many transactions. */
export const rawBlockCodecOf = (transactionsMax: number): codec.Codec<RawBlock> =>
  codec.struct({ header: headerCodec, transactions: bodyCodecOf(transactionsMax) })

export const rawBlockCodec = rawBlockCodecOf(LIMITS.blockTransactionsMax)

/** A final block with the proof that it is: what block sync carries. */
export interface CertifiedBlock extends RawBlock {
  readonly certificate: CommitCertificate
}

export const certifiedBlockCodec: codec.Codec<CertifiedBlock> = codec.struct({
  header: headerCodec,
  transactions: bodyCodec,
  certificate: commitCertificateCodec,
})

/** `transactionsRoot`: the Merkle root over the transactions' hashes. */
export const transactionsRoot = (crypto: Crypto, hashes: readonly Hash[]): Uint8Array =>
  merkleRoot(crypto, hashes.map(hexToBytes))

/** `transactionsRoot` in steps of so many hashes, a power of two. */
export const transactionsRootSteps = (crypto: Crypto, hashes: readonly Hash[], slice: number): Generator<undefined, Uint8Array> =>
  merkleRootSteps(crypto, hashes.length, (index) => hexToBytes(hashes[index]!), slice)
