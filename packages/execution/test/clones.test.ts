import {
  codec,
  concatBytes,
  contractAddress,
  DEFAULT_PARAMETERS,
  Hash,
  hexToBytes,
  nobleCrypto,
  receiptsCodec,
  unwrap,
} from '@quoin/protocol'
import { encodeFunctionData } from 'viem'
import { expect, it } from 'vitest'
import { CREATE2_DEPLOYER_ADDRESS } from '../src/contract/native/create2-deployer.ts'
import type { ExecutableTransaction, ExecutedBlock } from '../src/executor.ts'
import { TestChain, testGenesis } from './chain.ts'
import { abiOf, creationOf } from './contracts.ts'
import { addressOf, executable, type Spec, transfer } from './transactions.ts'

/*
 * Blocks of as many clones as their gas allows, beside a block of transfers. What they take is printed and not asserted, because
 * it depends on the machine, and on hashes in JavaScript. `npm run bench -- abuse --only clone` has the node's own hashes and
 * database.
 */

const [alice, miner] = [addressOf(1), addressOf(2)]
const { blockGasMax, transactionGasMax } = DEFAULT_PARAMETERS

/** Contracts that are cloned: with nothing to do, and with an entry to write. */
const PLAIN = creationOf('export default { functions: { f() {} } }', abiOf(['function f()']))
const STORING = creationOf(`export default { constructor() { quoin.store('uint256', 'n', 1n) } }`, abiOf(['constructor()']))

const FACTORY_ABI = abiOf(['function copy(bytes32 hash)', 'function copy2(bytes32 hash)'])
/** Makes clones until its gas ends. What is left pays for the next one to begin, and for the return. */
const FACTORY = `
  let last = 0n
  const salt = new Uint8Array(32)
  function many(make) {
    let before = quoin.gasLeft, most = 0n
    for (;;) {
      make()
      const left = quoin.gasLeft
      if (before - left > most) most = before - left
      if (left < 2n * most) break
      before = left
    }
  }
  export default { functions: {
    copy: (hash) => many(() => quoin.clone(hash)),
    copy2(hash) {
      let n = quoin.load('uint256', 'n')
      many(() => { n++; for (let i = 0; i < 4; i++) salt[i] = Number((n >> BigInt(8 * i)) & 255n); quoin.clone2(hash, salt) })
      quoin.store('uint256', 'n', n)
    },
  } }`

const factory = contractAddress(nobleCrypto, alice, 0)
const hashOf = (code: Uint8Array) => Hash(nobleCrypto.keccak256(code))
const FIRST = 3

const sent = (nonce: number, other: Partial<Spec>): ExecutableTransaction =>
  executable({ ...transfer(alice, nonce, alice, 0n), ...other })
const toFactory = (functionName: string, code: Uint8Array) => {
  const data = hexToBytes(encodeFunctionData({ abi: FACTORY_ABI, functionName, args: [hashOf(code)] } as never))
  // The second one finds the gas that the first one left.
  return [transactionGasMax, transactionGasMax - 1_000_000].map((gas, i) => sent(FIRST + i, { to: factory, gas, data }))
}
const saltOf = (n: number) => Uint8Array.from({ length: 32 }, (_, i) => (n >> (8 * i)) & (i < 4 ? 255 : 0))
/** Deployments through the proxy, each with a gas limit near what it uses. The first one loads the code. */
const throughProxy = (gas: number) =>
  Array.from({ length: Math.floor(blockGasMax / gas) - 2 }, (_, i) =>
    sent(FIRST + i, { to: CREATE2_DEPLOYER_ADDRESS, gas: i === 0 ? 2 * gas : gas, data: concatBytes(saltOf(i), PLAIN) }),
  )

const BLOCKS: Readonly<Record<string, readonly ExecutableTransaction[]>> = {
  transfers: Array.from({ length: Math.floor(blockGasMax / 21_000) }, (_, i) =>
    sent(FIRST + i, { to: addressOf(1_000 + i), value: 1n }),
  ),
  'clones of a contract without a constructor': toFactory('copy', PLAIN),
  'clones with salts that store an entry': toFactory('copy2', STORING),
  'deployments through the proxy': throughProxy(64_000),
}

async function chainWithCodes(): Promise<TestChain> {
  const chain = await TestChain.start(testGenesis(new Map([[alice, 10n ** 24n]])), 12)
  const made = [creationOf(FACTORY, FACTORY_ABI), PLAIN, STORING].map((data, i) =>
    sent(i, { to: undefined, data, gas: 5_000_000 }),
  )
  await chain.store(unwrap(await chain.executor.execute(chain.template(miner), made)))
  return chain
}

interface Run {
  readonly block: ExecutedBlock
  /** Processor time: others use the machine, too. */
  readonly ms: number
}

async function run(on: TestChain, transactions: readonly ExecutableTransaction[]): Promise<Run> {
  const start = process.cpuUsage()
  const block = unwrap(await on.executor.execute(on.template(miner), transactions))
  const { user, system } = process.cpuUsage(start)
  return { block, ms: (user + system) / 1_000 }
}

it('blocks full of clones are the same on every node, and take time like blocks of transfers', { timeout: 120_000 }, async () => {
  const chain = await chainWithCodes()
  const runs = new Map<string, Run[]>(Object.keys(BLOCKS).map((name) => [name, []]))
  for (let round = 0; round < 2; round++) {
    // The first node has all programs in memory. The others have only the database.
    const node = round === 0 ? chain : await chain.reopened(12)
    for (const [name, transactions] of Object.entries(BLOCKS)) runs.get(name)!.push(await run(node, transactions))
  }
  let msOfTransfers = 0
  for (const [name, [first, ...others]] of runs as Map<string, [Run, ...Run[]]>) {
    const { block } = first
    for (const other of others) expect(other.block.hash).toBe(block.hash)
    const statuses = unwrap(codec.decode(receiptsCodec, block.receipts)).map(({ status }) => status)
    expect(statuses, name).toEqual(BLOCKS[name]!.map(() => 1))
    const { gasUsed } = block.header
    expect(gasUsed, name).toBeGreaterThan(0.9 * blockGasMax)
    const isTransfers = name === 'transfers'
    const count = isTransfers ? statuses.length : block.creations.length
    expect(count, name).toBeGreaterThan(1_000)
    const ms = Math.min(first.ms, ...others.map((other) => other.ms)) / (gasUsed / 1e6)
    if (isTransfers) msOfTransfers = ms
    const each = Math.round(gasUsed / count).toLocaleString('en')
    console.log(
      `${name}: ${count} of ${each} gas, ${ms.toFixed(2)} ms per million gas, ${(ms / msOfTransfers).toFixed(2)} of transfers`,
    )
  }
})
