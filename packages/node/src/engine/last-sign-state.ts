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

/** Steps of a round, in the order in which a validator signs them. */
export const SIGN_STEPS = ['proposal', 'prevote', 'precommit'] as const satisfies readonly SignedKind[]
export type SignStep = (typeof SIGN_STEPS)[number]

/** One signature made by this key. */
export interface SignedStep {
  readonly height: Height
  readonly round: Round
  readonly step: SignStep
  /** The 32-byte digest that was signed. */
  readonly digest: Uint8Array
  readonly signature: Uint8Array
}

/** Why a step was not signed. */
export interface SignRefusal {
  /**
   * `conflict`: other bytes were signed at this step. `regression`: a later step was signed, and this step is not recorded. `abstaining`:
   * nothing may be signed at this height.
   */
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

/** A record of the file. The first record is the owner. */
export type SignRecord =
  /** `genesisHash` is undefined until the key's first start, because the key is made before the genesis that names it. */
  | { readonly kind: 'owner'; readonly validator: Address; readonly genesisHash: Hash | undefined }
  | ({ readonly kind: 'step' } & SignedStep)
  /**
   * Nothing is signed up to this height. Undefined: nothing at all is signed, until the height up to which something may have been signed
   * is known.
   */
  | { readonly kind: 'abstain'; readonly upTo: Height | undefined }

export const signRecordCodec: codec.Codec<SignRecord> = codec.union({
  owner: codec.struct({ validator: codec.address, genesisHash: codec.optional(codec.hash) }),
  step: signedStepCodec,
  abstain: codec.struct({ upTo: codec.optional(codec.u64<Height>()) }),
})

/** An old copy is worse than a missing file: nothing shows which signatures it lacks. */
const REMEDY =
  'Do not restore an old copy. Move the file away and start with --new-sign-state: the validator then signs nothing until the other validators ' +
  'have passed every height that it may have signed.'

/** File format of the sign state. */
export const SIGN_STATE_FORMAT: RecordFormat = {
  magic: 'QSGN',
  version: 2,
  name: 'sign state',
  remedy: REMEDY,
  recordBytesMax: signRecordCodec.bytesMax + 1,
}

/** Owner of the signatures that a sign state guards. */
export interface SignOwner {
  readonly validator: Address
  readonly genesisHash: Hash
}

/**
 * What to do if the sign state is missing. `refuse`: fail, because the file is gone. `new-key`: the key has never signed. `lost`: the key
 * may have signed anything, so it abstains until peers have proved that the chain is past it.
 */
export type MissingSignState = 'refuse' | 'new-key' | 'lost'

/** Creates the sign state of a new key in an empty file, with nothing signed. */
export async function createSignState(powers: RecordFilePowers, validator: Address): Promise<void> {
  const { file, records } = await RecordFile.open(powers, SIGN_STATE_FORMAT)
  if (records.length > 0)
    throw new CorruptFileError('a sign state already exists in this data directory: its key may have signed')
  await file.replace([codec.encode(signRecordCodec, { kind: 'owner', validator, genesisHash: undefined })])
}

/**
 * Records what this validator last signed, to prevent double signing. It has a file of its own, so that it works even if the write-ahead
 * log is lost. A step above everything signed may be signed. A step signed before returns the same signature for the same bytes. Everything
 * else is refused, permanently. The file names its owner: the file of another key or chain is refused, and so is a key without a file.
 */
export class LastSignState {
  readonly #file: RecordFile
  /** Steps of the height of `#last`, by `round/step`. */
  readonly #steps = new Map<string, SignedStep>()
  #last: SignedStep | undefined
  readonly #owner: SignOwner
  /** Records not written to the file yet. */
  #pending: SignRecord[] = []
  /** Height up to which signatures of a lost state may exist. -1: no state was lost. Undefined: not known yet, so everything is refused. */
  #settledTo: number | undefined = -1
  /** Height up to which the write-ahead log is lost. Not stored: each process finds it out again. */
  #forgottenTo = -1

  private constructor(file: RecordFile, owner: SignOwner) {
    this.#file = file
    this.#owner = owner
  }

  /**
   * Opens the sign state. A state created because of `missing` is on disk when this resolves.
   * @throws CorruptFileError if the file is damaged, missing, or belongs to another key or chain.
   */
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
          'a sign state exists: start without --new-sign-state (--vote-from does not need it), or move the file away if it is not the newest one',
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

  /** Whether it is unknown what this key has signed. */
  get isLost(): boolean {
    return this.#settledTo === undefined
  }

