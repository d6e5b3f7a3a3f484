import {
  type CertifiedBlock,
  certifiedBlockCodec,
  codec,
  concatBytes,
  Height,
  LIMITS,
  nobleCrypto,
  numberToBytes,
  unwrap,
} from '@quoin/protocol'
import { beforeAll, describe, expect, it } from 'vitest'
import { openTestNode, testValidators } from '../../test/chain.ts'
import { SYNC_LIMITS } from './limits.ts'
import { blocksCodec, blocksCodecOf } from './messages.ts'
import { answerBlocks } from './server.ts'

const { answerBlocksMax, answerBytesMax, answerTransactionsMax } = SYNC_LIMITS

let empty: CertifiedBlock
beforeAll(async () => {
  const node = await openTestNode({ crypto: nobleCrypto, validators: testValidators(nobleCrypto, 1) })
  await node.produce([])
  empty = unwrap(codec.decode(certifiedBlockCodec, node.store.certifiedBlock(Height(1))!))
})

/** A block as it is stored on disk. */
const blockOf = (count: number, size: number = LIMITS.transactionBytesMin): Uint8Array =>
  codec.encode(certifiedBlockCodec, { ...empty, transactions: Array<Uint8Array>(count).fill(new Uint8Array(size)) })
const answerOf = (blocks: readonly Uint8Array[]) => concatBytes(numberToBytes(blocks.length, 4), ...blocks)

/** The answer of a node whose blocks are all the same. */
function served(block: Uint8Array): Uint8Array {
  const question = { from: Height(1), countMax: answerBlocksMax, bytesMax: answerBytesMax }
  return answerBlocks({ certifiedBlock: () => block }, question)!
}

describe('an answer of blocks', () => {
  it.each([
    ['transactions', () => blockOf(8_000), Math.ceil(answerTransactionsMax / 8_000)],
    ['bytes', () => blockOf(2, LIMITS.transactionBytesMax), 2],
    ['blocks', () => blockOf(0), answerBlocksMax],
  ])('ends with the block that brings it to the limit of %s, and is refused when it goes on', (_limit, make, count) => {
    const block = make()
    const answer = served(block)
    // Megabytes, which `toEqual` would compare number by number.
    expect(Buffer.compare(answer, answerOf(Array<Uint8Array>(count).fill(block)))).toBe(0)
    const read = codec.decode(blocksCodec, answer)
    expect(read.ok && read.value.length).toBe(count)
    const longer = codec.decode(blocksCodec, answerOf(Array<Uint8Array>(count + 1).fill(block)))
    expect(longer.ok).toBe(false)
  })

  it('is read no further than its limits', () => {
    const full = blockOf(answerTransactionsMax)
    // The bytes that follow are not a block: they are not decoded.
    const answer = concatBytes(numberToBytes(2, 4), full, new Uint8Array(100).fill(0xff))
    expect(codec.decode(blocksCodec, answer)).toMatchObject({
      error: {
        message: expect.stringContaining(
          `block 1 exceeds the answer's limit: the blocks before it have ${answerTransactionsMax} transactions`,
        ),
      },
    })
    expect(codec.decode(blocksCodecOf(1), numberToBytes(2, 4))).toMatchObject({
      error: { message: expect.stringContaining('the answer contains 2 blocks, at most 1 are allowed') },
    })
  })

  it('has one block at the least', () => {
    expect(codec.decode(blocksCodec, numberToBytes(0, 4)).ok).toBe(false)
    expect(() => codec.encode(blocksCodec, [])).toThrow('the answer contains no blocks')
  })
})
