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
import { type Body, body, RANDOM_CONTRACT_ABI, type Statement, sourceOf } from '../../test/random-contracts.ts'
import { intrinsicGas } from '../block/intrinsic-gas.ts'
import { UNJUDGED } from '../block/sending.ts'
import { applyTransaction } from '../block/transaction.ts'
import { Machine } from '../contract/machine.ts'
import { Journal } from '../state/journal.ts'
import type { Call } from './call.ts'
import { estimateGas } from './estimate.ts'

const ABI = abiOf(RANDOM_CONTRACT_ABI)
const PLAIN = Address(`0x${'77'.repeat(20)}`)
const CONTRACTS = 3
const TRANSACTION_GAS = 15_000_000

const addressOf = (nonce: number): Address => contractAddress(nobleCrypto, USER, nonce as Nonce)
/** The last contract is created first, because the others need its address. */
const peersOf = (place: number): readonly Address[] => Array.from({ length: place }, (_, i) => addressOf(place - 1 - i))

function worldOf(bodies: readonly Body[]): CallWorld {
  const world = new CallWorld({ transactionGasMax: TRANSACTION_GAS as Gas })
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

interface Applied {
  readonly gasUsed: number
  /** Success of each inner message, in the order in which they ended. */
  readonly inner: readonly boolean[]
  readonly changes: ReturnType<Journal['changes']>
}

/** Applies a call's transaction with a gas limit as a block does, not as an estimate runs it; undefined when it fails. */
function applied(world: CallWorld, call: Pick<Call, 'to' | 'data' | 'value'>, gas: number): Applied | undefined {
  if (gas < intrinsicGas({ ...call, accessList: [] })) return undefined
  const machine = new Machine(world.host.contracts, new Journal(world.kv), world.blockAt(world.height))
  const inner: boolean[] = []
  const { nonce } = machine.journal.account(USER)
  const send = machine.send.bind(machine)
  machine.send = (...message) => {
    const outcome = send(...message)
    inner.push(outcome.ok)
    return outcome
  }
  const fees = { maxFeePerGas: 0n as Wei, maxPriorityFeePerGas: 0n as Wei }
  const transaction = { ...call, ...fees, nonce, accessList: [], gasLimit: gas as Gas } as unknown as Transaction
  const rules = { feePolicy: 'free', transactionGasMax: TRANSACTION_GAS as Gas, baseFee: 0n as Wei, sending: UNJUDGED } as const
  const { status, gasUsed } = applyTransaction(machine, transaction, USER, rules, false)
  return status === 1 ? { gasUsed, inner, changes: machine.journal.changes() } : undefined
}

const callOfNext = (name: number, isCaught: boolean): Statement => ({ kind: 'call', by: 1, name, gas: undefined, isCaught })

const ASKS_GAS: readonly string[] = ['want', 'adapt', 'while']
const withoutAsking = (one: Body): Body => {
  const [f0, f1] = one.map((statements) => statements.filter(({ kind }) => !ASKS_GAS.includes(kind)))
  return [f0!, f1!]
}

/**
 * A fixed world that contains every kind of case. The first contract's `f0` uses so much gas that 1/64 of it is more than its
 * callers need afterwards; its `f1` fails. The second contract's `f0` calls the first, and both catch what the call throws.
 */
const EACH_KIND: [Body[], boolean, CallSpec[]] = [
  [
    [[{ kind: 'text', length: 8_000 }], [{ kind: 'fail', modulus: 2 }]],
    [[callOfNext(0, true)], [callOfNext(1, true)]],
    [[callOfNext(0, false)], []],
  ],
  false,
  [1, 2].flatMap((place) => [0, 1].map((name) => ({ kind: 'call', place, name, x: 0n, value: 0n }) as const)),
]

// About 5 s of processor time.
it('with its estimate a random call does what it does with plenty of gas', { timeout: 60_000 }, async () => {
  const counts = { estimated: 0, aboveUse: 0, caught: 0 }
  await fc.assert(
    fc.asyncProperty(
      fc.tuple(...Array.from({ length: CONTRACTS }, () => body)),
      fc.boolean(),
      fc.array(callSpec, { minLength: 12, maxLength: 12 }),
      async (random, asksGas, specs) => {
        const world = worldOf(asksGas ? random : random.map(withoutAsking))
        for (const call of specs.map(callOf)) {
          const outcome = await estimateGas(world.host, world.request(call))
          const plenty = applied(world, call, TRANSACTION_GAS)
          if (outcome.kind !== 'estimated') {
            expect(plenty).toBeUndefined()
            continue
          }
          counts.estimated++
          const { gasUsed, inner, changes } = plenty!
          const atEstimate = applied(world, call, outcome.gas)
          expect(outcome.gas).toBeGreaterThanOrEqual(gasUsed)
          expect(atEstimate?.inner).toEqual(inner)
          // A created contract may read the remaining gas.
          if (!asksGas && call.to !== undefined) expect(atEstimate!.changes).toEqual(changes)
          if (inner.includes(false)) counts.caught++
          if (outcome.gas === gasUsed) continue
          counts.aboveUse++
          expect(applied(world, call, outcome.gas - 1)?.inner).not.toEqual(inner)
        }
      },
    ),
    { numRuns: 52, examples: [EACH_KIND] },
  )
  // EACH_KIND alone has this many.
  expect(counts.estimated).toBeGreaterThanOrEqual(4)
  expect(counts.aboveUse).toBeGreaterThanOrEqual(2)
  expect(counts.caught).toBeGreaterThanOrEqual(1)
})
