import { createHash } from 'node:crypto'
import {
  type Address,
  bytesToHex,
  codec,
  FEE_POLICIES,
  type Gas,
  hexToBytes,
  receiptsCodec,
  unwrap,
  type Wei,
} from '@quoin/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CODE, TestChain, testGenesis } from '../test/chain.ts'
import { naiveRoot } from '../test/naive-tree.ts'
import { addressOf, executable, type Spec } from '../test/transactions.ts'
import { Model, type ModelAccount, type ModelReceipt } from '../test/transfer-model.ts'
import type { FillLimits } from './executor.ts'
import { stateAt } from './state/history.ts'
import { readParameters } from './state/system-records.ts'

const PLAIN = [1, 2, 3, 4].map(addressOf)
const CONTRACT = addressOf(0xc0ffee)
const UNUSED = addressOf(0xffff)
const EVERYONE = [...PLAIN, CONTRACT, UNUSED]
const BLOCK_GAS = 1_000_000
const TRANSACTION_GAS = 250_000
const INITIAL_BASE_FEE = 1_000n

/** A transaction relative to the state in which it will run. */
const recipe = fc.record({
  type: fc.constantFrom(0 as const, 1 as const, 2 as const, 2 as const),
  sender: fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(...PLAIN) },
    { weight: 1, arbitrary: fc.constantFrom(CONTRACT, UNUSED) },
  ),
  to: fc.oneof(
    { weight: 10, arbitrary: fc.constantFrom(...PLAIN, UNUSED) },
    { weight: 2, arbitrary: fc.constantFrom(CONTRACT, undefined) },
  ),
  nonceOffset: fc.oneof({ weight: 12, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constantFrom(-1, -1, 1) }),
  gasOffset: fc.oneof(
    { weight: 10, arbitrary: fc.constantFrom(0, 1, 1000) },
    { weight: 1, arbitrary: fc.constantFrom(-1, 300_000) },
  ),
  value: fc.oneof(
    { weight: 8, arbitrary: fc.bigInt(0n, 1_000_000n) },
    { weight: 1, arbitrary: fc.constantFrom('all' as const, 10n ** 30n) },
  ),
  feeOffset: fc.oneof({ weight: 10, arbitrary: fc.bigInt(0n, 500n) }, { weight: 1, arbitrary: fc.constant(-1n) }),
  tip: fc.bigInt(0n, 300n),
  dataBytes: fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(0, 0, 1, 33) },
    { weight: 1, arbitrary: fc.constantFrom(6_000, 12_500, 13_000) },
  ),
  accessListKeys: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 2 }),
})
type Recipe = typeof recipe extends fc.Arbitrary<infer T> ? T : never

function specOf(
  model: Model,
  nonces: Map<Address, number>,
  { nonceOffset, gasOffset, value, feeOffset, dataBytes, ...rest }: Recipe,
): Spec {
  const { nonce, balance } = model.get(rest.sender)
  const next = nonces.get(rest.sender) ?? Number(nonce)
  if (nonceOffset === 0) nonces.set(rest.sender, next + 1)
  const maxFee = model.baseFee + feeOffset > 0n ? model.baseFee + feeOffset : 0n
  const spec = {
    ...rest,
    nonce: Math.max(0, next + nonceOffset),
    maxFee,
    gas: 0,
    value: value === 'all' ? balance : value,
    data: Uint8Array.from({ length: dataBytes }, (_, i) => i % 251),
  }
  return { ...spec, gas: Number(model.gasOf(spec)) + gasOffset }
}

interface Expected {
  readonly included: number[]
  readonly refused: (readonly [index: number, code: string])[]
  readonly receipts: ModelReceipt[]
  readonly gasUsed: bigint
}

/** A queue of candidates; `expectedBlock` takes them in order, and `use` grows. */
interface SpecQueue {
  use: number
  /** Rank by its last turn; before the first turn by its position. */
  rank: number
  readonly specs: Spec[]
  /** Positions among the candidates of all queues, counted through in order. */
  readonly positions: number[]
}

