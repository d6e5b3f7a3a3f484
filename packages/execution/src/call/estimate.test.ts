import {
  Address,
  contractAddress,
  type Gas,
  hexToBytes,
  type Nonce,
  nobleCrypto,
  type Transaction,
  type Wei,
} from '@quoin/protocol'
import fc from 'fast-check'
import { encodeFunctionData, type Hex } from 'viem'
import { expect, it } from 'vitest'
import { CallWorld } from '../../test/call-world.ts'
import { abiOf, creationOf, USER } from '../../test/contracts.ts'
import { type Body, body, RANDOM_CONTRACT_ABI, sourceOf } from '../../test/random-contracts.ts'
import { Machine } from '../contract/machine.ts'
import { intrinsicGas } from '../intrinsic-gas.ts'
import { Journal } from '../journal.ts'
import { applyTransaction } from '../transaction.ts'
import type { Call } from './call.ts'
import { estimateGas } from './estimate.ts'

const ABI = abiOf(RANDOM_CONTRACT_ABI)
const PLAIN = Address(`0x${'77'.repeat(20)}`)
const CONTRACTS = 3
const TRANSACTION_GAS = 15_000_000

const addressOf = (nonce: number): Address => contractAddress(nobleCrypto, USER, nonce as Nonce)
/** The last contract is made first: it must be there for the others to be made of it. */
const peersOf = (place: number): readonly Address[] => Array.from({ length: place }, (_, i) => addressOf(place - 1 - i))

function worldOf(bodies: readonly Body[]): CallWorld {
  const world = new CallWorld()
  world.commit((contracts) => {
    contracts.fund(USER, 10n ** 6n)
    for (const [place, one] of bodies.entries())
      contracts.deploy(RANDOM_CONTRACT_ABI, sourceOf(one, peersOf(place), PLAIN), [], undefined, { value: 20n })
  })
  return world
}

const callSpec = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('call' as const),
      place: fc.nat(CONTRACTS - 1),
      name: fc.nat(1),
      x: fc.bigInt(0n, 1_000n),
      value: fc.constantFrom(0n, 0n, 0n, 5n),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('create' as const), bodies: body, value: fc.constantFrom(0n, 5n) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('transfer' as const), value: fc.bigInt(0n, 9n) }) },
)
type CallSpec = typeof callSpec extends fc.Arbitrary<infer T> ? T : never

function callOf(spec: CallSpec): Pick<Call, 'to' | 'data' | 'value'> {
  const value = spec.value as Wei
  switch (spec.kind) {
    case 'call': {
      const data = hexToBytes(encodeFunctionData({ abi: ABI, functionName: `f${spec.name}`, args: [spec.x] } as never) as Hex)
      return { to: addressOf(spec.place), data, value }
    }
    case 'create':
      return { to: undefined, data: creationOf(sourceOf(spec.bodies, peersOf(CONTRACTS), PLAIN), ABI), value }
    case 'transfer':
      return { to: PLAIN, data: new Uint8Array(0), value }
  }
}

/** Gas that the transaction of a call uses when it succeeds: as a block applies it, and not as an estimate runs it. */
function usedBy(world: CallWorld, call: Pick<Call, 'to' | 'data' | 'value'>, gas: number): number | undefined {
  if (gas < intrinsicGas({ ...call, accessList: [] })) return undefined
  const machine = new Machine(world.host.contracts, new Journal(world.kv), world.blockAt(world.height))
  const { nonce } = machine.journal.account(USER)
  const fees = { maxFeePerGas: 0n as Wei, maxPriorityFeePerGas: 0n as Wei }
  const transaction = { ...call, ...fees, nonce, accessList: [], gasLimit: gas as Gas } as unknown as Transaction
  const rules = { feePolicy: 'free', transactionGasMax: TRANSACTION_GAS as Gas, baseFee: 0n as Wei, sendPolicy: 'open' } as const
  const { status, gasUsed } = applyTransaction(machine, transaction, USER, rules)
  return status === 1 ? gasUsed : undefined
}

// Some 8 s of processor time.
it('an estimate succeeds and one unit less fails, over 500 random calls', { timeout: 60_000 }, async () => {
  const counts = { estimated: 0, failed: 0, unlikeUse: 0 }
  await fc.assert(
    fc.asyncProperty(
      fc.tuple(...Array.from({ length: CONTRACTS }, () => body)),
      fc.array(callSpec, { minLength: 12, maxLength: 12 }),
      async (bodies, specs) => {
        const world = worldOf(bodies)
        for (const call of specs.map(callOf)) {
          const outcome = await estimateGas(world.host, world.request(call))
          const used = usedBy(world, call, TRANSACTION_GAS)
          if (outcome.kind !== 'estimated') {
            counts.failed++
            expect(used).toBeUndefined()
            continue
          }
          counts.estimated++
          if (outcome.gas !== used) counts.unlikeUse++
          expect(usedBy(world, call, outcome.gas)).toBeDefined()
          expect(usedBy(world, call, outcome.gas - 1)).toBeUndefined()
        }
      },
    ),
    { numRuns: 52 },
  )
  expect(counts.estimated).toBeGreaterThanOrEqual(500)
  // Where gas decides what happens, the answer is not what a run with plenty uses.
  expect(counts.unlikeUse).toBeGreaterThanOrEqual(20)
})
