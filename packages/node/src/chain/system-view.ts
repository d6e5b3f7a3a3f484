import { flatKey, type KvOp, type KvReader, readNodes, readParameters, readValidatorSet, SYSTEM_ADDRESS } from '@quoin/execution'
import { type ChainParameters, equalBytes, hexToBytes, type RegisteredNode, type ValidatorSet } from '@quoin/protocol'

/** Chain settings in the state after a block. */
export interface SystemView {
  readonly parameters: ChainParameters
  /** The set that the state requests for two heights later; `nextValidatorSet` decides how fast it takes effect. */
  readonly validators: ValidatorSet
  readonly nodes: readonly RegisteredNode[]
  /** Records that could not be read, so that an earlier value is used. */
  readonly problems: readonly string[]
}

/** Reads the chain settings from a state. Never throws for a malformed record: it uses an earlier value and lists the problem. */
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

/** The view after a block whose writes are not in the database yet. Most blocks do not change it; then nothing is decoded. */
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
