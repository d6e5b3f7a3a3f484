import { type Address, DEFAULT_PARAMETERS, FEE_POLICIES, Gas, OPEN_POLICIES, ROLES, unwrap, type Wei } from '@quoin/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { TestChain } from '../../test/chain.ts'
import {
  BANK_A,
  BANK_B,
  blockOf,
  chainCall,
  GOVERNOR,
  MINER,
  member,
  receiptsOf,
  startGoverned,
  stored,
} from '../../test/governed.ts'
import { addressOf, executable, inOrder, type Spec, transfer } from '../../test/transactions.ts'
import { stateAt } from '../state/history.ts'
import { SYSTEM_ADDRESS } from '../state/system-records.ts'
import { LANE, laneGasMax } from './lane.ts'
import { UNJUDGED } from './sending.ts'

const [alice, bob, carol, voter] = [1, 2, 3, 4].map(addressOf) as [Address, Address, Address, Address]
const MEMBERS = { ...OPEN_POLICIES, sending: 'members' } as const
const setAccount = (nonce: number, who: Address, roles: number, rest: { expiry?: number; suspended?: boolean } = {}) =>
  chainCall(GOVERNOR, nonce, 'setAccount', [who, BANK_B, roles, rest.expiry ?? 0, rest.suspended ?? false])
/** Transactions here are not signed: those of different senders must differ, or an executor takes them for the same. */
const numberOf = (sender: Address) => Number(BigInt(sender) % 1_000n)
const pay = (sender: Address, nonce = 0, other: Partial<Spec> = {}) =>
  transfer(sender, nonce, bob, BigInt(numberOf(sender)), other)
/** Something harmless that anyone may ask the chain contract. */
const ask = (sender: Address, nonce: number, other: Partial<Spec> = {}) =>
  chainCall(sender, nonce, 'governor', [], { gas: 900_000 + numberOf(sender), ...other })

/** Why the transaction at an index of a block is refused. */
async function refusalOf(chain: TestChain, specs: readonly Spec[], afterMs?: number): Promise<readonly [number, string, string]> {
  const result = await blockOf(chain, specs, afterMs)
  if (result.ok || result.error.code !== 'invalid-transaction') throw new Error('no transaction is refused')
  const { index, reason } = result.error
  return [index, reason.code, reason.message]
}
const isValid = async (chain: TestChain, specs: readonly Spec[], afterMs?: number) => (await blockOf(chain, specs, afterMs)).ok
const notPermitted = (why: string) => ['not-permitted', expect.stringContaining(why)] as const

describe('sending where only members may', () => {
  it('is judged on the state of the parent: an entry of the same block does not help, and one that it removes still does', async () => {
    const chain = await startGoverned({ policies: MEMBERS, alloc: [alice] })
    const entered = setAccount(0, alice, ROLES.sender)
    expect(await refusalOf(chain, [entered, pay(alice)])).toEqual([1, ...notPermitted('lacks the role sender')])
    await stored(chain, [entered])
    await stored(chain, [chainCall(GOVERNOR, 1, 'removeAccount', [alice]), pay(alice)])
    expect(await refusalOf(chain, [pay(alice, 1)])).toEqual([0, ...notPermitted('lacks the role sender')])
  })

  it('begins and ends with the block after the one that changes the policy', async () => {
    const chain = await startGoverned({ alloc: [alice] })
    await stored(chain, [chainCall(GOVERNOR, 0, 'setPolicy', ['sending', 'members']), pay(alice)])
    expect(await isValid(chain, [pay(alice, 1)])).toBe(false)
    const open = chainCall(GOVERNOR, 1, 'setPolicy', ['sending', 'open'])
    expect(await isValid(chain, [open, pay(alice, 1)])).toBe(false)
    await stored(chain, [open])
    expect(await isValid(chain, [pay(alice, 1)])).toBe(true)
  })

  it('ends in the block whose own time is the expiry, to the millisecond', async () => {
    const expiry = 1_700_000_100
    const accounts = [member(alice, ROLES.sender, { expiry })]
    const chain = await startGoverned({ policies: MEMBERS, accounts, alloc: [alice] })
    const until = 1_000 * expiry - chain.head.header.timeMs
    expect(await isValid(chain, [pay(alice)], until - 1)).toBe(true)
    expect(await refusalOf(chain, [pay(alice)], until)).toEqual([0, ...notPermitted('has expired')])
    expect(await isValid(chain, [pay(alice)], until + 1)).toBe(false)
    // Where everyone may send, an entry that has expired takes nothing away.
    const open = await startGoverned({ accounts, alloc: [alice] })
    expect(await isValid(open, [pay(alice)], until + 1)).toBe(true)
  })

  it('leaves out what may not be sent when it builds', async () => {
    const accounts = [member(alice, ROLES.sender)]
    const chain = await startGoverned({ policies: MEMBERS, accounts, alloc: [alice, carol] })
    const fill = { gasMax: 60_000_000, bytesMax: 4_000_000, part: 1 }
    const built = await chain.executor.build(chain.template(MINER), inOrder([pay(carol), pay(alice)].map(executable)), fill)
    expect(built.included).toEqual([1])
    expect(built.refused).toMatchObject([{ index: 0, reason: { code: 'not-permitted' } }])
  })
})