/** All specs in one queue, or one queue per sender; in the order in which they will be numbered. */
function queuesOf(specs: readonly Spec[], isBySender: boolean, uses: readonly number[]): SpecQueue[] {
  const senders = isBySender ? [...new Set(specs.map(({ sender }) => sender))] : [undefined]
  let position = 0
  return senders.map((one, i) => {
    const group = specs.filter(({ sender }) => one === undefined || sender === one)
    return { rank: i - senders.length, use: uses[i % uses.length]!, specs: group, positions: group.map(() => position++) }
  })
}

/** Whose turn it is, by comparing all: the first quarter of the block by use, the rest by use and what the next one asks. */
function turnOf(queues: readonly SpecQueue[], isByUse: boolean, { gasMax, bytesMax }: FillLimits): SpecQueue | undefined {
  const asked = (spec: Spec) => Math.max(spec.gas, (executable(spec).raw.length * gasMax) / bytesMax)
  const key = ({ use, specs: [first] }: SpecQueue) => (isByUse ? use : use + asked(first!))
  return queues.filter(({ specs }) => specs.length > 0).toSorted((a, b) => key(a) - key(b) || a.rank - b.rank)[0]
}

/** The block that a proposer builds: a simple second implementation of the rules of `fillBlock`. */
function expectedBlock(model: Model, queues: readonly SpecQueue[], fill: FillLimits): Expected {
  const expected = {
    included: [] as number[],
    refused: [] as (readonly [number, string])[],
    receipts: [] as ModelReceipt[],
    gasUsed: 0n,
  }
  const gasMax = Math.min(fill.gasMax, BLOCK_GAS)
  let [bytes, turn] = [0, 0]
  const sent = new Set<Address>()
  const held = new Set<Address>()
  const filled = () => Math.max(Number(expected.gasUsed) / gasMax, bytes / fill.bytesMax) / fill.part
  /** What those that ask for little get at least, if the transactions before them, by use alone, took more than the part. */
  const share = fill.part / 4
  let [gasEnd, bytesEnd, filledByUse, isByUse, isLast] = [gasMax, fill.bytesMax, 0, true, false]
  while (Number(expected.gasUsed) + 21_000 <= gasEnd) {
    if (isByUse) filledByUse = filled()
    isByUse &&= filledByUse < 1 / 4
    if (!isLast && filled() >= 1) {
      if (filled() - filledByUse >= 1 / 4) break
      isLast = true
      gasEnd = Math.min(gasEnd, Number(expected.gasUsed) + share * gasMax)
      bytesEnd = Math.min(bytesEnd, bytes + share * fill.bytesMax)
    }
    const queue = turnOf(queues, isByUse, { ...fill, gasMax })
    if (queue === undefined) break
    queue.rank = turn++
    const [spec, index] = [queue.specs.shift()!, queue.positions.shift()!]
    const size = executable(spec).raw.length
    if (Number(expected.gasUsed) + spec.gas > gasEnd || bytes + size > bytesEnd) held.add(spec.sender)
    if (held.has(spec.sender)) continue
    const code = model.refusal(spec)
    if (code !== undefined) {
      if (code !== 'nonce-too-high' && code !== 'fee-too-low' && !sent.has(spec.sender))
        expected.refused.push([index, code] as const)
      continue
    }
    const receipt = model.run(spec, expected.gasUsed)
    queue.use += Number(receipt.gasUsed)
    expected.gasUsed = receipt.cumulative
    expected.receipts.push(receipt)
    expected.included.push(index)
    bytes += size
    sent.add(spec.sender)
  }
  return expected
}

