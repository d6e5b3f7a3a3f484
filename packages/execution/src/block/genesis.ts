import {
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
  U64_SAFE_MAX,
  validatorSetHash,
  Wei,
  ZERO_ADDRESS,
  ZERO_HASH,
} from '@quoin/protocol'
import type { Contracts } from '../contract/contracts.ts'
import { codeHostOf, installCode, prepareCode } from '../contract/creation.ts'
import { GasMeter } from '../contract/gas-meter.ts'
import { NATIVE_CODE } from '../contract/native/native.ts'
import { findNative, NATIVE_CONTRACTS } from '../contract/native/native-contracts.ts'
import { writeFounding } from '../state/founding.ts'
import { Journal } from '../state/journal.ts'
import { SYSTEM_ADDRESS, settleSystemRecords } from '../state/system-records.ts'

/**
 * State of block 0: initial balances, system contracts (their constructors do not run) and system records.
 *
 * @throws Error when a system contract is invalid
 * @throws RangeError when the balances sum up to 2^256 or more; with this check no later sum can overflow
 */
export function genesisState(contracts: Contracts, genesis: Genesis): Journal {
  const journal = new Journal()
  let supply = 0n
  for (const { address, balance } of genesis.alloc) {
    supply = Wei(supply + balance)
    journal.setAccount(address, { ...EMPTY_ACCOUNT, balance })
  }
  for (const { address, code } of genesis.systemContracts) {
    if (findNative(address) !== undefined) throw new Error(`system contract ${address}: the address belongs to a native contract`)
    const made = prepareCode(codeHostOf(contracts, journal), new GasMeter(U64_SAFE_MAX, undefined), code, undefined)
    if (!made.ok) throw new Error(`system contract ${address}: ${made.error.reason}`)
    installCode(contracts, journal, 0 as Height, address, SYSTEM_ADDRESS, made.value)
  }
  for (const { address, code = NATIVE_CODE } of NATIVE_CONTRACTS) {
    const codeHash = Hash(contracts.crypto.keccak256(code))
    journal.addCode(code, codeHash)
    journal.setCodeHash(address, codeHash)
  }
  writeFounding(journal, genesis)
  const problems = settleSystemRecords(journal)
  if (problems.length > 0) throw new Error(`genesis is invalid: ${problems.join('; ')}`)
  return journal
}

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
    baseFeePerGas: parameters.feePolicy === 'free' ? Wei(0n) : parameters.initialBaseFee,
    extra: { executionVersion, validatorsHash, nextValidatorsHash: validatorsHash },
    genesisDigest: genesisDigest(crypto, genesis),
  }
}