describe('a suspension', () => {
  it.each(['open', 'members'] as const)('of the account or its organisation stops it where sending is %s', async (sending) => {
    const accounts = [member(alice, ROLES.sender), member(carol, ROLES.sender, { organisation: BANK_A })]
    const chain = await startGoverned({ policies: { ...OPEN_POLICIES, sending }, accounts, alloc: [alice, carol] })
    await stored(chain, [pay(alice), setAccount(0, alice, ROLES.sender, { suspended: true })])
    expect(await refusalOf(chain, [pay(alice, 1)])).toEqual([0, ...notPermitted(`account ${alice} is suspended`)])
    await stored(chain, [setAccount(1, alice, ROLES.sender), chainCall(GOVERNOR, 2, 'suspendOrganisation', [BANK_B, true])])
    expect(await refusalOf(chain, [pay(carol), pay(alice, 1)])).toEqual([1, ...notPermitted('organisation of account')])
    await stored(chain, [chainCall(GOVERNOR, 3, 'suspendOrganisation', [BANK_B, false])])
    expect(await isValid(chain, [pay(alice, 1)])).toBe(true)
  })

  it('judged for any entry, organisation, policy and time as this model does', async () => {
    const senders = Array.from({ length: 6 }, (_, i) => addressOf(i + 1))
    const start = 1_700_000_000
    const entry = fc.option(
      fc.record({
        roles: fc.constantFrom(0, ROLES.sender, ROLES.admin | ROLES.sender, ROLES.deployer, 2 ** 31, 0xffff_007d),
        expiry: fc.constantFrom(0, start, start + 1, start + 2, start + 3),
        suspended: fc.boolean(),
        organisation: fc.constantFrom(BANK_A, BANK_B),
      }),
      { nil: undefined },
    )
    const scenario = fc.record({
      entries: fc.array(entry, { minLength: senders.length, maxLength: senders.length }),
      stopped: fc.subarray([BANK_A, BANK_B]),
      sending: fc.constantFrom('open' as const, 'members' as const),
      afterMs: fc.constantFrom(1_499, 1_500, 1_501, 2_499, 2_500, 9_999),
    })
    await fc.assert(
      fc.asyncProperty(scenario, async ({ entries, stopped, sending, afterMs }) => {
        const chain = await startGoverned({ policies: { ...OPEN_POLICIES, sending }, alloc: senders })
        const set = entries.flatMap((one, i) =>
          one === undefined
            ? []
            : [['setAccount', [senders[i], one.organisation, one.roles, one.expiry, one.suspended]] as const],
        )
        const suspensions = stopped.map((id) => ['suspendOrganisation', [id, true]] as const)
        await stored(
          chain,
          [...set, ...suspensions].map(([name, args], nonce) => chainCall(GOVERNOR, nonce, name, args)),
        )
        const timeMs = 1_000 * start + 500 + afterMs
        for (const [i, one] of entries.entries()) {
          const isStopped = one !== undefined && (one.suspended || stopped.includes(one.organisation))
          const isMember =
            one !== undefined && Math.floor(one.roles / 4) % 2 === 1 && (one.expiry === 0 || timeMs / 1_000 < one.expiry)
          const may = !isStopped && (sending === 'open' || isMember)
          expect([i, await isValid(chain, [pay(senders[i]!)], afterMs)]).toEqual([i, may])
        }
      }),
      { numRuns: 12 },
    )
  })
})

