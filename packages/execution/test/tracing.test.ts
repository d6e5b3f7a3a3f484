import {
  type Address,
  bytesToHex,
  codec,
  FEE_POLICIES,
  type Hex,
  type Log,
  nobleCrypto,
  type Receipt,
  receiptsCodec,
  STATE_KIND,
  unwrap,
} from '@quoin/protocol'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type CallHost, createCallHost } from '../src/call/index.ts'
import type { ExecutableTransaction, ExecutedBlock } from '../src/executor.ts'
import { packTransactions, unpackOps } from '../src/pack.ts'
import { stateAt } from '../src/state/history.ts'
import { SPACE } from '../src/state/keys.ts'
import { SYSTEM_ADDRESS } from '../src/state/system-records.ts'
import type { CallFrame, FrameLog } from '../src/trace/call-frame.ts'
import { type Replay, runTrace, type Trace, type Tracer } from '../src/trace/index.ts'
import type { UsedAccountState } from '../src/trace/used-state.ts'
import { TestChain, testGenesis } from './chain.ts'
import { contractInterpreter } from './interpreter.ts'
import { firstPrograms, randomBlock, SENDERS, Sending, TELLING_RUN } from './random-blocks.ts'
import { addressOf, CHAIN_ID, executable, inOrder } from './transactions.ts'

/** `npm run test:long` makes this many times more runs. */
const FACTOR = process.env['QUOIN_TEST_LONG'] === undefined ? 1 : 40
const RUNS = 12 * FACTOR
const MINER = addressOf(0xfee)
const FILL = { gasMax: 60_000_000, bytesMax: 4_194_304, part: 1 }

const CALLS: Tracer = { kind: 'calls', onlyTopCall: false, withLog: true }
const STATE: Tracer = { kind: 'state', withCode: true, withStorage: true }

/** A block of the chain, as a node has it stored. */
interface Stored {
  readonly block: ExecutedBlock
  readonly receipts: readonly Receipt[]
  readonly replay: Replay
}

function stored(block: ExecutedBlock, transactions: readonly ExecutableTransaction[]): Stored {
  const { number, timeMs, miner, gasLimit, baseFeePerGas } = block.header
  const receipts = unwrap(codec.decode(receiptsCodec, block.receipts))
  const context = { number, timeMs, proposer: miner, gasLimit, baseFee: baseFeePerGas }
  return { block, receipts, replay: { block: context, transactions: packTransactions(transactions), receipts } }
}

async function tracesOf(host: CallHost, { replay }: Stored, tracer: Tracer, first = 0): Promise<readonly Trace[]> {
  const outcome = await runTrace(host, { kind: 'transactions', tracer, replay, first })
  if (outcome.kind !== 'traced') throw new Error(outcome.message)
  return outcome.traces.map(({ trace }) => trace)
}

const framesOf = (traces: readonly Trace[]) => traces.flatMap((trace) => (trace.kind === 'calls' ? [trace.frame] : []))

/** The logs of a frame and its calls in the order in which they were emitted: by their places, not by their indexes. */
function logsOf({ logs, calls }: CallFrame): readonly FrameLog[] {
  const at = (position: number) => logs.filter((log) => log.position === position)
  return [...at(0), ...calls.flatMap((call, i) => [...logsOf(call), ...at(i + 1)])]
}

function checkGas({ gas, gasUsed, calls }: CallFrame): void {
  expect(gasUsed).toBeLessThanOrEqual(gas)
  let sum = 0
  for (const call of calls) {
    expect(call.gas).toBeLessThan(gas)
    sum += call.gasUsed
    checkGas(call)
  }
  expect(sum).toBeLessThanOrEqual(gasUsed)
}

/** The call frames of a block against its receipts. */
function checkFrames({ receipts }: Stored, frames: readonly CallFrame[]): void {
  expect(frames).toHaveLength(receipts.length)
  let index = 0
  for (const [i, { status, gasUsed, logs, contractAddress, errorData }] of receipts.entries()) {
    const frame = frames[i]!
    expect([frame.end.kind === 'returned', frame.gasUsed]).toEqual([status === 1, gasUsed])
    if (status === 0) expect(bytesToHex(frame.end.output)).toBe(bytesToHex(errorData))
    if (frame.kind === 'create') expect(frame.to).toBe(contractAddress)
    const emitted = logsOf(frame)
    expect(emitted.map(({ index: _, position: __, ...log }): Log => log)).toEqual(logs)
    expect(emitted.map((log) => log.index)).toEqual(logs.map(() => index++))
    checkGas(frame)
  }
}

type Flat = Map<string, Hex | undefined>
const hexOf = (bytes: Uint8Array | undefined): Hex | undefined => (bytes === undefined ? undefined : bytesToHex(bytes))

/** What a trace says of an account before or after its transaction, by names of its own. */
function* facts(
  { address, storage, ...sides }: UsedAccountState,
  side: 'before' | 'after',
): Generator<[string, Hex | undefined]> {
  const { nonce, balance, code } = sides[side]
  yield [`${address} nonce`, `0x${nonce.toString(16)}`]
  yield [`${address} balance`, `0x${balance.toString(16)}`]
  yield [`${address} code`, hexOf(code)]
  for (const entry of storage) yield [`${address} storage ${bytesToHex(entry.key)}`, hexOf(entry[side])]
}

