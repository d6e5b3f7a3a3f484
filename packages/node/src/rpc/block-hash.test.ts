import { DEFAULT_PARAMETERS, EMPTY_LIST_ROOT, Gas, hexToBytes } from '@quoin/protocol'
import { encodeRlp, keccak256 as ethersKeccak256 } from 'ethers'
import { type Hex, keccak256, toRlp } from 'viem'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openTestNode, type TestNode, testAccounts, testGenesis, testTransfers } from '../../test/chain.ts'
import { crypto, fourValidators as validators } from '../../test/fixture.ts'
import { serveTestNode, type TestRpc } from '../../test/rpc.ts'

/**
 * A stock client computes a block's hash from the fields that RPC returns, as `header.Hash()` of go-ethereum, and refuses an `extraData` of
 * more than 32 bytes (web3.py without its proof-of-authority middleware). go-ethereum's `ethclient` also compares the roots with its
 * constants.
 */

/** Fields of Ethereum's header in the order of its RLP, as of London. */
const FIELDS = [
  'parentHash',
  'sha3Uncles',
  'miner',
  'stateRoot',
  'transactionsRoot',
  'receiptsRoot',
  'logsBloom',
  'difficulty',
  'number',
  'gasLimit',
  'gasUsed',
  'timestamp',
  'extraData',
  'mixHash',
  'nonce',
  'baseFeePerGas',
] as const
const QUANTITIES: ReadonlySet<string> = new Set(['difficulty', 'number', 'gasLimit', 'gasUsed', 'timestamp', 'baseFeePerGas'])
/** Optional fields of later forks. A client that finds one hashes it too. */
const LATER_FIELDS = ['withdrawalsRoot', 'blobGasUsed', 'excessBlobGas', 'parentBeaconBlockRoot', 'requestsHash']

type Block = Readonly<Record<(typeof FIELDS)[number] | 'hash', Hex>> & { readonly transactions: readonly Hex[] }

/** A quantity as RLP wants it: no leading zeros, nothing for 0. */
function payload(quantity: Hex): Hex {
  const digits = quantity.slice(2).replace(/^0+/, '')
  return `0x${digits.length % 2 === 0 ? '' : '0'}${digits}`
}

const rlpFields = (block: Block): Hex[] => FIELDS.map((name) => (QUANTITIES.has(name) ? payload(block[name]) : block[name]))

/** Transfers that fill a block. */
const PER_BLOCK = 47

let node: TestNode
let rpc: TestRpc

beforeAll(async () => {
  const parameters = { ...DEFAULT_PARAMETERS, blockGasMax: Gas(1_000_000), transactionGasMax: Gas(250_000) }
  node = await openTestNode({ crypto, validators, genesis: testGenesis(crypto, validators.set, { parameters }) })
  rpc = await serveTestNode(node, crypto)
  await node.produce()
  await node.produce(await testTransfers(testAccounts[1]!, 0, PER_BLOCK + 1))
})

afterAll(() => rpc.server.close())

it.each([
  ['genesis', 0, 0],
  ['an empty block', 1, 0],
  ['a full block', 2, PER_BLOCK],
])('viem and ethers compute the hash of %s from its fields', async (_, number, count) => {
  const block = (await rpc.call('eth_getBlockByNumber', `0x${number}`, false)).result as Block
  expect(block.transactions.length).toBe(count)
  expect(keccak256(toRlp(rlpFields(block)))).toBe(block.hash)
  expect(ethersKeccak256(encodeRlp(rlpFields(block)))).toBe(block.hash)
  expect(LATER_FIELDS.filter((name) => name in block)).toEqual([])
  expect(hexToBytes(block.extraData).length).toBeLessThanOrEqual(32)
  for (const root of [block.transactionsRoot, block.receiptsRoot]) expect(root === EMPTY_LIST_ROOT).toBe(count === 0)
})
