import {
  type CertifiedBlock,
  type Crypto,
  certifiedBlockCodec,
  codec,
  headerHash,
  LIMITS,
  nobleCrypto,
  unwrap,
  ZERO_HASH,
} from '@quoin/protocol'
import { type Offence, type PeerId, TransportError } from '../src/powers.ts'
import { blocksCodec, type SyncRequest, syncRequestCodec } from '../src/sync/messages.ts'
import { createSync } from '../src/sync/sync.ts'
import { certify, type TestNode, type TestValidators, testValidators } from './chain.ts'
import { ManualClock } from './clock.ts'

/** Answers a request; undefined refuses it. */
export type Responder = (request: SyncRequest, signal: AbortSignal) => Promise<Uint8Array | undefined> | Uint8Array | undefined

/** An in-process network in which peers are functions. */
export class SyncNetwork {
  readonly responders = new Map<PeerId, Responder>()
  readonly requests: { readonly peer: PeerId; readonly request: SyncRequest }[] = []
  readonly penalties: { readonly peer: PeerId; readonly offence: Offence }[] = []

  peers = () => [...this.responders.keys()]
  penalise = (peer: PeerId, offence: Offence) => void this.penalties.push({ peer, offence })
  request = async (peer: PeerId, message: Uint8Array, signal: AbortSignal): Promise<Uint8Array> => {
    const request = unwrap(codec.decode(syncRequestCodec, message))
    this.requests.push({ peer, request })
    const gone = new Promise<never>((_, reject) => {
      const abort = () => reject(new TransportError('aborted', 'the request was aborted'))
      if (signal.aborted) abort()
      else signal.addEventListener('abort', abort, { once: true })
    })
    const answer = await Promise.race([gone, Promise.resolve().then(() => this.responders.get(peer)?.(request, signal))])
    if (answer === undefined) throw new TransportError('refused', 'refused')
    return answer
  }
  offenders = () => [...new Set(this.penalties.map(({ peer }) => peer))].sort()
}

/** Answers as a node does, with at most `count` blocks at a time. */
export const honest =
  (node: TestNode, count = 256): Responder =>
  async (request) => {
    const server = createSync({
      chain: node.chain,
      reader: node.store,
      transport: new SyncNetwork(),
      mempool: node.pool,
      crypto: nobleCrypto,
      clock: new ManualClock(),
      logger: node.log,
    })
    const limited = request.kind === 'blocks' ? { ...request, countMax: Math.min(count, request.countMax) } : request
    const answer = await server.onRequest('asker', codec.encode(syncRequestCodec, limited))
    await server.close()
    return answer
  }

export const bytes = (...values: number[]) => Uint8Array.from(values)

/** As long as a transaction, but undecodable. */
const junk = new Uint8Array(LIMITS.transactionBytesMin)

/** A modified honest answer of a node. */
export const lying =
  (source: TestNode, change: (blocks: CertifiedBlock[]) => CertifiedBlock[]): Responder =>
  async (request, signal) => {
    const answer = await honest(source)(request, signal)
    if (request.kind !== 'blocks' || answer === undefined) return answer
    const blocks = unwrap(codec.decode(blocksCodec, answer))
    return codec.encode(codec.list(certifiedBlockCodec, 256), change([...blocks]))
  }

/** One block with a changed header, certified by the given signers: only its certificate reveals the forgery. */
export const forged = (
  crypto: Crypto,
  source: TestNode,
  change: Partial<CertifiedBlock['header']>,
  signers: TestValidators,
  count?: number,
): Responder =>
  lying(source, ([block]) => {
    if (block === undefined) return []
    const header = { ...block.header, ...change }
    const hash = headerHash(crypto, header)
    return [{ ...block, header, certificate: certify(crypto, source.chain.domain, signers, { header, hash }, count) }]
  })

export const LIES = [
  'claims a height that it has not',
  'sends no block',
  'sends garbage',
  'sends bytes behind the answer',
  'begins at another height',
  'leaves out a block',
  'repeats a block',
  'answers backwards',
  'sends the body of another block',
  'leaves out a transaction',
  'changes a header under the old certificate',
  'certifies a block with too few signatures',
  'certifies a block by strangers',
  'sends the certificate of another block',
  'forges a signature',
  'is too long for the transport',
] as const
export type Lie = (typeof LIES)[number]

/**
 * Lying peers, by kind. Each one lies in its first answer with blocks, if that answer has at least two blocks.
 */
export function liarsOf(source: TestNode, crypto: Crypto, validators: TestValidators): Readonly<Record<Lie, Responder>> {
  const change = (to: (blocks: CertifiedBlock[]) => CertifiedBlock[]) => lying(source, to)
  const inFirst = (to: (block: CertifiedBlock) => CertifiedBlock) =>
    change(([first, ...rest]) => (first === undefined ? [] : [to(first), ...rest]))
  return {
    'claims a height that it has not': () => undefined,
    'sends no block': change(() => []),
    'sends garbage': () => bytes(1, 2, 3),
    'sends bytes behind the answer': async (request, signal) => {
      const answer = await honest(source)(request, signal)
      return answer === undefined ? undefined : bytes(...answer, 0)
    },
    'begins at another height': change((blocks) => blocks.slice(1)),
    'leaves out a block': change(([first, ...rest]) => [first!, ...rest.slice(1)]),
    'repeats a block': change(([first, ...rest]) => [first!, first!, ...rest]),
    'answers backwards': change((blocks) => blocks.reverse()),
    'sends the body of another block': change((blocks) =>
      blocks.map((block) => ({ ...block, transactions: blocks.at(-1)!.transactions.toReversed().concat(junk) })),
    ),
    'leaves out a transaction': change((blocks) =>
      blocks.map((block) => ({ ...block, transactions: block.transactions.length > 0 ? [] : [junk] })),
    ),
    'changes a header under the old certificate': inFirst((block) => ({
      ...block,
      header: { ...block.header, stateRoot: ZERO_HASH },
    })),
    'certifies a block with too few signatures': forged(crypto, source, { stateRoot: ZERO_HASH }, validators, 2),
    'certifies a block by strangers': forged(crypto, source, { stateRoot: ZERO_HASH }, testValidators(crypto, 4, 40)),
    'sends the certificate of another block': change((blocks) =>
      blocks.map((block) => ({ ...block, certificate: blocks.at(-1)!.certificate })),
    ),
    'forges a signature': inFirst((block) => {
      const [first, ...rest] = block.certificate.signatures
      return {
        ...block,
        certificate: { ...block.certificate, signatures: [{ ...first!, signature: rest[0]!.signature }, ...rest] },
      }
    }),
    'is too long for the transport': () => {
      throw new TransportError('oversized', 'the answer is too long')
    },
  }
}
