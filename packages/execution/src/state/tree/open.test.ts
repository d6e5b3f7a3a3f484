import { hexToBytes } from '@quoin/protocol'
import { describe, expect, it } from 'vitest'
import { MemoryKv } from '../../../test/memory-kv.ts'
import { advance, crypto, ground, open, put } from '../../../test/tree-support.ts'
import { openTree, TreeCorruption } from './index.ts'

describe('opening', () => {
  it('refuses another depth and an unknown format, and says what to do', async () => {
    const kv = new MemoryKv()
    advance(await open(kv, 4), kv, [])
    const options = { kv, crypto, historyHeights: 0 }
    expect(await openTree({ ...options, depth: 5 })).toMatchObject({ ok: false, error: { code: 'other-depth', depth: 4 } })
    const head = kv.get(hexToBytes('0x2000'))!
    kv.write([{ key: hexToBytes('0x2000'), value: head.with(0, 9) }])
    expect(await openTree({ ...options, depth: 4 })).toMatchObject({ ok: false, error: { code: 'unknown-format', format: 9 } })
    await expect(openTree({ ...options, depth: 0 })).rejects.toThrow(RangeError)
    await expect(openTree({ ...options, depth: 25 })).rejects.toThrow(RangeError)
  })

  it('finds a damaged, missing or superfluous record', async () => {
    const build = async () => {
      const kv = new MemoryKv()
      advance(
        await open(kv, 4),
        kv,
        ground(300).map((key, i) => put(i % 2 === 0 ? key : crypto.sha256(key))),
      )
      return kv
    }
    const damage = async (key: string, change: (value: Uint8Array) => Uint8Array | undefined) => {
      const kv = await build()
      const name = hexToBytes(key as `0x${string}`)
      kv.write([{ key: name, value: change(kv.get(name) ?? new Uint8Array(0)) }])
      await expect(openTree({ kv, crypto, depth: 4, historyHeights: 0 })).rejects.toThrow(TreeCorruption)
    }
    const [root] = (await build()).keys('0x2002')
    await damage(root!, (value) => value.with(31, value[31]! ^ 1))
    await damage(root!, () => undefined)
    await damage(root!, (value) => value.subarray(1))
    await damage('0x200200000010', () => new Uint8Array(32).fill(1))
    await damage('0x2000', (value) => value.with(20, value[20]! ^ 1))
    await damage('0x2000', (value) => value.subarray(1).with(0, 1))
    await damage('0x2000', () => undefined)
  })
})
