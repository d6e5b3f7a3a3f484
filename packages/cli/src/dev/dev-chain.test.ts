import { createInlineRecovery } from '@quoin/node/crypto'
import { developmentAccounts } from '@quoin/platform'
import {
  type Address,
  type ChainId,
  nobleCrypto as crypto,
  encodeTransaction,
  type Gas,
  Height,
  type Nonce,
  unwrap,
  Wei,
} from '@quoin/protocol'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { runs } from '../../../../test/long.ts'
import { LogRecorder } from '../../../node/test/chain.ts'
import { ManualClock } from '../../../node/test/clock.ts'
import { testInterpreter } from '../../../node/test/interpreter.ts'
import { DevChain } from './dev-chain.ts'
import { devGenesis, sealerKey } from './genesis.ts'
import { impersonatedSignature, withImpersonation } from './impersonation.ts'

const CHAIN_ID = 31_337 as ChainId
const accounts = developmentAccounts(crypto, 3).map(({ address }) => address)
const OPENING = Wei(1_000n)

/** The model of a chain in this test. */
interface Model {
  readonly balances: readonly bigint[]
  readonly nonces: readonly number[]
  /** Balances after each block. */
  readonly history: readonly (readonly bigint[])[]
}

const GENESIS: Model = {
  balances: accounts.map(() => OPENING),
  nonces: accounts.map(() => 0),
  history: [accounts.map(() => OPENING)],
}

const sealed = (model: Model, changes: Partial<Model> = {}): Model => {
  const next = { ...model, ...changes }
  return { ...next, history: [...next.history, next.balances] }
}

const replaced = <T>(list: readonly T[], at: number, value: T): readonly T[] => list.map((item, i) => (i === at ? value : item))

const index = fc.nat(accounts.length - 1)
const action = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('send' as const), from: index, to: index, value: fc.nat(400) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('setBalance' as const), account: index, value: fc.nat(2_000) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('mine' as const), count: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('snapshot' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('revert' as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reset' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('increase' as const), seconds: fc.nat(100) }) },
)

/** The block that sets a balance has the same parent, time and transactions as the empty block that is executed when a chain is opened. */
const AFTER_GOING_BACK = [
  { kind: 'mine', count: 1 },
  { kind: 'snapshot' },
  { kind: 'revert', which: 0 },
  { kind: 'setBalance', account: 0, value: 7 },
] as const

let chain: DevChain
const clock = new ManualClock()

beforeAll(async () => {
  clock.advance(1_700_000_000_000)
  const genesis = devGenesis(crypto, { chainId: CHAIN_ID, timeMs: clock.now(), accounts, balance: OPENING })
  chain = await DevChain.open({
    ...{ genesis, crypto, clock, interpreter: await testInterpreter(), logger: new LogRecorder(), clientVersion: 'test' },
    recovery: withImpersonation(createInlineRecovery(crypto)),
    sealer: sealerKey(crypto),
    mining: { kind: 'automatic' },
    onBlock: () => {},
  })
})
afterAll(() => chain.close())

const transfer = (sender: Address, to: Address, value: bigint, nonce: number): Uint8Array =>
  encodeTransaction(
    {
      ...{ type: 2, chainId: CHAIN_ID, nonce: nonce as Nonce, gasLimit: 21_000 as Gas, to, value: Wei(value) },
      ...{ maxFeePerGas: Wei(0n), maxPriorityFeePerGas: Wei(0n), data: new Uint8Array(0), accessList: [] },
    },
    { signature: impersonatedSignature(sender), yParity: 0 },
  )

async function send(model: Model, from: number, to: number, value: bigint): Promise<Model> {
  const [sender, receiver] = [accounts[from]!, accounts[to]!]
  const nonce = model.nonces[from]!
  const sent = await chain.send(sender, async (next) => {
    expect(next).toBe(nonce)
    return transfer(sender, receiver, value, next)
  })
  if (value > model.balances[from]!) {
    expect(sent).toMatchObject({ ok: false, error: { code: 'insufficient-funds' } })
    return model
  }
  const balances = [...model.balances]
  balances[from]! -= value
  balances[to]! += value
  const hash = unwrap(sent)
  expect(chain.instance.ledger.blocks.locate(hash)).toEqual({ height: model.history.length, index: 0 })
  return sealed(model, { balances, nonces: replaced(model.nonces, from, nonce + 1) })
}

async function expectSame(model: Model): Promise<void> {
  const { backend, ledger } = chain.instance
  expect(ledger.blocks.head.header.number).toBe(model.history.length - 1)
  for (const [height, balances] of model.history.entries()) {
    const state = backend.stateAt(Height(height))!
    const found = await Promise.all(accounts.map(async (account) => (await state.account(account)).balance))
    expect(found).toEqual(balances)
    const { header } = ledger.blocks.header(Height(height))!
    if (height > 0) expect(header.timeMs).toBeGreaterThan(ledger.blocks.header(Height(height - 1))!.header.timeMs)
  }
}

it('behaves like a simple model, also after going back', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 25 }), async (actions) => {
      await chain.reset()
      let model = GENESIS
      let snapshots: readonly { readonly id: number; readonly model: Model }[] = []
      for (const step of actions) {
        clock.advance(7)
        switch (step.kind) {
          case 'send':
            model = await send(model, step.from, step.to, BigInt(step.value))
            break
          case 'setBalance': {
            const value = Wei(BigInt(step.value))
            unwrap(await chain.change(new Map([[accounts[step.account]!, { balance: value }]])))
            model = sealed(model, { balances: replaced<bigint>(model.balances, step.account, value) })
            break
          }
          case 'mine':
            await chain.mine(step.count, 0, new AbortController().signal)
            for (let made = 0; made < step.count; made++) model = sealed(model)
            break
          case 'snapshot':
            snapshots = [...snapshots, { id: await chain.snapshot(), model }]
            break
          case 'revert': {
            const at = snapshots.length === 0 ? 0 : step.which % (snapshots.length + 1)
            const target = snapshots[at]
            const rewind = await chain.revert(target?.id ?? 10_000)
            if (target === undefined) expect(rewind).toBeUndefined()
            else {
              expect(rewind).toEqual({ from: model.history.length - 1, to: target.model.history.length - 1 })
              model = target.model
              snapshots = snapshots.slice(0, at)
            }
            break
          }
          case 'reset':
            await chain.reset()
            model = GENESIS
            snapshots = []
            break
          case 'increase':
            unwrap(chain.time.increase(step.seconds))
        }
      }
      await expectSame(model)
    }),
    { numRuns: runs(60), examples: [[[...AFTER_GOING_BACK]]] },
  )
})
