import { type Address, type ChainId, FEE_POLICIES, nobleCrypto, ROLES, type Wei } from '@quoin/protocol'
import { describe, expect, it } from 'vitest'
import type { TestChain } from '../../test/chain.ts'
import { chainData, GOVERNOR, type Governed, member, startGoverned, stored } from '../../test/governed.ts'
import { contractInterpreter } from '../../test/interpreter.ts'
import { addressOf, CHAIN_ID } from '../../test/transactions.ts'
import { SYSTEM_ADDRESS } from '../state/system-records.ts'
import type { SimulatedCall } from './block-plan.ts'
import { createCallHost } from './index.ts'
import { simulate } from './simulation.ts'

const [voter, alice] = [addressOf(1), addressOf(2)]
const start = (governed: Governed = {}) => startGoverned({ accounts: [member(voter, ROLES.voter)], ...governed })

/** Simulates calls of the chain contract as valid transactions in the block after a chain's head. */
function simulated(
  { kv, head }: TestChain,
  calls: readonly (readonly [from: Address, name: string, ...args: readonly unknown[]])[],
) {
  const host = createCallHost({ kv, crypto: nobleCrypto, chainId: CHAIN_ID as ChainId, interpreter: contractInterpreter() })
  return simulate(host, {
    base: { header: head.header, hash: head.hash },
    blocks: [
      {
        calls: calls.map(
          ([from, name, ...args]): SimulatedCall => ({
            ...{ type: 2, from, to: SYSTEM_ADDRESS, data: chainData(name, args), value: 0n as Wei, accessList: [] },
            ...{ gas: 1_000_000, nonce: undefined, maxFeePerGas: 0n as Wei, maxPriorityFeePerGas: 0n as Wei },
          }),
        ),
        blockOverrides: {},
        stateOverrides: new Map(),
      },
    ],
    ...{ isValidated: true, recordsTransfers: false, gasMax: 50_000_000, answerBytesMax: 1_000_000 },
  })
}

describe('a simulated transaction by the lane', () => {
  it.each(FEE_POLICIES)('is valid and free under %s, as in a block', async (feePolicy) => {
    const chain = await start({ parameters: { feePolicy, initialBaseFee: 1_000n as Wei } })
    await stored(chain, [])
    const outcome = await simulated(chain, [[voter, 'governor']])
    expect(outcome).toMatchObject({ kind: 'simulated', blocks: [{ results: [{ outcome: { kind: 'returned' } }] }] })
    const other = await simulated(chain, [[alice, 'governor']])
    expect(other).toMatchObject(feePolicy === 'free' ? { kind: 'simulated' } : { kind: 'refused', code: 'fee-too-low' })
  })

  it('fails with the contract’s error on a state that has no block after genesis yet', async () => {
    const chain = await start()
    const ready = [GOVERNOR, 'ready', chain.head.header.extra.validatorsHash, 1n, `0x${'11'.repeat(64)}`] as const
    expect(await simulated(chain, [ready])).toMatchObject({ kind: 'simulated' })
    const id = `0x62616e6b2d61${'00'.repeat(26)}`
    expect(await simulated(chain, [[GOVERNOR, 'ready', id, 1n, `0x${'11'.repeat(64)}`]])).toMatchObject({
      kind: 'simulated',
      blocks: [{ results: [{ outcome: { kind: 'reverted' } }] }],
    })
  })
})
