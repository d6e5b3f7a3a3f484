import { flatKey, type KvOp, type KvReader, readNodes, readParameters, readValidatorSet, SYSTEM_ADDRESS } from '@quoin/execution'
import { type ChainParameters, equalBytes, hexToBytes, type RegisteredNode, type ValidatorSet } from '@quoin/protocol'

/** What the state after a block says about the chain itself. */
export interface SystemView {
  readonly parameters: ChainParameters
  /** The set that the state wants two heights on; how fast it comes about is `nextValidatorSet`'s to say. */
  readonly validators: ValidatorSet
  readonly nodes: readonly RegisteredNode[]
  /** Records that could not be read, so that an earlier value stands in for them. */
  readonly problems: readonly string[]
}

export function readSystemView(reader: KvReader): SystemView {
  const readings = { parameters: readParameters(reader), validators: readValidatorSet(reader), nodes: readNodes(reader) }
  return {
    parameters: readings.parameters.value,
    validators: readings.validators.value,
    nodes: readings.nodes.value,
    problems: Object.values(readings).flatMap(({ problem }) => (problem === undefined ? [] : [problem])),
  }
}

const SYSTEM_PREFIX = flatKey(hexToBytes(SYSTEM_ADDRESS))

/** The view after a block whose writes are not in the database yet. Most blocks do not touch it, and then nothing is decoded. */
export function nextSystemView(before: SystemView, committed: KvReader, ops: readonly KvOp[]): SystemView {
  const written = ops.filter(({ key }) => startsWith(key, SYSTEM_PREFIX))
  return written.length === 0 ? before : readSystemView(overlay(committed, written))
}

/** The committed state with a few writes on top. */
const overlay = (committed: KvReader, written: readonly KvOp[]): KvReader => ({
  get(key) {
    const op = written.findLast((candidate) => equalBytes(candidate.key, key))
    return op === undefined ? committed.get(key) : op.value
  },
})

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  for (let i = 0; i < prefix.length; i++) if (bytes[i] !== prefix[i]) return false
  return true
}
