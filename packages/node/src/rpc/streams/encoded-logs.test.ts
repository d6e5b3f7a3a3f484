import { Address, bytesToHex, codec, Hash, Height, type Log, receiptsCodec, type TimeMs } from '@quoin/protocol'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import * as any from '../../../../protocol/test/arbitraries.ts'
import { crypto } from '../../../test/fixture.ts'
import type { StoredHeader } from '../../store/types.ts'
import { formatLog } from '../format.ts'
import { type LogCriteria, LogMatcher } from '../log-matcher.ts'
import { encodedLogItems } from './encoded-logs.ts'

const stamp = { hash: Hash(`0x${'12'.repeat(32)}`), timeMs: 1_700_000_000_750 as TimeMs }
const height = Height(0x1234)
const block = { hash: stamp.hash, header: { number: height, timeMs: stamp.timeMs } } as StoredHeader
const transactionHash = (index: number) => Hash(bytesToHex(new Uint8Array(32).fill(index)))

it('encoded logs have the same text as decoded ones, and the same ones match', () => {
  fc.assert(
    fc.property(fc.array(any.receipt, { maxLength: 4 }), fc.nat(8), fc.nat(20), (receipts, from, choice) => {
      const logs = receipts.flatMap((receipt, transactionIndex) => receipt.logs.map((log) => ({ log, transactionIndex })))
      const chosen: Log | undefined = logs[choice % Math.max(1, logs.length)]?.log
      const some: readonly LogCriteria[] = [
        { addresses: [], topics: [] },
        { addresses: [chosen?.address ?? Address(`0x${'00'.repeat(20)}`)], topics: [] },
        { addresses: [], topics: (chosen?.topics ?? []).map((topic, i) => (i % 2 === 0 ? [topic] : [])) },
      ]
      for (const criteria of some) {
        const matcher = new LogMatcher(crypto, criteria)
        const encoded = { height, stamp, receipts: codec.encode(receiptsCodec, receipts), transactionHash }
        const expected = logs.flatMap(({ log, transactionIndex }, logIndex) =>
          logIndex < from || !matcher.matches(log)
            ? []
            : [
                {
                  index: logIndex,
                  text: JSON.stringify(
                    formatLog(log, { block, transactionHash: transactionHash(transactionIndex), transactionIndex, logIndex }),
                  ),
                },
              ],
        )
        expect([...encodedLogItems(encoded, matcher, from)]).toEqual(expected)
      }
    }),
  )
})

it('a block with thousands of logs is walked in parts, and none is lost', () => {
  const log: Log = { address: Address(`0x${'ab'.repeat(20)}`), topics: [], data: new Uint8Array(0) }
  const receipt = fc.sample(any.receipt, { numRuns: 1, seed: 1 })[0]!
  const receipts = Array.from({ length: 3 }, () => ({ ...receipt, logs: new Array<Log>(512).fill(log) }))
  const encoded = { height, stamp, receipts: codec.encode(receiptsCodec, receipts), transactionHash }
  const items = encodedLogItems(encoded, new LogMatcher(crypto, { addresses: [], topics: [] }), 5)
  expect([...items].map(({ index }) => index)).toEqual(Array.from({ length: 1_531 }, (_, i) => i + 5))
})
