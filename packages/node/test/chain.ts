import {
  type CandidateQueue,
  createCallHost,
  createExecutor,
  type ExecutableTransaction,
  type ExecutedBlock,
  type Executor,
  executionVersion,
  flatKey,
  packOps,
  SYSTEM_ADDRESS,
  SYSTEM_RECORDS,
  unpackOps,
} from '@quoin/execution'
import { MemoryKv } from '@quoin/platform'
import {
  type Address,
  addressOfPublicKey,
  type ChainId,
  type CommitCertificate,
  type Crypto,
  createValidatorSet,
  DEFAULT_PARAMETERS,
  type Genesis,
  type Height,
  hexToBytes,
  idOfName,
  ok,
  ownSeat,
  type Power,
  publicKeyOf,
  type Round,
  type SigningDomain,
  storageKey,
  type TimeMs,
  ungovernedConsortium,
  unwrap,
  type ValidatorSet,
  voteDigest,
  type Wei,
} from '@quoin/protocol'
import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts'
import { openLedger } from '../src/chain/ledger.ts'
import type { CandidateBlock, Chain } from '../src/chain/types.ts'
import { createInlineRecovery } from '../src/crypto/recovery.ts'
import type { CallRunner } from '../src/executor/call-runner.ts'
import { createInlineCalls } from '../src/executor/inline-calls.ts'
import { createInlineProofs, type ProofRunner } from '../src/executor/proof-runner.ts'
import type { Feed } from '../src/feed/types.ts'
import type { Logger } from '../src/logger.ts'
import type { TransactionPool } from '../src/mempool/pool.ts'
import type { Kv } from '../src/powers.ts'
import type { IndexReader } from '../src/store/block-index.ts'
import type { BlockStore } from '../src/store/block-store.ts'
import type { CommitHeights } from '../src/store/commit-heights.ts'
import { ManualClock } from './clock.ts'
import { testInterpreter } from './interpreter.ts'

/** A logger that records its lines, with their levels. */
export class LogRecorder implements Logger {
  readonly lines: { readonly level: string; readonly fields: object; readonly message: string }[] = []
  debug = (fields: object, message: string) => void this.lines.push({ level: 'debug', fields, message })
  info = (fields: object, message: string) => void this.lines.push({ level: 'info', fields, message })
  warn = (fields: object, message: string) => void this.lines.push({ level: 'warn', fields, message })
  error = (fields: object, message: string) => void this.lines.push({ level: 'error', fields, message })
  child = () => this
}

export interface TestValidators {
  readonly set: ValidatorSet
  readonly secretKeys: ReadonlyMap<Address, Uint8Array>
}

/** Validators whose keys are derived from their numbers, from `first` on. */
export function testValidators(crypto: Crypto, count: number, first = 1, power = 1): TestValidators {
  const members = Array.from({ length: count }, (_, i) => {
    const secretKey = new Uint8Array(32).fill(first + i)
    const publicKey = publicKeyOf(crypto.publicKey(secretKey)!)
    const address = addressOfPublicKey(crypto, publicKey)!
    return {
      secretKey,
      validator: { id: idOfName(`v${first + i}`)!, address, publicKey, power: power as Power, feeAddress: address },
    }
  })
  return {
    set: createValidatorSet(members.map(({ validator }) => validator)),
    secretKeys: new Map(members.map(({ validator, secretKey }) => [validator.address, secretKey])),
  }
}

/** Accounts that genesis funds. */
export const testAccounts: readonly PrivateKeyAccount[] = Array.from({ length: 4 }, (_, i) =>
  privateKeyToAccount(`0x${String(i + 5).repeat(64)}`),
)

export function testGenesis(crypto: Crypto, validators: ValidatorSet, changes: Partial<Genesis> = {}): Genesis {
  return {
    chainId: 31_337 as ChainId,
    timeMs: 1_700_000_000_000 as TimeMs,
    development: true,
    executionVersion: executionVersion(crypto),
    parameters: DEFAULT_PARAMETERS,
    validators,
    nodes: [],
    consortium: ungovernedConsortium(validators.validators.map((validator) => ownSeat(validator))),
    alloc: testAccounts
      .map(({ address }) => ({ address: address.toLowerCase() as Address, balance: (10n ** 18n) as Wei }))
      .sort((a, b) => (a.address < b.address ? -1 : 1)),
    systemContracts: [],
    restart: undefined,
    ...changes,
  }
}

/** Raw transfers of one account, starting at a nonce. */
export async function testTransfers(account: PrivateKeyAccount, nonce: number, count: number): Promise<readonly Uint8Array[]> {
  const [{ address: to }] = testAccounts as [PrivateKeyAccount]
  return Promise.all(
    Array.from({ length: count }, async (_, i) =>
      hexToBytes(
        await account.signTransaction({
          type: 'legacy',
          chainId: 31_337,
          nonce: nonce + i,
          to,
          gas: 21_000n,
          gasPrice: 1n,
          value: 1n,
        }),
      ),
    ),
  )
}

