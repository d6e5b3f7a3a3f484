import '@quoin/platform/v8-flags'
import { type Crypto, type Curve, type HashPairs, hashPairsBy, nobleCrypto } from '@quoin/protocol'
import { loadHashtree } from './hashtree.ts'
import { loadNodeSha256 } from './node-hash.ts'
import { loadOxWasmCurve, loadOxWasmHashes } from './ox-wasm.ts'
import { loadSecp256k1Native } from './secp256k1-native.ts'
import { curveFault, hashFault, hashPairsFault } from './self-test.ts'

/** A group of functions that one library provides. All functions of the curve come from the same library: one wrong answer disqualifies it. */
export type CryptoJob = 'curve' | 'keccak256' | 'sha256' | 'hashPairs'

export interface ChosenBackend {
  readonly job: CryptoJob
  readonly backend: string
}

export interface RefusedBackend extends ChosenBackend {
  /** Why it is not used: it did not load, or its first answer that differs from noble's. */
  readonly reason: string
}

/** The node's cryptography, and which libraries it consists of, for the log and the metrics. */
export interface LoadedCrypto extends Crypto {
  readonly chosen: readonly ChosenBackend[]
  readonly refused: readonly RefusedBackend[]
}

/** A library that may do a job. `load` throws if it is not available. */
export interface Candidate<T> {
  readonly backend: string
  load(): T | Promise<T>
}

/** Libraries for each job, fastest first. */
export interface Candidates {
  readonly curve: readonly Candidate<Curve>[]
  readonly keccak256: readonly Candidate<Crypto['keccak256']>[]
  readonly sha256: readonly Candidate<Crypto['sha256']>[]
  readonly hashPairs: readonly Candidate<HashPairs>[]
}

/** In the order that scripts/bench/crypto.mjs measured. Libraries that are missing on a platform are skipped. */
export const CANDIDATES: Candidates = {
  curve: [
    { backend: 'secp256k1-native', load: loadSecp256k1Native },
    { backend: 'ox-wasm', load: loadOxWasmCurve },
  ],
  keccak256: [{ backend: 'ox-wasm', load: async () => (await loadOxWasmHashes()).keccak256 }],
  sha256: [
    { backend: 'node-crypto', load: loadNodeSha256 },
    { backend: 'ox-wasm', load: async () => (await loadOxWasmHashes()).sha256 },
  ],
  hashPairs: [{ backend: 'hashtree', load: loadHashtree }],
}

/**
 * Chooses the fastest library for each job that loads and agrees with noble on fixed vectors (`self-test.ts`), or noble itself if none does.
 * Takes about 0.1 s.
 *
 * @returns Synchronous functions. Never rejects because of a library: see `refused`.
 */
export async function loadCrypto(candidates: Candidates = CANDIDATES): Promise<LoadedCrypto> {
  const chosen: ChosenBackend[] = []
  const refused: RefusedBackend[] = []

  async function choose<T>(
    job: CryptoJob,
    from: readonly Candidate<T>[],
    fault: (loaded: T) => string | undefined,
    last: Candidate<T>,
  ) {
    for (const { backend, load } of from) {
      const attempt = await tryBackend(load, fault)
      if ('loaded' in attempt) {
        chosen.push({ job, backend })
        return attempt.loaded
      }
      refused.push({ job, backend, reason: attempt.reason })
    }
    chosen.push({ job, backend: last.backend })
    return last.load()
  }

  const portable = <T>(own: T): Candidate<T> => ({ backend: nobleCrypto.name, load: () => own })
  const curve = await choose('curve', candidates.curve, curveFault, portable<Curve>(nobleCrypto))
  const keccak256 = await choose(
    'keccak256',
    candidates.keccak256,
    (hash) => hashFault('keccak256', hash),
    portable(nobleCrypto.keccak256),
  )
  const sha256 = await choose('sha256', candidates.sha256, (hash) => hashFault('sha256', hash), portable(nobleCrypto.sha256))
  const loop = { backend: `${chosen.at(-1)!.backend}-loop`, load: () => hashPairsBy(sha256) }
  const hashPairs = await choose('hashPairs', candidates.hashPairs, hashPairsFault, loop)

  const { recover, verify, sign, publicKey, decompress } = curve
  const name = [...new Set(chosen.map(({ backend }) => backend))].join('+')
  return { name, keccak256, sha256, hashPairs, recover, verify, sign, publicKey, decompress, chosen, refused }
}

type Attempt<T> = { readonly loaded: T } | { readonly reason: string }

/** Loads and tests a library. One that throws is refused in the same way as one with a wrong answer. */
async function tryBackend<T>(load: () => T | Promise<T>, fault: (loaded: T) => string | undefined): Promise<Attempt<T>> {
  try {
    const loaded = await load()
    const reason = fault(loaded)
    return reason === undefined ? { loaded } : { reason }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { reason: reason.trim().split('\n', 1)[0]! }
  }
}
