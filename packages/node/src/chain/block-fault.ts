import { verifyCommitCertificate } from '@quoin/consensus'
import {
  type Crypto,
  Hash,
  Height,
  receiptsRoot,
  type SigningDomain,
  transactionsRoot,
  validatorSetHash,
  ZERO_HASH,
} from '@quoin/protocol'
import { DamagedError } from '../store/damage.ts'
import { rebuiltHeight } from '../store/schema.ts'
import type { BlockReader, StoredHeader } from '../store/types.ts'

/** A block with inconsistent records in the database. `rebuilds`: they can be rewritten from a peer's copy of the block. */
export interface BlockFault {
  readonly height: Height
  readonly rebuilds: boolean
  readonly finding: string
}

/** What a check of blocks needs. */
export interface BlockCheck {
  readonly blocks: BlockReader
  readonly crypto: Crypto
  readonly domain: SigningDomain
}

/** What is checked of a block in addition to its header and hash. */
export interface BlockDepth {
  /** Body, senders, receipts and the index of transactions. */
  readonly content: boolean
  /** Signatures of the certificate; if false, only which block the certificate is for. */
  readonly signatures: boolean
}

/**
 * Limits of the check of recent blocks. Contents and signatures are each checked up to their own limit; below that only headers are
 * checked, up to `headersMax`.
 */
export const RECENT_BLOCKS = {
  headersMax: 1_000,
  /** Transactions whose bodies, receipts and index entries are read: about half a second. */
  transactionsMax: 50_000,
  /** Signatures verified: a tenth of a second with a native backend. */
  signaturesMax: 2_000,
  /** Faults listed. */
  faultsMax: 64,
} as const

/** Checks the last blocks, from the head down. Damage that reads find is also reported by the database. */
export function recentFaults(check: BlockCheck): readonly BlockFault[] {
  const head = check.blocks.head.header.number
  const faults: BlockFault[] = []
  let [transactions, signatures] = [0, 0]
  for (let height = head; height > head - RECENT_BLOCKS.headersMax && height >= 0; height = (height - 1) as Height) {
    const depth = {
      content: transactions < RECENT_BLOCKS.transactionsMax,
      signatures: signatures < RECENT_BLOCKS.signaturesMax,
    }
    const fault = blockFault(check, height, depth)
    if (fault !== undefined) faults.push(fault)
    if (faults.length === RECENT_BLOCKS.faultsMax) return faults
    if (fault !== undefined) continue
    if (depth.content) transactions += check.blocks.senders(height)!.length
    if (depth.signatures) signatures += check.blocks.certificate(height)?.signatures.length ?? 0
  }
  return faults
}

/** Returns the first thing about a block that is not as this node wrote it. */
export function blockFault(check: BlockCheck, height: Height, depth: BlockDepth): BlockFault | undefined {
  try {
    const finding = headerFinding(check, height) ?? certificateFinding(check, height, depth.signatures)
    if (finding !== undefined) return { height, rebuilds: height > 0, finding }
    return depth.content ? contentFault(check, height) : undefined
  } catch (error) {
    if (!(error instanceof DamagedError)) throw error
    return { height, rebuilds: error.key !== undefined && rebuiltHeight(error.key) === height, finding: error.finding }
  }
}

function headerFinding({ blocks }: BlockCheck, height: Height): string | undefined {
  const { header, hash } = headerOf(blocks, height)
  if (header.number !== height) return `the header record of height ${height} contains the header of height ${header.number}`
  const parent = height === 0 ? ZERO_HASH : headerOf(blocks, Height(height - 1)).hash
  if (header.parentHash !== parent) return `the header of height ${height} names the parent ${header.parentHash}, not ${parent}`
  const indexed = blocks.heightOf(hash)
  return indexed === height ? undefined : `the index has ${indexed ?? 'nothing'} for the hash of block ${height}`
}

function certificateFinding({ blocks, crypto, domain }: BlockCheck, height: Height, withSignatures: boolean): string | undefined {
  const certificate = blocks.certificate(height)
  if (height === 0 || certificate === undefined) return undefined
  const { header, hash } = headerOf(blocks, height)
  if (certificate.height !== height || certificate.blockHash !== hash)
    return `the certificate of height ${height} is that of block ${certificate.height} ${certificate.blockHash}`
  const set = blocks.validators(height)!
  if (validatorSetHash(crypto, set) !== header.extra.validatorsHash)
    throw new DamagedError(`the validator set of height ${height} is not the one in its header`)
  if (!withSignatures) return undefined
  const verified = verifyCommitCertificate(crypto, domain, set, certificate)
  return verified.ok ? undefined : `the certificate of height ${height} does not verify: ${verified.error.code}`
}

function contentFault({ blocks, crypto }: BlockCheck, height: Height): BlockFault | undefined {
  const { header } = headerOf(blocks, height)
  const hashes = blocks.body(height)!.map((raw) => Hash(crypto.keccak256(raw)))
  const rebuilt = (finding: string): BlockFault => ({ height, rebuilds: height > 0, finding })
  if (Hash(transactionsRoot(crypto, hashes)) !== header.transactionsRoot)
    return rebuilt(`the body of height ${height} has another root than its header says`)
  const senders = blocks.senders(height)!
  if (senders.length !== hashes.length || hashes.some((hash, i) => senders[i]!.hash !== hash))
    return rebuilt(`the senders of height ${height} are not those of its body`)
  for (const [index, hash] of hashes.entries()) {
    const location = blocks.locate(hash)
    if (location?.height !== height || location.index !== index)
      return rebuilt(`the index does not have transaction ${hash} at block ${height}, position ${index}`)
  }
  if (Hash(receiptsRoot(crypto, blocks.receipts(height)!)) === header.receiptsRoot) return undefined
  return { height, rebuilds: false, finding: `the receipts of height ${height} have another root than its header says` }
}

function headerOf(blocks: BlockReader, height: Height): StoredHeader {
  const stored = blocks.header(height)
  if (stored === undefined) throw new RangeError(`height ${height} is above the head`)
  return stored
}
