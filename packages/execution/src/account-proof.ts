import {
  type AccountProof,
  type Address,
  accountFromValue,
  accountKey,
  type Crypto,
  err,
  type Hash,
  type Height,
  hexToBytes,
  ok,
  type Result,
  type StorageProof,
  storageKey,
  treeKey,
  verifyStateProof,
} from '@quoin/protocol'
import { type HistoryKv, stateAt } from './state/history.ts'
import { type ProofRefusal, TreeCorruption, TreeReader } from './state/tree/index.ts'

/** A question for the proof of an account and of some of its storage, in the state after a height. */
export interface AccountProofRequest {
  readonly address: Address
  /** Raw storage keys of at most `stateKeyBytesMax` bytes. */
  readonly keys: readonly Uint8Array[]
  readonly height: Height
  /** State root of that height's header. A proof that does not lead to it is never returned. */
  readonly stateRoot: Hash
  /** Limit of the values' size together. */
  readonly valueBytesMax: number
}

export type AccountProofRefusal =
  | ProofRefusal
  /** The values are larger than `valueBytesMax` together. Ask for fewer keys. */
  | { readonly code: 'too-large'; readonly message: string }

/** Proves accounts and storage from the database, beside the executor that writes it. For light clients; execution never uses it. */
export class AccountProver {
  readonly #kv: HistoryKv
  readonly #crypto: Crypto
  readonly #reader: TreeReader

  /** @param kv the database, which is only read. Blocks may be committed at any time. */
  constructor(kv: HistoryKv, crypto: Crypto) {
    this.#kv = kv
    this.#crypto = crypto
    this.#reader = new TreeReader(kv, crypto)
  }

  /** Does ahead what the next proof would have to do first: reads the upper tree, or moves it to the head. */
  catchUp(): Promise<void> {
    return this.#reader.catchUp()
  }

  /**
   * Makes a proof, or says why there is none.
   *
   * @throws TreeCorruption when the database contradicts itself
   */
  async prove(request: AccountProofRequest): Promise<Result<AccountProof, AccountProofRefusal>> {
    const { address, keys, height, stateRoot, valueBytesMax } = request
    const stateKeys = [accountKey(address), ...keys.map((key) => storageKey(address, key))]
    const treeKeys = stateKeys.map((key) => treeKey(this.#crypto, hexToBytes(key)))
    const proofs = await this.#reader.prove(height, treeKeys)
    if (!proofs.ok) return proofs
    const state = stateAt(this.#kv, height)
    const values: (Uint8Array | undefined)[] = []
    let bytes = 0
    for (const [i, key] of stateKeys.entries()) {
      const value = await state.get(key)
      bytes += value?.length ?? 0
      if (bytes > valueBytesMax) return tooLarge(i, valueBytesMax)
      if (!verifyStateProof(this.#crypto, stateRoot, treeKeys[i]!, value, proofs.value[i]!))
        throw new TreeCorruption(`the value and the proof of ${key} do not lead to the state root of block ${height}`)
      values.push(value)
    }
    const [record, ...entries] = values
    const [accountProof, ...storageProofs] = proofs.value
    const storage = entries.map((value, i): StorageProof => ({ key: keys[i]!, value, proof: storageProofs[i]! }))
    const account = record === undefined ? undefined : accountFromValue(record)
    return ok({ address, account, accountProof: accountProof!, storage })
  }
}

function tooLarge(count: number, max: number): Result<never, AccountProofRefusal> {
  const message = `the values of the first ${count} keys have more than ${max} bytes: ask for fewer keys`
  return err({ code: 'too-large', message })
}
