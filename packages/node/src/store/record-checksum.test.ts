import { crc32c } from '@node-rs/crc32'
import { concatBytes, utf8ToBytes } from '@quoin/protocol'
import { expect, it } from 'vitest'
import { recordChecksum } from './record-checksum.ts'

it('is CRC-32C: the check value of its definition, and that of the native library at any length', () => {
  expect(recordChecksum(utf8ToBytes('1234'), utf8ToBytes('56789'), 5)).toBe(0xe306_9283)
  for (let length = 0; length < 600; length++) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * i * 7 + length) & 0xff)
    const at = length >> 2
    const [key, value] = [bytes.subarray(0, at), bytes.subarray(at)]
    expect(recordChecksum(key, concatBytes(value, key), value.length), `${length} bytes`).toBe(crc32c(concatBytes(key, value)))
  }
})
