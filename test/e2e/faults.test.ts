import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { codec, nobleCrypto, type SigningDomain, unwrap, voteDigest } from '@quoin/protocol'
import type { Hex } from 'viem'
import { afterAll, beforeAll, expect, it } from 'vitest'
import {
  SIGN_STATE_FORMAT,
  SIGN_STEPS,
  type SignedStep,
  signRecordCodec,
} from '../../packages/node/src/engine/last-sign-state.ts'
import { RecordFile } from '../../packages/node/src/engine/record-file.ts'
import { Wal } from '../../packages/node/src/engine/wal.ts'
import type { LogFile } from '../../packages/node/src/powers.ts'
import { crc32cTable } from '../../packages/node/test/crc32c.ts'
import { account, developmentValidator, FAST, Network, type Validator, walletClient } from './harness.ts'
import { type Final, Load } from './load.ts'
import { holds, until } from './watch.ts'
import { Witness } from './witness.ts'

/** Blocks that the follower misses. */
const AWAY_BLOCKS = 200

let witness: Witness
let network: Network
let load: Load
let domain: SigningDomain
/** Height at which the follower was killed. */
let leftAt: number

const validators = (): readonly Validator[] => network.validators.slice(0, 4)
const follower = (): Validator => network.validators[4]!

/** Cleanups, run at the end. */
const endings: (() => Promise<unknown>)[] = []

beforeAll(async () => {
  witness = await Witness.create()
  endings.push(() => witness.close())
  // Rounds end early, so that rounds of a proposer that is down cost little time.
  const parameters = { ...FAST, timeoutProposeMs: 700, timeoutDeltaMs: 300 }
  network = await Network.start({ followers: 1, parameters, nodes: [witness.node] })
  endings.push(() => network.close())
  const { hash } = await network.validators[0]!.client.getBlock({ blockNumber: 0n })
  domain = { genesisHash: hash as SigningDomain['genesisHash'], restartEpoch: 0 }
  await witness.join(network.genesis, domain.genesisHash)
  await network.advance(2)
  await follower().kill()
  leftAt = await network.validators[0]!.height()
  load = new Load(network, [0, 1, 2])
  endings.push(() => load.stop())
})
afterAll(async () => {
  const outcomes = await Promise.allSettled(endings.map((end) => end()))
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
})

/** A file as the crash left it, which reading must not change. */
async function fileOf(node: Validator, name: string): Promise<LogFile> {
  const bytes = await readFile(join(node.dataDir, name))
  const refuse = (): never => {
    throw new Error('only read')
  }
  return {
    read: async () => bytes,
    append: refuse,
    sync: refuse,
    replace: refuse,
    truncate: async () => {},
    close: async () => {},
  }
}

const powersOf = async (node: Validator, name: string) => ({
  file: await fileOf(node, name),
  crc32c: crc32cTable,
  random: { bytes: (length: number) => new Uint8Array(length) },
})

/** Everything that a killed validator signed since its file was last compacted, in order of signing. */
async function signedBy(node: Validator): Promise<readonly SignedStep[]> {
  const { records } = await RecordFile.open(await powersOf(node, 'sign-state'), SIGN_STATE_FORMAT)
  const decoded = records.map((record) => unwrap(codec.decode(signRecordCodec, record)))
  return decoded.filter((record) => record.kind === 'step')
}

const ordinal = ({ height, round, step }: SignedStep): readonly number[] => [height, round, SIGN_STEPS.indexOf(step)]

/** Checks its disk: each step was signed once, in increasing order, and its log contains no other vote of its own. */
async function expectSignedOnce(node: Validator, index: number): Promise<void> {
  const steps = await signedBy(node)
  expect(steps.length).toBeGreaterThan(0)
  for (let i = 1; i < steps.length; i++) {
    const [before, after] = [ordinal(steps[i - 1]!), ordinal(steps[i]!)]
    const differing = after.findIndex((part, at) => part !== before[at])
    expect({ node: node.name, before, after, rises: differing >= 0 && after[differing]! > before[differing]! }).toMatchObject({
      rises: true,
    })
  }
  const { address } = developmentValidator(index)
  const { content } = await Wal.open(await powersOf(node, 'wal'), domain.genesisHash)
  for (const entry of content?.entries ?? []) {
    if (entry.kind !== 'vote' || entry.vote.validator !== address) continue
    const { vote } = entry
    const known = steps.find(({ height, round, step }) => height === vote.height && round === vote.round && step === vote.kind)
    // The log is durable first: a vote that the crash kept out of the sign state did not leave the node either.
    if (known !== undefined) expect(known.digest).toEqual(voteDigest(nobleCrypto, domain, vote))
  }
}

