import { type ChainId, FEE_POLICIES, type FeePolicy, type Hash, type Header, unwrap, type Wei } from '@quoin/protocol'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type BlockCalls, createCallHost, type SimulatedCall, type SimulationRequest, simulate } from '../src/call/index.ts'
import { Journal } from '../src/state/journal.ts'
import { crypto, TestChain, testGenesis } from './chain.ts'
import { contractInterpreter } from './interpreter.ts'
import { firstPrograms, randomBlock, SENDERS, Sending, TELLING_RUN } from './random-blocks.ts'
import { addressOf, CHAIN_ID, executable, type Spec } from './transactions.ts'

/** `npm run test:long` makes this many times more runs. */
const RUNS = process.env['QUOIN_TEST_LONG'] === undefined ? 12 : 400
const MINER = addressOf(0xfee)

const callOf = (spec: Spec): SimulatedCall => ({
  type: spec.type,
  from: spec.sender,
  to: spec.to,
  data: spec.data,
  value: spec.value as Wei,
  accessList: [],
  gas: spec.gas,
  nonce: spec.nonce as SimulatedCall['nonce'],
  maxFeePerGas: spec.maxFee as Wei,
  maxPriorityFeePerGas: spec.tip as Wei,
})

/** What a header says of its block, except what depends on signatures, validators and the state tree. */
const shown = ({ number, timeMs, miner, gasLimit, gasUsed, baseFeePerGas, receiptsRoot, logsBloom }: Header) => ({
  ...{ number, timeMs, miner, gasLimit, gasUsed, baseFeePerGas, receiptsRoot, logsBloom },
})

async function simulated(chain: TestChain, base: SimulationRequest['base'], blocks: readonly BlockCalls[]) {
  const host = createCallHost({ kv: chain.kv, crypto, chainId: CHAIN_ID as ChainId, interpreter: contractInterpreter() })
  const limits = { gasMax: Number.MAX_SAFE_INTEGER, answerBytesMax: Number.MAX_SAFE_INTEGER }
  const outcome = await simulate(host, { base, blocks, isValidated: true, recordsTransfers: true, ...limits })
  if (outcome.kind === 'refused') throw new Error(outcome.message)
  return outcome.blocks
}

/** The blocks that the executor makes, and those that a simulation makes of the same transactions, before and after. */
async function bothWays(feePolicy: FeePolicy, programs: typeof TELLING_RUN.programs, blocks: typeof TELLING_RUN.blocks) {
  const alloc = new Map(SENDERS.map((sender) => [sender, 10n ** 24n]))
  const chain = await TestChain.start(testGenesis(alloc, { feePolicy }))
  const base: { readonly header: Header; readonly hash: Hash } = chain.head
  const sending = new Sending()
  const made: Header[] = []
  const asked: BlockCalls[] = []
  for (const specs of [
    sending.deployments(programs),
    ...blocks.map((actions) => () => actions.map((one) => sending.specOf(one))),
  ]) {
    const wanted = typeof specs === 'function' ? specs() : specs
    const template = chain.template(MINER)
    const before = await simulated(chain, chain.head, [blockOf(template.timeMs, wanted)])
    const block = unwrap(await chain.executor.execute(template, wanted.map(executable)))
    await chain.store(block)
    expect(before.map(({ header }) => shown(header))).toEqual([shown(block.header)])
    made.push(block.header)
    asked.push(blockOf(template.timeMs, wanted))
    const journal = new Journal(chain.kv)
    sending.settle(SENDERS.map((sender) => journal.account(sender).nonce))
  }
  return { made, after: await simulated(chain, base, asked) }
}

const blockOf = (timeMs: Header['timeMs'], specs: readonly Spec[]): BlockCalls => ({
  blockOverrides: { timeMs, proposer: MINER },
  stateOverrides: new Map(),
  calls: specs.map(callOf),
})

it('a simulation of valid transactions makes the blocks that the executor makes', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...FEE_POLICIES),
      firstPrograms,
      fc.array(randomBlock, { minLength: 1, maxLength: 3 }),
      async (feePolicy, programs, blocks) => {
        const { made, after } = await bothWays(feePolicy, programs, blocks)
        // All of them once more, on the state before the first one, which is past now.
        expect(after.map(({ header }) => shown(header))).toEqual(made.map(shown))
      },
    ),
    { numRuns: RUNS, examples: [['burn', TELLING_RUN.programs, TELLING_RUN.blocks]] },
  )
})