describe('the lane', () => {
  const VOTER = [member(voter, ROLES.voter)]

  it.each(FEE_POLICIES)('costs nothing under %s, whatever the transaction offers', async (feePolicy) => {
    const parameters = { feePolicy, initialBaseFee: 1_000n as Wei }
    const chain = await startGoverned({ parameters, accounts: VOTER, alloc: [alice] })
    const offers = [
      { maxFee: 0n, tip: 0n },
      { maxFee: 5n, tip: 9n },
      { maxFee: 2n ** 100n, tip: 2n ** 90n },
    ]
    const receipts = await stored(
      chain,
      offers.map((offer, nonce) => ask(voter, nonce, offer)),
    )
    expect(receipts.map(({ payer }) => payer)).toEqual(offers.map(() => (feePolicy === 'free' ? voter : SYSTEM_ADDRESS)))
    expect(receipts.every(({ gasUsed }) => gasUsed > 21_000)).toBe(true)
    const state = stateAt(chain.kv, chain.head.header.number)
    for (const account of [voter, MINER, SYSTEM_ADDRESS]) expect((await state.account(account)).balance).toBe(0n)
    expect((await state.account(voter)).nonce).toBe(offers.length)
    expect((await state.account(alice)).balance).toBe(10n ** 24n)
  })

  it.each([
    ['a voter', voter, true],
    ['the governor', GOVERNOR, true],
    ['a participant', bob, true],
    ['another member', carol, false],
    ['anybody else', alice, false],
  ])('is open to %s or not', async (_who, sender, isOpen) => {
    const accounts = [...VOTER, member(carol, 0xffff_007d)]
    const parameters = { feePolicy: 'burn', initialBaseFee: 1_000n as Wei } as const
    const chain = await startGoverned({ parameters, accounts, participants: [bob] })
    for (const to of [SYSTEM_ADDRESS, GOVERNOR]) {
      const result = await blockOf(chain, [ask(sender, 0, { to })])
      if (isOpen) expect(result.ok).toBe(true)
      else expect(result).toMatchObject({ error: { reason: { code: 'fee-too-low' } } })
    }
  })

  it('is open to the one to whom governance is offered, from the block after the offer until it has accepted', async () => {
    const parameters = { feePolicy: 'burn', initialBaseFee: 1_000n as Wei } as const
    const chain = await startGoverned({ parameters })
    const accepts = chainCall(carol, 0, 'acceptGovernor')
    expect(await isValid(chain, [accepts])).toBe(false)
    await stored(chain, [chainCall(GOVERNOR, 0, 'offerGovernor', [carol, 9])])
    await stored(chain, [accepts])
    await stored(chain, [chainCall(carol, 1, 'setPolicy', ['sending', 'members'])])
    expect(await isValid(chain, [ask(GOVERNOR, 1)])).toBe(false)
  })

  it('ends where a transaction has value, creates, or goes elsewhere', async () => {
    const parameters = { feePolicy: 'burn', initialBaseFee: 1_000n as Wei } as const
    const chain = await startGoverned({ parameters, accounts: VOTER, alloc: [voter] })
    for (const other of [{ value: 1n }, { to: undefined }, { to: alice }])
      expect(await refusalOf(chain, [ask(voter, 0, other)])).toEqual([0, 'fee-too-low', expect.any(String)])
  })

  it('has a gas limit of its own, not that of the parameters', async () => {
    const parameters = { transactionGasMax: Gas(100_000) }
    const chain = await startGoverned({ parameters, accounts: VOTER, alloc: [voter] })
    expect(await isValid(chain, [ask(voter, 0, { gas: LANE.transactionGasMax })])).toBe(true)
    expect(await refusalOf(chain, [ask(voter, 0, { gas: LANE.transactionGasMax + 1 })])).toEqual([
      0,
      'gas-limit-too-high',
      expect.any(String),
    ])
    expect(await refusalOf(chain, [pay(voter, 0, { gas: 100_001 })])).toEqual([0, 'gas-limit-too-high', expect.any(String)])
    expect(await refusalOf(chain, [ask(voter, 0, { gas: 21_000 })])).toEqual([0, 'intrinsic-gas-too-low', expect.any(String)])
  })

  it('is open to a voter without the role sender, who may send nothing else', async () => {
    const chain = await startGoverned({ policies: MEMBERS, accounts: VOTER, alloc: [voter] })
    expect(await refusalOf(chain, [ask(voter, 0), pay(voter, 1)])).toEqual([1, ...notPermitted('lacks the role sender')])
  })

  it('is closed to a suspended account, and open to one of a suspended organisation', async () => {
    const accounts = [...VOTER, member(carol, ROLES.voter)]
    const chain = await startGoverned({ accounts, alloc: [voter, carol] })
    await stored(chain, [
      setAccount(0, carol, ROLES.voter, { suspended: true }),
      chainCall(GOVERNOR, 1, 'suspendOrganisation', [BANK_B, true]),
    ])
    expect(await refusalOf(chain, [ask(carol, 0)])).toEqual([0, ...notPermitted(`account ${carol} is suspended`)])
    expect(await isValid(chain, [ask(voter, 0)])).toBe(true)
    expect(await isValid(chain, [pay(voter, 0)])).toBe(false)
  })

  it('has room for so many transactions in a block, and the others find theirs', async () => {
    const chain = await startGoverned({ accounts: VOTER, alloc: [alice] })
    const votes = Array.from({ length: LANE.transactionsMax + 1 }, (_, nonce) => ask(voter, nonce, { gas: 60_000 }))
    expect(await blockOf(chain, votes)).toMatchObject({ ok: false, error: { code: 'lane-full' } })
    expect(await isValid(chain, votes.slice(0, -1))).toBe(true)
    const fill = { gasMax: 60_000_000, bytesMax: 4_000_000, part: 1 }
    const candidates = [...votes, pay(alice)].map(executable)
    const built = await chain.executor.build(chain.template(MINER), inOrder(candidates), fill)
    expect(built.included).toContain(LANE.transactionsMax + 1)
    expect(built.included).toHaveLength(LANE.transactionsMax + 1)
    expect(built.refused).toEqual([])
  })

  it('takes an eighth of the gas of a block', async () => {
    const { blockGasMax } = DEFAULT_PARAMETERS
    expect(laneGasMax(blockGasMax)).toBe(blockGasMax / 8)
    expect(laneGasMax(1_000_000)).toBe(LANE.transactionGasMax)
    const chain = await startGoverned({ accounts: VOTER })
    // A call of a function that does not exist: its bytes alone use about two million gas.
    const heavy = (nonce: number, gas = 2_100_000) => ask(voter, nonce, { data: new Uint8Array(120_000).fill(1), gas })
    const used = receiptsOf(unwrap(await blockOf(chain, [heavy(0)])))[0]!.gasUsed
    const count = Math.floor((laneGasMax(blockGasMax) - 2_100_000) / used)
    const first = Array.from({ length: count }, (_, nonce) => heavy(nonce))
    const left = laneGasMax(blockGasMax) - count * used
    expect(left).toBeLessThan(LANE.transactionGasMax)
    expect(await isValid(chain, [...first, heavy(count, left)])).toBe(true)
    expect(await blockOf(chain, [...first, heavy(count, left + 1)])).toMatchObject({ error: { code: 'lane-full' } })
  })
})

it('what is not judged is sent by everyone, and by nobody through the lane', () => {
  const transaction = { to: SYSTEM_ADDRESS, value: 0n as Wei }
  expect([UNJUDGED.refusal(alice), UNJUDGED.usesLane(transaction, alice), UNJUDGED.laneTurn(alice)]).toEqual([
    undefined,
    false,
    alice,
  ])
})
