import { bytesToHex, codec, equalBytes } from '@quoin/protocol'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { mutationOf } from '../../packages/protocol/test/arbitraries.ts'

const given = process.env['QUOIN_FUZZ_SEED']
/** A new seed each time, so that every run tests other inputs. The error of a failure contains it: QUOIN_FUZZ_SEED runs it again. */
export const seed = given === undefined ? Date.now() % 2 ** 31 : Number(given)
if (!Number.isSafeInteger(seed)) throw new Error(`QUOIN_FUZZ_SEED must be an integer, not ${given}`)

/** QUOIN_TEST_LONG multiplies the runs by this factor, and their time limits. */
const factor = process.env['QUOIN_TEST_LONG'] === undefined ? 1 : 20
vi.setConfig({ testTimeout: 60_000 * factor })

function report<T>(details: fc.RunDetails<T>): void {
  if (!details.failed) return
  const again = `Again: QUOIN_FUZZ_SEED=${seed} npx vitest run --project fuzz`
  throw new Error(`${fc.defaultReportMessage(details)}\n\n${again}`, { cause: details.errorInstance })
}

export function fuzz<T extends [unknown, ...unknown[]]>(property: fc.IProperty<T>, runs: number): void {
  report(fc.check(property, { seed, numRuns: runs * factor }))
}

export async function fuzzAsync<T extends [unknown, ...unknown[]]>(property: fc.IAsyncProperty<T>, runs: number): Promise<void> {
  report(await fc.check(property, { seed, numRuns: runs * factor }))
}

/** A format: bytes that a peer, a client or a disk may supply, and the result of the decoder. */
export interface Target {
  /** Encodings of valid values. Sampling one checks that it decodes to the original value. */
  readonly valid: fc.Arbitrary<Uint8Array>
  /** The encoding of the decoded bytes; undefined if they are refused. Any exception is a failure. */
  recode(bytes: Uint8Array): Uint8Array | undefined
}

/** The comparable part of a value: for a value with methods, its data. */
type Plain<T> = (value: T) => unknown

export function codecTarget<T>(type: codec.Codec<T>, values: fc.Arbitrary<T>, plain: Plain<T> = (same) => same): Target {
  return resultTarget(
    (value) => codec.encode(type, value),
    (bytes) => codec.decode(type, bytes),
    values,
    plain,
  )
}

type Decoded<T> = { readonly ok: true; readonly value: T } | { readonly ok: false }

export function resultTarget<T>(
  encode: (value: T) => Uint8Array,
  decode: (bytes: Uint8Array) => Decoded<T>,
  values: fc.Arbitrary<T>,
  plain: Plain<T> = (same) => same,
): Target {
  return {
    valid: values.map((value) => {
      const bytes = encode(value)
      const decoded = decode(bytes)
      expect(decoded.ok && plain(decoded.value)).toEqual(plain(value))
      return bytes
    }),
    recode(bytes) {
      const decoded = decode(bytes)
      return decoded.ok ? encode(decoded.value) : undefined
    },
  }
}

/** A decoder that throws `failure` on bytes that its encoder does not produce: they come from the node's own memory or disk. */
export function throwingTarget<T>(
  encode: (value: T) => Uint8Array,
  decode: (bytes: Uint8Array) => T,
  failure: new (...args: never[]) => Error,
  values: fc.Arbitrary<T>,
): Target {
  const attempt = (bytes: Uint8Array): Decoded<T> => {
    try {
      return { ok: true, value: decode(bytes) }
    } catch (error) {
      if (error instanceof failure) return { ok: false }
      throw error
    }
  }
  return resultTarget(encode, attempt, values)
}

/** Bytes that are likely to be counts and tags. */
const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 120 }),
  fc
    .array(fc.oneof({ weight: 3, arbitrary: fc.nat(3) }, { weight: 1, arbitrary: fc.nat(255) }), { maxLength: 120 })
    .map((bytes) => Uint8Array.from(bytes)),
)

function checkCanonical({ recode }: Target, bytes: Uint8Array): void {
  const again = recode(bytes)
  if (again !== undefined && !equalBytes(again, bytes)) {
    throw new Error(`two encodings of one value:\n${bytesToHex(bytes)}\n${bytesToHex(again)}`)
  }
}

/** Runs per target: with its own values, with bytes near them, and with any bytes. */
const RUNS = { valid: 100, near: 600, any: 1_500 } as const

export function fuzzTargets(targets: Readonly<Record<string, Target>>): void {
  describe.each(Object.entries(targets))('%s', (_name, target) => {
    it('round-trips', () => {
      fuzz(
        fc.property(target.valid, (bytes) => {
          const again = target.recode(bytes)
          expect(again !== undefined && bytesToHex(again)).toBe(bytesToHex(bytes))
        }),
        RUNS.valid,
      )
    })

    it('decodes nearly valid bytes canonically or not at all', () => {
      const near = target.valid.chain((bytes) => mutationOf(bytes).chain((once) => fc.oneof(fc.constant(once), mutationOf(once))))
      fuzz(
        fc.property(near, (bytes) => checkCanonical(target, bytes)),
        RUNS.near,
      )
    })

    it('decodes any bytes canonically or not at all', () => {
      fuzz(
        fc.property(anyBytes, (bytes) => checkCanonical(target, bytes)),
        RUNS.any,
      )
    })
  })
}
