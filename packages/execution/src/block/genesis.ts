import {
  type ChainParameters,
  type Crypto,
  EMPTY_ACCOUNT,
  emptyBloom,
  type Gas,
  type Genesis,
  genesisDigest,
  Hash,
  type Header,
  type Height,
  receiptsRoot,
  transactionsRoot,
  validatorSetHash,
  Wei,
  ZERO_ADDRESS,
  ZERO_HASH,
} from '@quoin/protocol'
import type { Contracts } from '../contract/contracts.ts'
import type { Failure } from '../contract/failure.ts'
import { Machine } from '../contract/machine.ts'
import type { BlockContext } from '../contract/message.ts'
import { NATIVE_CODE } from '../contract/native/native.ts'
import { findNative, NATIVE_CONTRACTS } from '../contract/native/native-contracts.ts'
import { writeFounding } from '../state/founding.ts'
import { Journal } from '../state/journal.ts'
import { SYSTEM_ADDRESS, settleSystemRecords } from '../state/system-records.ts'
import { ticksOf } from '../ticks.ts'
import { GENESIS_LIMITS } from './genesis-limits.ts'

/**
 * State of block 0: initial balances, native contracts, system records, then the system contracts in the order of their addresses.
 *
 * A system contract's constructor runs with `SYSTEM_ADDRESS` as sender and sees the records. It may call the contracts before it, and the
 * chain contract, also as governor.
 *
 * @throws Error when a system contract is invalid or its constructor fails
 * @throws RangeError when the balances sum up to 2^256 or more; with this check no later sum can overflow
 */
export function genesisState(contracts: Contracts, genesis: Genesis): Journal {
  const journal = new Journal()
  let supply = 0n
  for (const { address, balance } of genesis.alloc) {
    supply = Wei(supply + balance)
    journal.setAccount(address, { ...EMPTY_ACCOUNT, balance })
  }
  for (const { address, code = NATIVE_CODE } of NATIVE_CONTRACTS) {
    const codeHash = Hash(contracts.crypto.keccak256(code))
    journal.addCode(code, codeHash)
    journal.setCodeHash(address, codeHash)
  }
  writeFounding(journal, genesis)
  const machine = new Machine(contracts, journal, genesisBlock(genesis))
  for (const { address, code } of genesis.systemContracts) {
    if (findNative(address) !== undefined) throw new Error(`system contract ${address}: the address belongs to a native contract`)
    const founded = machine.found(address, SYSTEM_ADDRESS, code, ticksOf(GENESIS_LIMITS.genesisConstructorGasMax))
    if (!founded.ok) throw new Error(`system contract ${address}: ${reasonOf(founded.error)}`)
  }
  const problems = settleSystemRecords(journal)
  if (problems.length > 0) throw new Error(`genesis is invalid: ${problems.join('; ')}`)
  return journal
}

const reasonOf = ({ reason, detail }: Failure): string => (detail === undefined ? reason : `${reason}: ${detail}`)

/** What constructors of system contracts see of block 0. */
const genesisBlock = ({ parameters, timeMs }: Genesis): BlockContext => ({
  number: 0 as Height,
  timeMs,
  proposer: ZERO_ADDRESS,
  gasLimit: parameters.blockGasMax,
  baseFee: baseFeeOf(parameters),
})

const baseFeeOf = ({ feePolicy, initialBaseFee }: ChainParameters): Wei => (feePolicy === 'free' ? Wei(0n) : initialBaseFee)

/** Header of block 0. Its validator set also votes at heights 1 and 2. */
export function genesisHeader(crypto: Crypto, genesis: Genesis, stateRoot: Hash): Header {
  const validatorsHash = validatorSetHash(crypto, genesis.validators)
  const { parameters, timeMs, executionVersion } = genesis
  return {
    parentHash: ZERO_HASH,
    miner: ZERO_ADDRESS,
    stateRoot,
    transactionsRoot: Hash(transactionsRoot(crypto, [])),
    receiptsRoot: Hash(receiptsRoot(crypto, [])),
    logsBloom: emptyBloom(),
    number: 0 as Height,
    gasLimit: parameters.blockGasMax,
    gasUsed: 0 as Gas,
    timeMs,
    baseFeePerGas: baseFeeOf(parameters),
    extra: { executionVersion, validatorsHash, nextValidatorsHash: validatorsHash },
    genesisDigest: genesisDigest(crypto, genesis),
  }
}