/** Candidates for a block, in the order in which it must include them. */
export const inOrder = (transactions: readonly ExecutableTransaction[]): readonly CandidateQueue[] => [
  { use: 0, candidates: transactions.map((transaction) => ({ ...transaction, gasLimit: 21_000 })) },
]

/** A certificate signed by these validators of the set. */
export function certify(
  crypto: Crypto,
  domain: SigningDomain,
  { set, secretKeys }: TestValidators,
  block: { readonly header: { readonly number: Height }; readonly hash: CandidateBlock['hash'] },
  signers = set.validators.length,
  round = 0 as Round,
): CommitCertificate {
  const height = block.header.number
  const digest = voteDigest(crypto, domain, { kind: 'precommit', height, round, valueId: block.hash })
  return {
    height,
    round,
    blockHash: block.hash,
    signatures: set.validators
      .slice(0, signers)
      .map(({ address }) => ({ validator: address, signature: crypto.sign(digest, secretKeys.get(address)!).signature })),
  }
}

/** All parts of a node between network and RPC, except consensus: the test decides the blocks. */
export interface TestNode {
  readonly kv: Kv
  readonly store: BlockStore
  readonly index: IndexReader
  readonly executor: Executor
  readonly pool: TransactionPool
  readonly feed: Feed
  readonly chain: Chain
  readonly calls: CallRunner
  readonly proofs: ProofRunner
  readonly log: LogRecorder
  /** Admits transactions, builds the next block from them, certifies it with all validators and commits it. */
  produce(raws?: readonly Uint8Array[]): Promise<CandidateBlock>
}

export interface TestNodeOptions {
  readonly crypto: Crypto
  readonly validators: TestValidators
  readonly genesis?: Genesis
  readonly kv?: Kv
  /** Executor on `kv`. Defaults to an inline one. */
  readonly executor?: Executor
  /** Committed height of the database, for other threads. */
  readonly heights?: CommitHeights
}

/** Blocks before the head for which a test node keeps proofs. */
export const PROOF_BLOCKS = 8

export async function openTestExecutor(crypto: Crypto, kv: Kv): Promise<Executor> {
  const interpreter = await testInterpreter()
  return unwrap(
    await createExecutor({ kv, crypto, chainId: 31_337 as ChainId, interpreter, treeDepth: 4, historyHeights: PROOF_BLOCKS }),
  )
}

export async function openTestNode(options: TestNodeOptions): Promise<TestNode> {
  const { crypto, validators, genesis = testGenesis(crypto, validators.set), kv = new MemoryKv() } = options
  const executor = options.executor ?? (await openTestExecutor(crypto, kv))
  const log = new LogRecorder()
  const recovery = createInlineRecovery(crypto)
  const { heights } = options
  const ledger = await openLedger({ genesis, crypto, clock: new ManualClock(), kv, executor, recovery, logger: log, heights })
  const { blocks: store, index, mempool: pool, feed, chain } = unwrap(ledger)
  const host = createCallHost({ kv, crypto, chainId: genesis.chainId, interpreter: await testInterpreter() })
  const calls = createInlineCalls(host, store)
  return {
    kv,
    store,
    index,
    executor,
    pool,
    feed,
    chain,
    calls,
    proofs: createInlineProofs(kv, crypto),
    log,
    async produce(raws = []) {
      for (const raw of raws) unwrap(await pool.add(raw, 'rpc'))
      const { header, validators: voters, parameters } = chain.head
      const block = await chain.build({
        timeMs: (header.timeMs + 500) as TimeMs,
        feeAddress: voters.validators[0]!.feeAddress,
        fillGasMax: parameters.blockGasMax,
      })
      await chain.commit(block, certify(crypto, chain.domain, { ...validators, set: voters }, block))
      return block
    },
  }
}

/**
 * Simulates governance: adds a system record to the writes of the block at a height. Must be called for every node that is to agree,
 * because the state root does not cover the added record.
 */
export function amend(node: TestNode, height: number, name: keyof typeof SYSTEM_RECORDS, value: Uint8Array): void {
  const op = { key: flatKey(hexToBytes(storageKey(SYSTEM_ADDRESS, SYSTEM_RECORDS[name].key))), value }
  const amended = <T extends ExecutedBlock>(block: T): T =>
    block.header.number === height ? { ...block, ops: packOps([...unpackOps(block.ops), op]) } : block
  const { executor } = node
  const [build, execute] = [executor.build.bind(executor), executor.execute.bind(executor)]
  executor.build = async (...args) => amended(await build(...args))
  executor.execute = async (...args) => {
    const executed = await execute(...args)
    return executed.ok ? ok(amended(executed.value)) : executed
  }
}