/** The state of a past block for a fact, read from the database. */
async function factAt(chain: TestChain, height: number, name: string): Promise<Hex | undefined> {
  const [address, what, key] = name.split(' ') as [Address, string, Hex | undefined]
  const state = stateAt(chain.kv, height)
  if (what === 'code') return hexOf(await state.code(address))
  if (what === 'storage') return hexOf(await state.storage(address, Uint8Array.from(Buffer.from(key!.slice(2), 'hex'))))
  const { nonce, balance } = await state.account(address)
  return `0x${(what === 'nonce' ? nonce : balance).toString(16)}`
}

/** Names of the facts that a block changed, from its writes to the database. */
function* changedBy({ block }: Stored): Generator<string> {
  for (const { key } of unpackOps(block.ops)) {
    if (key[0] !== SPACE.flat) continue
    const address = bytesToHex(key.subarray(1, 21))
    if (key[21] === STATE_KIND.account) yield* [`${address} nonce`, `${address} balance`, `${address} code`]
    // The chain's own records: no transaction of these blocks writes them.
    if (address === SYSTEM_ADDRESS) continue
    if (key[21] === STATE_KIND.storage) yield `${address} storage ${bytesToHex(key.subarray(22))}`
  }
}

/** Applied one after the other, the traces lead from the state before the block to the state after it. */
async function checkState(chain: TestChain, one: Stored, traces: readonly Trace[]): Promise<void> {
  const height = one.block.header.number
  const now: Flat = new Map()
  for (const trace of traces) {
    if (trace.kind !== 'state') throw new Error('no state')
    for (const account of trace.accounts) {
      for (const [name, value] of facts(account, 'before')) {
        if (!now.has(name)) now.set(name, await factAt(chain, height - 1, name))
        expect([name, value]).toEqual([name, now.get(name)])
      }
      for (const [name, value] of facts(account, 'after')) now.set(name, value)
    }
  }
  for (const [name, value] of now) expect([name, value]).toEqual([name, await factAt(chain, height, name)])
  for (const name of changedBy(one)) expect(now.has(name), name).toBe(true)
}

it('traces of random blocks, after later ones were committed, agree with their receipts and states', {
  timeout: 60_000 * FACTOR,
}, async () => {
  let nested = 0
  const scenario = fc.tuple(
    fc.constantFrom(...FEE_POLICIES),
    firstPrograms,
    fc.array(randomBlock, { minLength: 2, maxLength: 3 }),
  )
  await fc.assert(
    fc.asyncProperty(scenario, async ([feePolicy, programs, blocks]) => {
      const interpreter = contractInterpreter()
      const genesis = testGenesis(new Map(SENDERS.map((address) => [address, 10n ** 24n])), { feePolicy })
      const chain = await TestChain.start(genesis, 4, interpreter)
      const sending = new Sending()
      let specs = sending.deployments(programs)
      const made: Stored[] = []
      for (const actions of [...blocks, []]) {
        const candidates = specs.map(executable)
        const built = await chain.executor.build(chain.template(MINER), inOrder(candidates), FILL)
        await chain.store(built)
        made.push(
          stored(
            built,
            built.included.map((index) => candidates[index]!),
          ),
        )
        const past = stateAt(chain.kv, built.header.number)
        sending.settle(await Promise.all(SENDERS.map(async (address) => (await past.account(address)).nonce)))
        specs = actions.map((one) => sending.specOf(one))
      }
      const host = createCallHost({ kv: chain.kv, crypto: nobleCrypto, chainId: CHAIN_ID as never, interpreter })
      for (const one of made) {
        const frames = framesOf(await tracesOf(host, one, CALLS))
        checkFrames(one, frames)
        nested += frames.filter(({ calls }) => calls.length > 0).length
        await checkState(chain, one, await tracesOf(host, one, STATE))
        // One transaction alone is traced as within its block.
        const [last] = framesOf(await tracesOf(host, one, CALLS, frames.length - 1))
        expect(last).toEqual(frames.at(-1))
      }
    }),
    { numRuns: RUNS, endOnFailure: true, examples: [[['free', TELLING_RUN.programs, TELLING_RUN.blocks]]] },
  )
  // TELLING_RUN has an aggregate.
  expect(nested).toBeGreaterThan(0)
})

it('a transaction that does not do what its receipt says is an error', async () => {
  const interpreter = contractInterpreter()
  const chain = await TestChain.start(testGenesis(new Map(SENDERS.map((address) => [address, 10n ** 24n]))), 4, interpreter)
  const candidates = new Sending().deployments(TELLING_RUN.programs).map(executable)
  const built = await chain.executor.build(chain.template(MINER), inOrder(candidates), FILL)
  await chain.store(built)
  const one = stored(built, candidates)
  const host = createCallHost({ kv: chain.kv, crypto: nobleCrypto, chainId: CHAIN_ID as never, interpreter })
  expect(await tracesOf(host, one, CALLS, 2)).toHaveLength(1)
  const receipts = one.receipts.map((receipt, i) => ({ ...receipt, gasUsed: receipt.gasUsed + (i === 1 ? 1 : 0) }))
  const wrong = { ...one, replay: { ...one.replay, receipts } }
  await expect(tracesOf(host, wrong, CALLS, 2)).rejects.toThrow(/^replay differs from the block: transaction 0x/)
})