  /** Height up to which nothing is signed; undefined if nothing may be signed at all. */
  get abstainTo(): number | undefined {
    return this.#settledTo === undefined ? undefined : Math.max(this.#settledTo, this.#forgottenTo)
  }

  /** A state was lost once, and nothing has been signed yet above the heights that the loss may cover. */
  get isOnProbation(): boolean {
    return this.#settledTo !== undefined && this.#settledTo >= 0 && (this.#last?.height ?? -1) <= this.#settledTo
  }

  /** Refuses everything up to the last signed height, because the reason for those signatures is no longer known. */
  abstain(): void {
    if (this.#last !== undefined) this.#forgottenTo = Math.max(this.#forgottenTo, this.#last.height)
  }

  /** Notes that the key has signed something that this state does not contain: nothing is signed until `settle`. */
  lose(): void {
    if (this.isLost) return
    this.#note({ kind: 'abstain', upTo: undefined })
  }

  /** Notes that nothing was signed above a height, because it is now known or the operator says so. */
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
    } else throw new CorruptFileError('the sign state contains two owner records')
  }

  /** Whether this state contains a step that carries a valid signature of this key, or need not contain it. */
  knows(step: Omit<SignedStep, 'signature'>): boolean {
    const { abstainTo } = this
    if (abstainTo === undefined || step.height <= abstainTo) return true
    if (this.#last !== undefined && step.height < this.#last.height) return true
    const stored = step.height === this.#last?.height ? this.#steps.get(key(step)) : undefined
    return stored !== undefined && equalBytes(stored.digest, step.digest)
  }

  /**
   * Checks whether a step may be signed.
   * @returns the stored signature; undefined if the step may be signed for the first time; or the reason for a refusal.
   */
  check(step: Omit<SignedStep, 'signature'>): Result<Uint8Array | undefined, SignRefusal> {
    const last = this.#last
    const { abstainTo } = this
    if (abstainTo === undefined)
      return err({
        code: 'abstaining',
        message: `${describe(step)}: abstaining, because it is not known what this key has signed`,
      })
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

  /**
   * Records a signature. It may leave the node only after `sync`.
   * @throws if `check` would refuse the step, which is a bug of the caller.
   */
  record(step: SignedStep): void {
    const checked = this.check(step)
    if (!checked.ok) throw new Error(checked.error.message)
    if (checked.value !== undefined) return
    this.#note({ kind: 'step', ...step })
  }

  /**
   * Writes the recorded signatures; resolves when they are on disk. Nothing is written before this call, so the caller can first make the
   * log durable. Then a crash never leaves a signature here that the log does not contain.
   */
  sync(): Promise<void> {
    for (const record of this.#pending) this.#file.append(codec.encode(signRecordCodec, record))
    this.#pending = []
    return this.#file.sync()
  }

  /** Rewrites a file that has grown long, keeping the last height's steps. Call it between heights. */
  async compact(): Promise<void> {
    if (this.#file.length >= ENGINE_LIMITS.signStateBytesMax) await this.#rewrite()
  }

  /** Replaces the file's content with the current state. */
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
  `no sign state of validator ${validator}: it is not known what this key has signed, so it could sign conflicting votes. Restore the file sign-state of ` +
  'its data directory. If the file is lost, start with --new-sign-state: the validator then signs nothing until other validators have proved that the chain is ' +
  'two heights further. Never do this while another process may run with this key.'

function checkOwner(first: SignRecord, { validator, genesisHash }: SignOwner): void {
  if (first.kind !== 'owner') throw new CorruptFileError(`the sign state does not begin with an owner record. ${REMEDY}`)
  if (first.validator !== validator)
    throw new CorruptFileError(
      `the sign state belongs to validator ${first.validator}, but the key of this node is ${validator}: keep each validator's sign-state file next to its own key`,
    )
  if (first.genesisHash !== undefined && first.genesisHash !== genesisHash)
    throw new CorruptFileError(
      `the sign state belongs to the chain with genesis ${first.genesisHash}, but this chain has genesis ${genesisHash}: use a separate data directory for each chain`,
    )
}

type Position = Pick<SignedStep, 'height' | 'round' | 'step'>

const compare = (a: Position, b: Position): number =>
  a.height - b.height || a.round - b.round || SIGN_STEPS.indexOf(a.step) - SIGN_STEPS.indexOf(b.step)

const key = ({ round, step }: Position): string => `${round}/${step}`

const describe = ({ height, round, step }: Position): string => `${step} of height ${height} round ${round}`
