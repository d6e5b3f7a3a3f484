import { type CertifiedBlock, certifiedBlockCodec, codec, Height, unwrap } from '@quoin/protocol'
import { beforeAll, describe, expect, it } from 'vitest'
import { certify, openTestNode, type TestNode, type TestValidators, testValidators } from '../../test/chain.ts'
import { crypto, fourValidators as validators } from '../../test/fixture.ts'
import { checkAnswer, checkFinal } from './check.ts'

let node: TestNode
let blocks: readonly CertifiedBlock[]
beforeAll(async () => {
  node = await openTestNode({ crypto, validators })
  for (let i = 0; i < 4; i++) await node.produce()
  blocks = [1, 2, 3, 4].map((height) => unwrap(codec.decode(certifiedBlockCodec, node.store.certifiedBlock(Height(height))!)))
})

const checked = (answer: readonly CertifiedBlock[], from = 1, countMax = 4) =>
  checkAnswer(crypto, answer, { from: Height(from), countMax })

describe('checkAnswer', () => {
  it('accepts a run of blocks from the requested height, and returns their hashes', () => {
    expect(unwrap(checked(blocks)).map(({ hash }) => hash)).toEqual(blocks.map(({ certificate }) => certificate.blockHash))
    expect(checked(blocks.slice(2), 3, 2).ok).toBe(true)
  })

  it('refuses more than was requested', () => {
    expect(checked(blocks, 1, 3)).toMatchObject({ ok: false, error: { code: 'not-asked' } })
  })

  it('refuses blocks at other heights, or not one above the other', async () => {
    const other = await openTestNode({ crypto, validators })
    await other.produce()
    const { header, validators: voters } = other.chain.head
    const time = (header.timeMs + 900) as typeof header.timeMs
    const block = await other.chain.build({ timeMs: time, feeAddress: header.miner, fillGasMax: 1 })
    const certificate = certify(crypto, other.chain.domain, { ...validators, set: voters }, block)
    const second = { header: block.header, transactions: [], certificate }
    expect(checked([blocks[0]!, second]).ok).toBe(true)
    for (const wrong of [blocks.slice(1), [blocks[0]!, blocks[2]!], [blocks[0]!, blocks[0]!], [blocks[0]!, second, blocks[2]!]])
      expect(checked(wrong)).toMatchObject({ ok: false, error: { code: 'not-contiguous' } })
  })

  it('refuses a block under the certificate of another', () => {
    const [first, second] = blocks as [CertifiedBlock, CertifiedBlock]
    const moved = { ...second.certificate, height: Height(1) }
    for (const certificate of [second.certificate, moved])
      expect(checked([{ ...first, certificate }])).toMatchObject({ ok: false, error: { code: 'certificate' } })
  })
})

describe('checkFinal', () => {
  const final = (block: CertifiedBlock, set = validators.set, domain = node.chain.domain) => {
    const [fetched] = unwrap(checked([block]))
    return checkFinal(crypto, domain, set, fetched!)
  }
  const signedBy = (signers: TestValidators, count: number) => {
    const [block] = blocks as [CertifiedBlock]
    return {
      ...block,
      certificate: certify(crypto, node.chain.domain, signers, { ...block, hash: block.certificate.blockHash }, count),
    }
  }

  it('takes the signatures of more than two thirds, and no fewer', () => {
    expect([1, 2, 3, 4].map((count) => final(signedBy(validators, count)).ok)).toEqual([false, false, true, true])
  })

  it('refuses signatures of others, of another chain, and by another key than the address says', () => {
    expect(final(signedBy(testValidators(crypto, 4, 30), 4)).ok).toBe(false)
    expect(final(blocks[0]!, validators.set, { ...node.chain.domain, restartEpoch: 1 }).ok).toBe(false)
    const [first, second, ...rest] = blocks[0]!.certificate.signatures
    const signatures = [{ ...first!, signature: second!.signature }, second!, ...rest]
    expect(final({ ...blocks[0]!, certificate: { ...blocks[0]!.certificate, signatures } }).ok).toBe(false)
  })

  it('refuses a body that the header does not commit to', () => {
    expect(final({ ...blocks[0]!, transactions: [Uint8Array.of(1)] })).toMatchObject({ ok: false, error: { code: 'body' } })
  })
})
