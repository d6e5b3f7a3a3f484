import type { Hash } from './bytes.ts'
import * as codec from './codec.ts'

/** The content of the header's `extraData`: what this chain adds to Ethereum's fields. */
export interface ExtraData {
  /** Version of this format; only 1 exists. */
  readonly version: 1
  /** Milliseconds within the header's second, 0 to 999: block time = 1000 · timestamp + milliseconds. */
  readonly milliseconds: number
  /** Hash of everything that determines how contracts execute: interpreter, host table, gas table, prelude, codecs. */
  readonly executionVersion: Hash
  /** Hash of the validator set that votes on this block. */
  readonly validatorsHash: Hash
  /** Hash of the validator set of the next height. */
  readonly nextValidatorsHash: Hash
}

const fields = codec.struct({
  version: codec.checked(codec.u8<1>(), (version) => (version === 1 ? undefined : `unknown extraData version ${version}`)),
  milliseconds: codec.u16(999),
  executionVersion: codec.hash,
  validatorsHash: codec.hash,
  nextValidatorsHash: codec.hash,
  /** Empty in version 1. */
  reserved: codec.bytes(0),
})

export const extraDataCodec: codec.Codec<ExtraData> = {
  bytesMax: fields.bytesMax,
  write: (writer, value) => fields.write(writer, { ...value, reserved: new Uint8Array(0) }),
  read(reader) {
    const { reserved: _, ...value } = fields.read(reader)
    return value
  },
}
