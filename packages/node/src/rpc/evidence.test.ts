import { reportCall } from '@quoin/execution'
import { nobleCrypto as crypto } from '@quoin/protocol'
import { describe, expect, it } from 'vitest'
import { openTestNode, testGenesis, testValidators } from '../../test/chain.ts'
import { testEvidence } from '../../test/evidence.ts'
import { serveTestNode } from '../../test/rpc.ts'
import { EvidencePool } from '../evidence/evidence-pool.ts'
import { operatorAccount } from '../evidence/operator-account.ts'

const validators = testValidators(crypto, 5)
const addresses = validators.set.validators.map(({ address }) => address)
const account = operatorAccount(crypto, new Uint8Array(32).fill(0x66))!

interface Page {
  readonly evidence: readonly { readonly hash: string; readonly call: { readonly to: string; readonly data: string } }[]
  readonly next: string | null
  readonly onChain: readonly object[]
}

describe('quoin_evidence', () => {
  it('answers what the node keeps, in pages, with the call that reports it, and what is on the chain', async () => {
    const node = await openTestNode({ crypto, validators, genesis: testGenesis(crypto, validators.set) })
    await node.produce()
    const pool = await EvidencePool.open(node.kv, crypto)
    const made = addresses.map((validator) => testEvidence(crypto, node.chain.domain, validators, { validator, height: 1 }))
    for (const one of made) pool.add(one)
    await pool.close()
    const rpc = await serveTestNode(node, crypto, { pageEvidenceMax: 2 })
    try {
      const ask = async (after?: string | null) =>
        (await rpc.call('quoin_evidence', ...(after === undefined ? [] : [after]))).result as Page
      const pages = [await ask()]
      while (pages.at(-1)!.next !== null) pages.push(await ask(pages.at(-1)!.next))
      expect(pages.map(({ evidence }) => evidence.length)).toEqual([2, 2, 1])
      const all = pages.flatMap(({ evidence }) => evidence)
      expect(all.map(({ hash }) => hash)).toEqual(all.map(({ hash }) => hash).toSorted())
      expect(all[0]).toMatchObject({ id: expect.any(String), height: '0x1', round: '0x0', kind: 'prevote', isReported: false })
      expect(pages[0]!.onChain).toEqual([])
      expect(await ask(`0x${'ff'.repeat(32)}`)).toEqual({ evidence: [], next: null, onChain: [] })

      // The call is the one that a client has to send.
      const { to, data } = reportCall(crypto, made[0]!)
      const fields = {
        type: 2,
        chainId: 31_337,
        nonce: 0,
        maxPriorityFeePerGas: 0n,
        maxFeePerGas: 0n,
        gasLimit: 1_000_000,
        value: 0n,
      }
      const [accused] = all.filter((one) => one.call.data === `0x${Buffer.from(data).toString('hex')}`)
      expect(accused!.call.to).toBe(to)
      await node.produce([account.sign({ ...fields, to, data, accessList: [] } as never)])
      const after = await ask()
      expect(after.onChain).toEqual([
        {
          ...{ id: expect.any(String), hash: accused!.hash, height: '0x1', round: '0x0', kind: 'prevote' },
          ...{ takenAt: '0x2', reporter: account.address },
        },
      ])
      const again = [...after.evidence, ...(await ask(after.next)).evidence, ...(await ask(all[3]!.hash)).evidence]
      expect(again.filter((one) => 'isReported' in one && one.isReported).map(({ hash }) => hash)).toEqual([accused!.hash])
    } finally {
      await rpc.server.close()
    }
  })
})