/** Every final transfer is in the same block on every node. */
async function expectKept(final: ReadonlyMap<Hex, Final>, nodes: readonly Validator[]): Promise<void> {
  const transfers = [...final].map(([hash, { blockHash, blockNumber }]) => `${hash} success ${blockHash} ${blockNumber}`)
  for (const { bulk } of nodes) {
    const receipts = await Promise.all([...final.keys()].map((hash) => bulk.getTransactionReceipt({ hash })))
    const found = receipts.map(
      (receipt) => `${receipt.transactionHash} ${receipt.status} ${receipt.blockHash} ${receipt.blockNumber}`,
    )
    expect(found).toEqual(transfers)
  }
}

it.each([0, 1])('kill -9 of validator %i under load: the chain goes on; it comes back, and never signs twice', async (index) => {
  const victim = validators()[index]!
  const { address } = developmentValidator(index)
  await load.progress(5)
  await until(`${victim.name} votes`, async () => witness.heard(address) > 0, { report: () => network.report() })
  await victim.kill()
  await expectSignedOnce(victim, index)
  await load.progress(10)
  const goal = await network.advance(2)
  const heard = witness.heard(address)
  await victim.start()
  await network.reach(goal, [victim])
  await until(`${victim.name} votes again`, async () => witness.heard(address) > heard + 3, { report: () => network.report() })
  expect(witness.findings).toEqual([])
})

it('two of four down: the chain stops, even if others restart; one comes back: it goes on with the waiting transactions', async () => {
  const [a, b, c, d] = validators()
  await load.stop()
  await c!.kill()
  await d!.kill()
  // Votes of the killed validators may still arrive for the open height.
  const stopped = (await a!.height()) + 1
  const hash = await walletClient(a!.url, 5).sendTransaction({ to: account(6).address, value: 1n })
  await holds('no block while half of the power is down', 3_000, async () => {
    const heights = await Promise.all([a!.height(), b!.height()])
    return heights.every((height) => height <= stopped)
  })
  expect(await a!.client.getTransactionCount({ address: account(5).address })).toBe(0)
  // One that voted in the open height loses everything except its files.
  await a!.kill()
  await expectSignedOnce(a!, 0)
  await a!.start()
  await a!.program.shows(/"height":\d+,"round":\d+,.*"msg":"replayed the write-ahead log"/)
  await c!.start()
  const receipts = await network.receipts(hash, [a!, b!, c!])
  expect(new Set(receipts.map(({ blockHash }) => blockHash)).size).toBe(1)
  await d!.start()
  await network.reach(Number(receipts[0]!.blockNumber) + 2, validators())
  expect(witness.findings).toEqual([])
})

it('SIGSTOP of one: the chain goes on; SIGCONT: it catches up', async () => {
  const [a, b, c, d] = validators()
  load = new Load(network, [0, 1, 2])
  b!.pause()
  try {
    await load.progress(15)
    await network.advance(5, [a!, c!, d!])
  } finally {
    b!.resume()
  }
  const goal = await network.advance(3, [a!, c!, d!])
  await network.reach(goal, [b!])
  expect(witness.findings).toEqual([])
})

it('kill -9 of all at once under load: the same chain goes on, and nothing that was final is lost', async () => {
  await load.progress(20)
  const heights = await Promise.all(validators().map((validator) => validator.height()))
  const before = await validators()[0]!.client.getBlock({ blockNumber: BigInt(Math.min(...heights)) })
  const final = new Map(load.final)
  await Promise.all(validators().map((validator) => validator.kill()))
  for (const [index, validator] of validators().entries()) await expectSignedOnce(validator, index)
  await network.startAll(validators())
  await load.progress(20)
  await network.advance(3, validators())
  for (const { client } of validators()) {
    expect((await client.getBlock({ blockNumber: before.number })).hash).toBe(before.hash)
    expect((await client.getBlock({ blockNumber: 0n })).hash).toBe(domain.genesisHash)
  }
  await expectKept(final, validators())
  expect(witness.findings).toEqual([])
})

it('an orderly stop of all under load ends every process with code 0, and the chain goes on', async () => {
  await load.progress(5)
  const final = new Map(load.final)
  const exits = await Promise.all(validators().map((validator) => validator.stop()))
  expect(exits).toEqual(Array(4).fill({ code: 0, signal: null }))
  await network.startAll(validators())
  await load.progress(10)
  await expectKept(final, validators())
})

it(`a node that was away for ${AWAY_BLOCKS} blocks catches up while the chain goes on`, async () => {
  await network.reach(leftAt + AWAY_BLOCKS + 1, validators(), { deadlineMs: 120_000 })
  await follower().start()
  const goal = await network.advance(2, validators())
  await network.reach(goal, [follower()])
  await load.progress(5)
  await load.stop()
  await network.advance(2)
  expect(await network.agreement()).toBeGreaterThan(leftAt + AWAY_BLOCKS)
  await expectKept(load.final, [follower()])
})

it('no validator ever equivocated, by its messages or by what the others saw', () => {
  for (const [index] of validators().entries()) expect(witness.heard(developmentValidator(index).address)).toBeGreaterThan(5)
  expect(witness.findings).toEqual([])
  for (const { log } of network.validators)
    expect(log).not.toMatch(/equivocation: a validator|the node cannot continue|write-ahead log is incomplete/)
})
