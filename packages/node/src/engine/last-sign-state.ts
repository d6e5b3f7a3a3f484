import {
  type Address,
  codec,
  equalBytes,
  err,
  type Hash,
  type Height,
  ok,
  type Result,
  type Round,
  type SignedKind,
} from '@quoin/protocol'
import { ENGINE_LIMITS } from './limits.ts'
import { CorruptFileError, RecordFile, type RecordFilePowers, type RecordFormat } from './record-file.ts'

/** Steps of a round in the order in which a validator signs them. */
export const SIGN_STEPS = ['proposal', 'prevote', 'precommit'] as const satisfies readonly SignedKind[]
export type SignStep = (typeof SIGN_STEPS)[number]

/** One signature that was made. */
export interface SignedStep {
  readonly height: Height
  readonly round: Round
  readonly step: SignStep
  /** The 32 signed bytes. */
  readonly digest: Uint8Array
  readonly signature: Uint8Array
}

export interface SignRefusal {
  /** `conflict`: other bytes were signed there. `regression`: a later step was signed, and nothing is known of this one. */
  readonly code: 'conflict' | 'regression' | 'abstaining'
  readonly message: string
}

const signStep: codec.Codec<SignStep> = {
  bytesMax: 1,
  write: (writer, value) => writer.u8(SIGN_STEPS.indexOf(value)),
  read(reader) {
    const index = reader.u8()
    return SIGN_STEPS[index] ?? reader.fail(`unknown step ${index}`)
  },
}

export const signedStepCodec: codec.Codec<SignedStep> = codec.struct({
  height: codec.u64<Height>(),
  round: codec.u32<Round>(),
  step: signStep,
  digest: codec.fixedBytes(32),
  signature: codec.fixedBytes(64),
})

/** What lies in the file. The first record is the owner. */
export type SignRecord =
  /** `genesisHash` is undefined until the key's first start: a key is older than the genesis that names it. */
  | { readonly kind: 'owner'; readonly validator: Address; readonly genesisHash: Hash | undefined }
  | ({ readonly kind: 'step' } & SignedStep)
  /** Nothing is signed up to this height; undefined: none at all, until it is known up to which height something may have been signed. */
  | { readonly kind: 'abstain'; readonly upTo: Height | undefined }

export const signRecordCodec: codec.Codec<SignRecord> = codec.union({
  owner: codec.struct({ validator: codec.address, genesisHash: codec.optional(codec.hash) }),
  step: signedStepCodec,
  abstain: codec.struct({ upTo: codec.optional(codec.u64<Height>()) }),
})

/** An old copy is worse than none: nobody sees what it does not know. */
const REMEDY =
  'Do not put back an old copy. Move the file away and start with --new-sign-state: the validator then keeps silent until the other validators ' +
  'have passed what it may have signed.'

export const SIGN_STATE_FORMAT: RecordFormat = {
  magic: 'QSGN',
  version: 2,
  name: 'sign state',
  remedy: REMEDY,
  recordBytesMax: signRecordCodec.bytesMax + 1,
}

/** Whose signatures a sign state guards. */
export interface SignOwner {
  readonly validator: Address
  readonly genesisHash: Hash
}

/**
 * What to do where there is no sign state. `refuse`: its file is gone. `new-key`: the key has never signed. `lost`: it may have signed
 * anything, and abstains until peers have proved that the chain is past it.
 */
export type MissingSignState = 'refuse' | 'new-key' | 'lost'

/** The sign state of a key that was just made: `openFileLog` of an empty file, and nothing signed. */
export async function createSignState(powers: RecordFilePowers, validator: Address): Promise<void> {
  const { file, records } = await RecordFile.open(powers, SIGN_STATE_FORMAT)
  if (records.length > 0) throw new CorruptFileError('there is a sign state already: a key has signed here')
  await file.replace([codec.encode(signRecordCodec, { kind: 'owner', validator, genesisHash: undefined })])
}

/**
 * What this validator last signed: the guard against signing twice, in a file of its own, so that it holds even when the write-ahead log is
 * lost. A step above everything signed may be signed; a step signed before gives the same signature for the same bytes; all else is
 * refused, for ever. The file names its owner: that of another key or chain is refused, and so is a key without one.
 */
