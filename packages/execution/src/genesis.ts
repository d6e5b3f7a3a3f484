import {
  type Crypto,
  emptyBloom,
  type Gas,
  type Genesis,
  genesisDigest,
  Hash,
  type Header,
  type Height,
  type Nonce,
  receiptsRoot,
  transactionsRoot,
  validatorSetHash,
  Wei,
  ZERO_ADDRESS,
  ZERO_HASH,
} from '@quoin/protocol'
import { EMPTY_ACCOUNT } from './account.ts'
import { Journal } from './journal.ts'
import { settleSystemRecords, writeGenesisRecords } from './system-state.ts'

/**
 * State of block 0: opening balances, system contracts (nonce 1, as every contract since EIP-161) and system records. Throws when the
 * balances sum to 2^256 or more: no later sum can overflow then.
 */
export function genesisState(crypto: Crypto, genesis: Genesis): Journal {
  const journal = new Journal()
  let supply = 0n
  for (const { address, balance } of genesis.alloc) {
    supply = Wei(supply + balance)
    journal.setAccount(address, { ...EMPTY_ACCOUNT, balance })
  }
  for (const { address, code } of genesis.systemContracts) {
    journal.setAccount(address, { ...journal.account(address), nonce: 1 as Nonce })
    journal.setCode(address, code, Hash(crypto.keccak256(code)))
  }
  writeGenesisRecords(journal, genesis)
  const problems = settleSystemRecords(journal)
  if (problems.length > 0) throw new Error(`genesis breaks its own rules: ${problems.join('; ')}`)
  return journal
}

/** Header of block 0. Its validator set is that of heights 1 and 2. */
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
    extra: { version: 1, executionVersion, validatorsHash, nextValidatorsHash: validatorsHash },
    mixHash: genesisDigest(crypto, genesis),
    baseFeePerGas: parameters.feePolicy === 'free' ? Wei(0n) : parameters.initialBaseFee,
  }
}
