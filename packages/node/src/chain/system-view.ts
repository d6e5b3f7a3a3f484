import {
  flatKey,
  type KvOp,
  type KvReader,
  type Reading,
  readEntry,
  readSystemRecord,
  SYSTEM_ADDRESS,
  SYSTEM_ENTRIES,
  SYSTEM_RECORDS,
  type UpcomingSets,
} from '@quoin/execution'
import { type ChainParameters, equalBytes, hexToBytes, type RegisteredNode, type Schedule, storageKey } from '@quoin/protocol'

/** Chain settings in the state after a block. */
export interface SystemView {
  readonly parameters: ChainParameters
  /** The validators of the next two heights. */
  readonly sets: UpcomingSets
  readonly nodes: readonly RegisteredNode[]
  readonly schedule: Schedule
  /** Records that could not be read, so that an earlier value is used. */
  readonly problems: readonly string[]
}

/** Reads the chain settings from a state. Never throws for a malformed record: it uses an earlier value and lists the problem. */
export function readSystemView(reader: KvReader): SystemView {
  const { parameters, sets, nodes, schedule } = SYSTEM_RECORDS
  const readings = {
    parameters: readSystemRecord(reader, parameters),
    sets: readSystemRecord(reader, sets),
    nodes: readSystemRecord(reader, nodes),
    schedule: readSystemRecord(reader, schedule),
  }
  return {
    parameters: readings.parameters.value,
    sets: readings.sets.value,
    nodes: readings.nodes.value.map((node) => ({
      ...node,
      addresses: readEntry(reader, SYSTEM_ENTRIES.node, node.peerId)?.addresses ?? [],
    })),
    schedule: readings.schedule.value,
    problems: Object.values(readings).flatMap(({ problem }: Reading<unknown>) => (problem === undefined ? [] : [problem])),
  }
}

const SYSTEM_PREFIX = flatKey(hexToBytes(SYSTEM_ADDRESS))
const keyOf = (rawKey: Uint8Array): Uint8Array => flatKey(hexToBytes(storageKey(SYSTEM_ADDRESS, rawKey)))
const { parameters, sets, nodes, schedule } = SYSTEM_RECORDS
const VIEWED_KEYS = [parameters, sets, nodes, schedule].map(({ key }) => keyOf(key))
/** Common beginning of the keys of all nodes' entries. */
const NODES_PREFIX = keyOf(SYSTEM_ENTRIES.node.key(''))

const isViewed = (key: Uint8Array): boolean =>
  startsWith(key, NODES_PREFIX) || VIEWED_KEYS.some((viewed) => equalBytes(viewed, key))

/** The view after a block whose writes are not in the database yet. Most blocks do not change it; then nothing is decoded. */
export function nextSystemView(before: SystemView, committed: KvReader, ops: readonly KvOp[]): SystemView {
  const written = ops.filter(({ key }) => startsWith(key, SYSTEM_PREFIX))
  return written.some(({ key }) => isViewed(key)) ? readSystemView(overlay(committed, written)) : before
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