export class LastSignState {
  readonly #file: RecordFile
  /** Steps of the height of `#last`, by `round/step`. */
  readonly #steps = new Map<string, SignedStep>()
  #last: SignedStep | undefined
  readonly #owner: SignOwner
  /** Records that are not in the file yet. */
  #pending: SignRecord[] = []
  /** Up to where the loss of an earlier state may reach; -1 when nothing was lost, undefined while that is not known: everything is refused. */
  #settledTo: number | undefined = -1
  /** Up to where the log is lost: of this process only, which finds that out anew. */
  #forgottenTo = -1

  private constructor(file: RecordFile, owner: SignOwner) {
    this.#file = file
    this.#owner = owner
  }

  /** Throws CorruptFileError: damaged, another's, or missing. What `missing` makes is on disk when this resolves. */
  static async open(powers: RecordFilePowers, owner: SignOwner, missing: MissingSignState = 'refuse'): Promise<LastSignState> {
    const { file, records } = await RecordFile.open(powers, SIGN_STATE_FORMAT)
    const [first, ...rest] = records.map((record, index) => {
      const decoded = codec.decode(signRecordCodec, record)
      if (decoded.ok) return decoded.value
      throw new CorruptFileError(`record ${index} of the sign state is malformed: ${decoded.error.message}`)
    })
    const state = new LastSignState(file, owner)
    if (first === undefined) {
      if (missing === 'refuse') throw new CorruptFileError(missingText(owner.validator))
      if (missing === 'lost') state.#settledTo = undefined
    } else {
      if (missing === 'lost')
        throw new CorruptFileError(
          'there is a sign state: start without --new-sign-state (--vote-from needs none), or move the file away if it is not the last one',
        )
      checkOwner(first, owner)
      for (const record of rest) state.#apply(record)
    }
    if (first?.kind !== 'owner' || first.genesisHash === undefined) await state.#rewrite()
    return state
  }

  get last(): SignedStep | undefined {
    return this.#last
  }

  /** Whether it is not known what this key has signed. */
  get isLost(): boolean {
    return this.#settledTo === undefined
  }

  /** Height up to which nothing is signed; undefined: nothing at all. */
  get abstainTo(): number | undefined {
    return this.#settledTo === undefined ? undefined : Math.max(this.#settledTo, this.#forgottenTo)
  }

  /** A state was lost once, and nothing is signed yet above the heights to which the loss may reach. */
  get isOnProbation(): boolean {
    return this.#settledTo !== undefined && this.#settledTo >= 0 && (this.#last?.height ?? -1) <= this.#settledTo
  }

  /** Refuses everything up to the last signed height: what led to those signatures is not known any more. */
  abstain(): void {
    if (this.#last !== undefined) this.#forgottenTo = Math.max(this.#forgottenTo, this.#last.height)
  }

  /** The key has signed something that this state does not know: nothing is signed until `settle`. */
  lose(): void {
    if (this.isLost) return
    this.#note({ kind: 'abstain', upTo: undefined })
  }

  /** It is known now that nothing was signed above a height. Also the operator's word of it. */
  settle(upTo: Height): void {
    this.#note({ kind: 'abstain', upTo })
  }

  #note(record: SignRecord): void {
    this.#pending.push(record)
    this.#apply(record)
  }