/** Every state key in the database with its value, by the key's hash in the tree. */
function flatContent(chain: TestChain): Map<string, Uint8Array> {
  const sha256 = (bytes: Uint8Array) => createHash('sha256').update(Buffer.of(1)).update(bytes).digest('hex')
  return new Map(
    chain.kv.keys('0x10').map((key) => {
      const bytes = hexToBytes(key as `0x${string}`)
      return [`0x${sha256(bytes.subarray(1))}`, chain.kv.get(bytes)!]
    }),
  )
}

describe.each(FEE_POLICIES)('under the fee policy %s', (policy) => {
  const miner = policy === 'free' ? UNUSED : addressOf(0xfee)
  const everyone = [...EVERYONE, miner]

  async function start(balances: readonly bigint[]) {
    const alloc = new Map(PLAIN.map((address, i) => [address, balances[i]!]))
    const parameters = {
      feePolicy: policy,
      blockGasMax: BLOCK_GAS as Gas,
      transactionGasMax: TRANSACTION_GAS as Gas,
      initialBaseFee: INITIAL_BASE_FEE as Wei,
    }
    const chain = await TestChain.start(testGenesis(alloc, parameters, [CONTRACT]))
    const model = new Model({
      policy,
      blockGas: BigInt(BLOCK_GAS),
      transactionGas: BigInt(TRANSACTION_GAS),
      initialBaseFee: INITIAL_BASE_FEE,
      miner,
    })
    for (const [address, balance] of alloc) model.change(address, (account) => (account.balance = balance))
    model.change(CONTRACT, (account) => Object.assign(account, { nonce: 1n, hasCode: true }))
    return { chain, model }
  }

  async function agree(chain: TestChain, height: number, accounts: ReadonlyMap<Address, ModelAccount>) {
    const past = stateAt(chain.kv, height)
    for (const address of everyone) {
      const { nonce, balance, codeHash } = await past.account(address)
      const expected = accounts.get(address) ?? { nonce: 0n, balance: 0n, hasCode: false }
      expect({ address, height, nonce: BigInt(nonce), balance, hasCode: codeHash !== undefined }).toEqual({
        address,
        height,
        ...expected,
      })
    }
  }

  const balance = fc.oneof(
    { weight: 6, arbitrary: fc.bigInt(10n ** 10n, 10n ** 12n) },
    { weight: 1, arbitrary: fc.constantFrom(0n, 21_000n * INITIAL_BASE_FEE, 10n ** 8n) },
  )
  const block = fc.record({
    recipes: fc.array(recipe, { minLength: 1, maxLength: 14, size: 'max' }),
    isBySender: fc.boolean(),
    uses: fc.array(fc.constantFrom(0, 30_000, 400_000), { minLength: 1, maxLength: 4 }),
    fill: fc.record({
      gasMax: fc.constantFrom(10, 200_000, BLOCK_GAS, 10 * BLOCK_GAS),
      bytesMax: fc.constantFrom(500, 4_194_304),
      part: fc.constantFrom(1 / 8, 1 / 2, 1),
    }),
  })

  it('agrees with the model about blocks, balances, roots and history', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(balance, { minLength: 4, maxLength: 4 }),
        fc.array(block, { minLength: 1, maxLength: 5, size: 'max' }),
        async (balances, blocks) => {
          const { chain, model } = await start(balances)
          const supply = model.total()
          const snapshots = [model.snapshot()]
          for (const { recipes, fill, isBySender, uses } of blocks) {
            const nonces = new Map<Address, number>()
            const queues = queuesOf(
              recipes.map((item) => specOf(model, nonces, item)),
              isBySender,
              uses,
            )
            const specs = queues.flatMap((queue) => queue.specs)
            const candidates = specs.map(executable)
            const offered = queues.map((queue) => ({ use: queue.use, candidates: queue.specs.map(executable) }))
            const template = chain.template(miner)
            const baseFee = model.baseFee
            const before = model.snapshot()
            const expected = expectedBlock(model, queues, fill)

            const built = await chain.executor.build(template, offered, fill)
            expect(built.included).toEqual(expected.included)
            expect(built.gasUsed).toEqual(expected.receipts.map(({ gasUsed }) => Number(gasUsed)))
            expect(built.refused.map(({ index, reason }) => [index, reason.code])).toEqual(
              expected.refused.toSorted(([a], [b]) => a - b),
            )
            const receipts = unwrap(codec.decode(receiptsCodec, built.receipts))
            expect(
              receipts.map(({ status, gasUsed, cumulativeGasUsed, payer }) => ({
                status,
                gasUsed: BigInt(gasUsed),
                cumulative: BigInt(cumulativeGasUsed),
                payer,
              })),
            ).toEqual(expected.receipts)
            expect(built.header.gasUsed).toBe(Number(expected.gasUsed))
            expect(built.header.baseFeePerGas).toBe(baseFee)

            const transactions = built.included.map((index) => candidates[index]!)
            const stranger = await chain.reopened()
            const elsewhere = unwrap(await stranger.executor.execute(template, transactions))
            expect(elsewhere.hash).toBe(built.hash)
            expect(bytesToHex(elsewhere.ops)).toBe(bytesToHex(built.ops))
            expect(unwrap(await chain.executor.execute(template, transactions)).ops).toBe(built.ops)

            await refusesWhatTheModelRefuses(chain, before, specs, expected.included)
            await chain.store(built)
            model.endBlock(expected.gasUsed)
            snapshots.push(model.snapshot())
            expect(model.total() + model.burned).toBe(supply)
            expect(built.header.stateRoot).toBe(naiveRoot(flatContent(chain)))
          }
          for (const [height, accounts] of snapshots.entries()) await agree(chain, height, accounts)
        },
      ),
      { numRuns: 40 },
    )
  })

  /** Puts a candidate that was not included after the included ones: the block must be refused for the model's reason. */
  async function refusesWhatTheModelRefuses(
    chain: TestChain,
    before: Map<Address, ModelAccount>,
    specs: readonly Spec[],
    included: readonly number[],
  ) {
    const left = specs.find((_, index) => !included.includes(index))
    if (left === undefined) return
    const model = new Model({ ...(await rulesOf(chain)), miner })
    model.accounts = before
    model.baseFee = nextBaseFeeOf(chain)
    let gas = 0n
    for (const index of included) gas = model.run(specs[index]!, gas).cumulative
    const code = model.refusal(left) ?? (gas + BigInt(left.gas) > BigInt(BLOCK_GAS) ? 'gas-limit' : undefined)
    const transactions = [...included.map((index) => specs[index]!), left].map(executable)
    const result = await chain.executor.execute(chain.template(miner), transactions)
    if (code === undefined) return expect(result.ok).toBe(true)
    if (code === 'gas-limit') return expect(result).toMatchObject({ ok: false, error: { code } })
    return expect(result).toMatchObject({
      ok: false,
      error: { code: 'invalid-transaction', index: included.length, reason: { code } },
    })
  }

  async function rulesOf(chain: TestChain) {
    const { value } = readParameters(chain.kv)
    return {
      policy: value.feePolicy,
      blockGas: BigInt(value.blockGasMax),
      transactionGas: BigInt(value.transactionGasMax),
      initialBaseFee: value.initialBaseFee,
    }
  }

  function nextBaseFeeOf(chain: TestChain): bigint {
    const { number, gasUsed, baseFeePerGas } = chain.head.header
    const model = new Model({ policy, blockGas: BigInt(BLOCK_GAS), transactionGas: 0n, initialBaseFee: INITIAL_BASE_FEE, miner })
    if (number === 0) return model.baseFee
    model.baseFee = baseFeePerGas
    model.endBlock(BigInt(gasUsed))
    return model.baseFee
  }
})

it('places the code of system contracts', async () => {
  const chain = await TestChain.start(testGenesis(new Map(), {}, [CONTRACT]))
  expect(await stateAt(chain.kv, 0).code(CONTRACT)).toEqual(CODE)
})
