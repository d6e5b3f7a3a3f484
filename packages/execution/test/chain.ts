import {
  type Address,
  addressOfPublicKey,
  type ChainId,
  type ChainParameters,
  createValidatorSet,
  DEFAULT_PARAMETERS,
  type Genesis,
  idOfName,
  nobleCrypto,
  ownSeat,
  type Power,
  publicKeyOf,
  type TimeMs,
  ungovernedConsortium,
  unwrap,
  type Validator,
  type Wei,
} from '@quoin/protocol'
import { containerOf } from '../../../test/contracts/contract.mjs'
import type { BlockTemplate, ExecutedBlock, Executor } from '../src/executor.ts'
import { createExecutor } from '../src/inline.ts'
import { unpackOps } from '../src/pack.ts'
import { executionVersion } from '../src/version.ts'
import { contractInterpreter } from './interpreter.ts'
import { MemoryKv } from './memory-kv.ts'
import { CHAIN_ID } from './transactions.ts'

export const crypto = nobleCrypto

const publicKey = publicKeyOf(crypto.publicKey(new Uint8Array(32).fill(7))!)
const validator = addressOfPublicKey(crypto, publicKey)!

/** The only validator. */
export const TEST_VALIDATOR: Validator = {
  id: idOfName('bank-a')!,
  address: validator,
  publicKey,
  power: 1 as Power,
  feeAddress: validator,
}

/** The smallest contract. */
export const CODE = containerOf('export default {}', [])

export function testGenesis(
  alloc: ReadonlyMap<Address, bigint>,
  parameters: Partial<ChainParameters> = {},
  contracts: readonly Address[] = [],
): Genesis {
  return {
    chainId: CHAIN_ID as ChainId,
    timeMs: 1_700_000_000_000 as TimeMs,
    development: true,
    executionVersion: executionVersion(crypto),
    parameters: { ...DEFAULT_PARAMETERS, ...parameters },
    validators: createValidatorSet([TEST_VALIDATOR]),
    nodes: [{ peerId: 'peer', kind: 'validator', organisation: TEST_VALIDATOR.id, addresses: ['/ip4/127.0.0.1/tcp/1'] }],
    consortium: ungovernedConsortium([ownSeat(TEST_VALIDATOR, 'peer')]),
    alloc: [...alloc]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([address, balance]) => ({ address, balance: balance as Wei })),
    systemContracts: contracts.toSorted().map((address) => ({ address, code: CODE })),
    restart: undefined,
  }
}

/** An executor on its own database, at the last stored block. */
export class TestChain {
  readonly kv: MemoryKv
  readonly executor: Executor
  head: Pick<ExecutedBlock, 'header' | 'hash'>

  constructor(kv: MemoryKv, executor: Executor, head: Pick<ExecutedBlock, 'header' | 'hash'>) {
    this.kv = kv
    this.executor = executor
    this.head = head
  }

  static async start(genesis: Genesis, treeDepth = 4, interpreter = contractInterpreter()): Promise<TestChain> {
    const kv = new MemoryKv()
    const executor = await openExecutor(kv, treeDepth, interpreter)
    const block = await executor.genesis(genesis)
    const chain = new TestChain(kv, executor, block)
    await chain.store(block)
    return chain
  }

  /** The same chain opened again on a copy of the database, without anything from this one's memory. */
  async reopened(treeDepth = 4, interpreter = contractInterpreter()): Promise<TestChain> {
    const kv = this.kv.clone()
    return new TestChain(kv, await openExecutor(kv, treeDepth, interpreter), this.head)
  }

  template(miner: Address, afterMs = 500): BlockTemplate {
    const { header, hash } = this.head
    const validatorsHash = header.extra.validatorsHash
    return {
      parent: header,
      parentHash: hash,
      timeMs: (header.timeMs + afterMs) as TimeMs,
      miner,
      extra: { ...header.extra, validatorsHash, nextValidatorsHash: validatorsHash },
    }
  }

  async store(block: ExecutedBlock): Promise<void> {
    this.kv.write(unpackOps(block.ops))
    await this.executor.commit(block.hash)
    this.head = block
  }
}

export async function openExecutor(kv: MemoryKv, treeDepth = 4, interpreter = contractInterpreter()): Promise<Executor> {
  return unwrap(await createExecutor({ kv, crypto, chainId: CHAIN_ID as ChainId, interpreter, treeDepth, historyHeights: 2 }))
}
