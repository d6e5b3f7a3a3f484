import { type Hash, hexToBytes } from './bytes.ts'
import { type CommitCertificate, commitCertificateCodec } from './certificate.ts'
import * as codec from './codec.ts'
import type { Crypto } from './crypto.ts'
import { decodeHeader, encodeHeader, type Header } from './header.ts'
import { LIMITS } from './limits.ts'
import { merkleRoot } from './merkle.ts'

/** A header on the wire and on disk: its RLP behind a length, so that hash and bytes never part. */
export const headerCodec: codec.Codec<Header> = {
  bytesMax: 4 + LIMITS.headerBytesMax,
  write: (writer, header) => codec.bytes(LIMITS.headerBytesMax).write(writer, encodeHeader(header)),
  read(reader) {
    const header = decodeHeader(codec.bytes(LIMITS.headerBytesMax).read(reader))
    return header.ok ? header.value : reader.fail(header.error.message)
  },
}

/** The encoded transactions of a block, in order; their sum is bounded, so that a body is too. */
export const bodyCodec: codec.Codec<readonly Uint8Array[]> = {
  ...codec.checked(codec.list(codec.bytes(LIMITS.transactionBytesMax), LIMITS.blockTransactionsMax), bodyProblem),
  bytesMax: 4 + 4 * LIMITS.blockTransactionsMax + LIMITS.blockBytesMax,
}

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

const rawBlockFields = { header: headerCodec, transactions: bodyCodec } as const
export const rawBlockCodec: codec.Codec<RawBlock> = codec.struct(rawBlockFields)

/** A final block with the proof that it is: what block sync carries. */
export interface CertifiedBlock extends RawBlock {
  readonly certificate: CommitCertificate
}

export const certifiedBlockCodec: codec.Codec<CertifiedBlock> = codec.struct({
  ...rawBlockFields,
  certificate: commitCertificateCodec,
})

/** `transactionsRoot`: the Merkle root over the transactions' hashes. */
export const transactionsRoot = (crypto: Crypto, hashes: readonly Hash[]): Uint8Array =>
  merkleRoot(crypto, hashes.map(hexToBytes))