  #apply(record: SignRecord): void {
    if (record.kind === 'abstain') this.#settledTo = record.upTo
    else if (record.kind === 'step') {
      const { kind: _, ...step } = record
      this.#remember(step)
    } else throw new CorruptFileError('the sign state names its owner twice')
  }

  /** Whether a step that somebody shows with a good signature of ours is one that this state knows, or need not know. */
  knows(step: Omit<SignedStep, 'signature'>): boolean {
    const { abstainTo } = this
    if (abstainTo === undefined || step.height <= abstainTo) return true
    if (this.#last !== undefined && step.height < this.#last.height) return true
    const stored = step.height === this.#last?.height ? this.#steps.get(key(step)) : undefined
    return stored !== undefined && equalBytes(stored.digest, step.digest)
  }

  /** The stored signature, undefined when the step may be signed for the first time, or why it may not. */
  check(step: Omit<SignedStep, 'signature'>): Result<Uint8Array | undefined, SignRefusal> {
    const last = this.#last
    const { abstainTo } = this
    if (abstainTo === undefined)
      return err({ code: 'abstaining', message: `${describe(step)}: what this key has signed is not known` })
    if (step.height <= abstainTo)
      return err({ code: 'abstaining', message: `${describe(step)}: abstaining up to height ${abstainTo}` })
    if (last === undefined || compare(step, last) > 0) return ok(undefined)
    const stored = step.height === last.height ? this.#steps.get(key(step)) : undefined
    if (stored !== undefined && equalBytes(stored.digest, step.digest)) return ok(stored.signature)
    return err({
      code: stored === undefined ? 'regression' : 'conflict',
      message: `${describe(step)} is ${stored === undefined ? 'not after' : 'not what was signed as'} ${describe(stored ?? last)}`,
    })
  }

  /** Notes a signature; it may leave the node after `sync`. Throws when `check` would refuse it: that is a bug of the caller. */
  record(step: SignedStep): void {
    const checked = this.check(step)
    if (!checked.ok) throw new Error(checked.error.message)
    if (checked.value !== undefined) return
    this.#note({ kind: 'step', ...step })
  }

  /**
   * Resolves when every noted signature is on disk. Not a byte is handed to the file before: the caller first makes the log durable, so that
   * a crash never leaves a signature here that the log knows nothing of.
   */
  sync(): Promise<void> {
    for (const record of this.#pending) this.#file.append(codec.encode(signRecordCodec, record))
    this.#pending = []
    return this.#file.sync()
  }

  /** Rewrites a file that has grown long with the last height's steps. Call it between heights. */
  async compact(): Promise<void> {
    if (this.#file.length >= ENGINE_LIMITS.signStateBytesMax) await this.#rewrite()
  }

  /** Makes what is known the whole of the file. */
  async #rewrite(): Promise<void> {
    this.#pending = []
    const steps = [...this.#steps.values()].map((step): SignRecord => ({ kind: 'step', ...step }))
    const upTo = this.#settledTo as Height | undefined
    const abstain: readonly SignRecord[] = upTo === -1 ? [] : [{ kind: 'abstain', upTo }]
    const records: readonly SignRecord[] = [{ kind: 'owner', ...this.#owner }, ...steps, ...abstain]
    await this.#file.replace(records.map((record) => codec.encode(signRecordCodec, record)))
  }

  #remember(step: SignedStep): void {
    if (step.height !== this.#last?.height) this.#steps.clear()
    this.#steps.set(key(step), step)
    this.#last = step
  }
}

const missingText = (validator: Address): string =>
  `there is no sign state of validator ${validator}: what this key has signed is not known, and it could sign the opposite. Restore the file sign-state of ` +
  'its data directory. If it is lost, start with --new-sign-state: the validator then keeps silent until other validators have proved that the chain is ' +
  'two heights further. Never do so while another process may run with this key.'

function checkOwner(first: SignRecord, { validator, genesisHash }: SignOwner): void {
  if (first.kind !== 'owner') throw new CorruptFileError(`the sign state does not begin with its owner. ${REMEDY}`)
  if (first.validator !== validator)
    throw new CorruptFileError(
      `the sign state belongs to validator ${first.validator}, the key of this node is ${validator}: put each validator's sign-state beside its own key`,
    )
  if (first.genesisHash !== undefined && first.genesisHash !== genesisHash)
    throw new CorruptFileError(
      `the sign state belongs to the chain with genesis ${first.genesisHash}, this is ${genesisHash}: use that chain's own data directory`,
    )
}

type Position = Pick<SignedStep, 'height' | 'round' | 'step'>

const compare = (a: Position, b: Position): number =>
  a.height - b.height || a.round - b.round || SIGN_STEPS.indexOf(a.step) - SIGN_STEPS.indexOf(b.step)

const key = ({ round, step }: Position): string => `${round}/${step}`

const describe = ({ height, round, step }: Position): string => `${step} of height ${height} round ${round}`
