import { bytesToHex, Height, unwrap } from '@quoin/protocol'
import type { Kv } from '../../packages/node/src/powers.ts'
import { BlockStore } from '../../packages/node/src/store/block-store.ts'
import { simCrypto } from './crypto.ts'
import { Violation } from './oracle.ts'
import { HISTORY_HEIGHTS } from './sim-node.ts'

/** First bytes of the tree's undo records (`packages/execution/src/state/tree/records.ts`); one of each kind per height. */
const UNDO_PREFIXES = [
  [0x20, 0x03],
  [0x20, 0x04],
] as const

/**
 * Checks a node's disk at the end: it has each block of its chain with all its parts, its parent, and signatures of more than two thirds,
 * and no more undo records than there are heights to go back to.
 */
export async function checkHistory(by: string, kv: Kv, head: number): Promise<void> {
  const store = unwrap(BlockStore.open(kv, simCrypto))
  if (store.head.header.number !== head)
    throw new Violation(`${by} stores block ${store.head.header.number}, but its head was ${head}`)
  for (let number = 1; number <= head; number++) {
    const height = Height(number)
    const stored = store.header(height)
    const certificate = store.certificate(height)
    const parts = [store.body(height), store.receipts(height), store.senders(height), store.validators(height)]
    if (stored === undefined || parts.includes(undefined)) throw new Violation(`${by} stores block ${number} incompletely`)
    if (stored.header.parentHash !== store.header(Height(number - 1))?.hash)
      throw new Violation(`${by} stores block ${number} without its parent`)
    const signers = new Set(certificate?.signatures.map(({ validator }) => validator))
    const { validators } = store.validators(height)!
    const powerOf = (members: typeof validators) => members.reduce((sum, { power }) => sum + power, 0)
    const signed = powerOf(validators.filter(({ address }) => signers.has(address)))
    if (certificate?.blockHash !== stored.hash || 3 * signed <= 2 * powerOf(validators))
      throw new Violation(`${by} stores a certificate of block ${number} with only ${signed} of the power`)
  }
  for (const [space, kind] of UNDO_PREFIXES) {
    let count = 0
    for await (const [key] of kv.scan({ from: Uint8Array.of(space, kind), to: Uint8Array.of(space, kind + 1) }))
      count += key.length > 0 ? 1 : 0
    if (count > HISTORY_HEIGHTS)
      throw new Violation(
        `${by} stores ${count} undo records ${bytesToHex(Uint8Array.of(space, kind))}, but only ${HISTORY_HEIGHTS} are needed`,
      )
  }
}
