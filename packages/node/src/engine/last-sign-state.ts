import { codec, equalBytes, err, type Height, ok, type Result, type Round, type SignedKind } from '@quoin/protocol'
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

export const SIGN_STATE_FORMAT: RecordFormat = {
  magic: 'QSGN',
  version: 1,
  name: 'sign state',
  recordBytesMax: signedStepCodec.bytesMax + 1,
}

/**
 * What this validator last signed: the guard against signing twice, in a file of its own, so that it holds even when the write-ahead log is
 * lost. A step above everything signed may be signed; a step signed before gives the same signature for the same bytes; all else is
 * refused, for ever.
 */
export class LastSignState {
  readonly #file: RecordFile
  /** Steps of the height of `#last`, by `round/step`. */
  readonly #steps = new Map<string, SignedStep>()
  #last: SignedStep | undefined
  /** Steps that are not in the file yet. */
  #pending: SignedStep[] = []
  #abstainTo = -1

  private constructor(file: RecordFile) {
    this.#file = file
  }

  /** Throws CorruptFileError. */
  static async open(powers: RecordFilePowers): Promise<LastSignState> {
    const { file, records } = await RecordFile.open(powers, SIGN_STATE_FORMAT)
    const state = new LastSignState(file)
    records.forEach((record, index) => {
      const step = codec.decode(signedStepCodec, record)
      if (!step.ok) throw new CorruptFileError(`record ${index} of the sign state is malformed: ${step.error.message}`)
      state.#remember(step.value)
    })
    return state
  }

  get last(): SignedStep | undefined {
    return this.#last
  }

  /** Refuses everything up to the last signed height: what led to those signatures is not known any more. */
  abstain(): void {
    this.#abstainTo = this.#last?.height ?? -1
  }

  /** The stored signature, undefined when the step may be signed for the first time, or why it may not. */
  check(step: Omit<SignedStep, 'signature'>): Result<Uint8Array | undefined, SignRefusal> {
    const last = this.#last
    if (step.height <= this.#abstainTo) {
      return err({ code: 'abstaining', message: `${describe(step)}: abstaining up to height ${this.#abstainTo}` })
    }
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
    this.#pending.push(step)
    this.#remember(step)
  }

  /**
   * Resolves when every noted signature is on disk. Not a byte is handed to the file before: the caller first makes the log durable, so that
   * a crash never leaves a signature here that the log knows nothing of.
   */
  sync(): Promise<void> {
    for (const step of this.#pending) this.#file.append(codec.encode(signedStepCodec, step))
    this.#pending = []
    return this.#file.sync()
  }

  /** Rewrites a file that has grown long with the last height's steps. Call it between heights. */
  async compact(): Promise<void> {
    if (this.#file.length < ENGINE_LIMITS.signStateBytesMax) return
    this.#pending = []
    await this.#file.replace([...this.#steps.values()].map((step) => codec.encode(signedStepCodec, step)))
  }

  #remember(step: SignedStep): void {
    if (step.height !== this.#last?.height) this.#steps.clear()
    this.#steps.set(key(step), step)
    this.#last = step
  }
}

type Position = Pick<SignedStep, 'height' | 'round' | 'step'>

const compare = (a: Position, b: Position): number =>
  a.height - b.height || a.round - b.round || SIGN_STEPS.indexOf(a.step) - SIGN_STEPS.indexOf(b.step)

const key = ({ round, step }: Position): string => `${round}/${step}`

const describe = ({ height, round, step }: Position): string => `${step} of height ${height} round ${round}`
