import { bytesToHex, codec, err, type Hash, type Height, hexToBytes, ok, type Result } from '@quoin/protocol'
import { beginningOf, endOf, type Position, type Unit } from './position.ts'

/** What is behind a cursor: items of a unit, or the whole block, or nothing (of block 0 only: other blocks have one before them). */
const BEHIND = ['nothing', 'block', 'logs', 'transactions'] as const

/** The content of a cursor. The block was final when the cursor was made. */
export interface CursorContent {
  /** The first 8 bytes of the genesis hash. */
  readonly genesis: Uint8Array
  readonly height: Height
  readonly behind: (typeof BEHIND)[number]
  /** Number of items of the block that are behind the cursor, if `behind` is a unit. Otherwise 0. */
  readonly count: number
  /** The first 16 bytes of the block's hash. */
  readonly block: Uint8Array
}

const VERSION = 1
const GENESIS_BYTES = 8
const BLOCK_BYTES = 16

const contentCodec = codec.struct({
  version: codec.u8<number>(),
  genesis: codec.fixedBytes(GENESIS_BYTES),
  height: codec.u64<Height>(),
  behind: codec.u8<number>(BEHIND.length - 1),
  count: codec.u32<number>(),
  block: codec.fixedBytes(BLOCK_BYTES),
})

/** Characters of each cursor. */
export const CURSOR_CHARS = Math.ceil((contentCodec.bytesMax * 4) / 3)
const FORM = /^[A-Za-z0-9_-]+$/

const prefix = (hash: Hash, bytes: number): Uint8Array => hexToBytes(hash).subarray(0, bytes)

/** The block that the cursor of a position names: the one around it, or else the one before. */
export const namedHeight = ({ height, index }: Position): Height => (index > 0 || height === 0 ? height : height - 1) as Height

/** The text form of a position. It says which block it names, and what of it is behind. Clients pass it on unread. */
export function cursorOf(genesis: Hash, position: Position, unit: Unit | undefined, blockHash: Hash): string {
  const { height, index } = position
  const behind = index > 0 ? unit! : height === 0 ? 'nothing' : 'block'
  const content = {
    version: VERSION,
    genesis: prefix(genesis, GENESIS_BYTES),
    height: namedHeight(position),
    behind: BEHIND.indexOf(behind),
    count: index,
    block: prefix(blockHash, BLOCK_BYTES),
  }
  return Buffer.from(codec.encode(contentCodec, content)).toString('base64url')
}

/** Reads a cursor. Refuses every text that `cursorOf` does not make. */
export function readCursor(text: string): Result<CursorContent, string> {
  if (text.length !== CURSOR_CHARS || !FORM.test(text)) return err(`must have ${CURSOR_CHARS} characters of base64url`)
  const bytes = Buffer.from(text, 'base64url')
  // Bits of the last character that belong to no byte.
  if (bytes.toString('base64url') !== text) return err('is not canonical')
  const decoded = codec.decode(contentCodec, bytes)
  if (!decoded.ok) return err(`does not decode: ${decoded.error.message}`)
  const { version, behind: code, ...content } = decoded.value
  if (version !== VERSION) return err(`has version ${version}, this node reads ${VERSION}`)
  const behind = BEHIND[code]!
  const isWithin = behind === 'logs' || behind === 'transactions'
  if (isWithin !== content.count > 0) return err('has a count that does not fit')
  if (behind === 'nothing' && content.height !== 0) return err('has nothing behind it in a later block')
  return ok({ ...content, behind })
}

/** The position of a cursor. Undefined if it lies within a block, among items of another unit. */
export function positionOf({ height, behind, count }: CursorContent, unit: Unit | undefined): Position | undefined {
  if (behind === 'nothing') return beginningOf(0)
  if (behind === 'block') return endOf(height)
  return behind === unit ? { height, index: count } : undefined
}

/** Whether a cursor was made on the chain with this genesis block. */
export const isOfChain = ({ genesis }: CursorContent, hash: Hash): boolean =>
  bytesToHex(genesis) === bytesToHex(prefix(hash, GENESIS_BYTES))

/** Whether a cursor names the block with this hash. */
export const namesBlock = ({ block }: CursorContent, hash: Hash): boolean =>
  bytesToHex(block) === bytesToHex(prefix(hash, BLOCK_BYTES))
