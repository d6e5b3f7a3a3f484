import {
  type Address,
  type ChainParameters,
  type Consortium,
  codec,
  DEFAULT_GRANTABLE,
  type FoundingAccount,
  type Genesis,
  hexToBytes,
  idOfName,
  type Receipt,
  type Result,
  receiptsCodec,
  unwrap,
} from '@quoin/protocol'
import { type Abi, encodeFunctionData } from 'viem'
import { CHAIN_ABI } from '../src/contract/native/chain/chain-abi.ts'
import type { BlockRefusal, ExecutedBlock } from '../src/executor.ts'
import { SYSTEM_ADDRESS } from '../src/state/system-records.ts'
import { TEST_VALIDATOR, TestChain, testGenesis } from './chain.ts'
import { addressOf, executable, type Spec, transfer } from './transactions.ts'

/** Governs the chains of `governedGenesis`. It has no money and no entry. */
export const GOVERNOR = addressOf(0x90)
export const MINER = addressOf(0x91)
/** The organisation of the only validator, and another one. */
export const BANK_A = TEST_VALIDATOR.id
export const BANK_B = idOfName('bank-b')!

export interface Governed extends Partial<Pick<Consortium, 'governor' | 'participants' | 'policies'>> {
  readonly parameters?: Partial<ChainParameters>
  readonly accounts?: readonly FoundingAccount[]
  readonly alloc?: readonly Address[]
}

/** A genesis of two organisations that `GOVERNOR` governs. */
export function governedGenesis({ parameters, accounts = [], alloc = [], ...rest }: Governed = {}): Genesis {
  const genesis = testGenesis(new Map(alloc.map((address) => [address, 10n ** 24n])), parameters)
  const bankB = { id: BANK_B, name: 'Bank B', votes: 1, share: 1, grantable: DEFAULT_GRANTABLE }
  const { consortium } = genesis
  return {
    ...genesis,
    consortium: {
      ...consortium,
      organisations: [...consortium.organisations, bankB],
      accounts: accounts.toSorted((a, b) => (a.address < b.address ? -1 : 1)),
      governor: GOVERNOR,
      ...rest,
    },
  }
}

/** A founding account with these roles, of the second bank unless it says otherwise. */
export const member = (address: Address, roles: number, rest: Partial<FoundingAccount> = {}): FoundingAccount => ({
  address,
  organisation: BANK_B,
  roles,
  expiry: 0,
  ...rest,
})

/** Data of a call of the chain contract, as viem writes it. */
export const chainData = (functionName: string, args: readonly unknown[] = []): Uint8Array =>
  hexToBytes(encodeFunctionData({ abi: CHAIN_ABI as Abi, functionName, args } as never))

/** A transaction that calls the chain contract and offers no fee. */
export const chainCall = (
  sender: Address,
  nonce: number,
  functionName: string,
  args: readonly unknown[] = [],
  other: Partial<Spec> = {},
): Spec =>
  transfer(sender, nonce, SYSTEM_ADDRESS, 0n, {
    maxFee: 0n,
    tip: 0n,
    gas: 1_000_000,
    data: chainData(functionName, args),
    ...other,
  })

/** A block of these transactions on top of a chain's head. */
export const blockOf = (
  chain: TestChain,
  specs: readonly Spec[],
  afterMs?: number,
): Promise<Result<ExecutedBlock, BlockRefusal>> => chain.executor.execute(chain.template(MINER, afterMs), specs.map(executable))

export const receiptsOf = (block: ExecutedBlock): readonly Receipt[] => unwrap(codec.decode(receiptsCodec, block.receipts))

/** Stores a block of transactions that must all succeed. Returns their receipts. */
export async function stored(chain: TestChain, specs: readonly Spec[], afterMs?: number): Promise<readonly Receipt[]> {
  const block = unwrap(await blockOf(chain, specs, afterMs))
  const receipts = receiptsOf(block)
  const failed = receipts.findIndex(({ status }) => status === 0)
  if (failed >= 0) throw new Error(`transaction ${failed} failed`)
  await chain.store(block)
  return receipts
}

export const startGoverned = (governed?: Governed): Promise<TestChain> => TestChain.start(governedGenesis(governed))
