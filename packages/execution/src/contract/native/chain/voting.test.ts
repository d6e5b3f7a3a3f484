import { type Address, Address as addressOf, bytesToHex, type Height, idOfName, ROLES, ZERO_HASH } from '@quoin/protocol'
import { type Abi, decodeErrorResult } from 'viem'
import { describe, expect, it } from 'vitest'
import { testGenesis } from '../../../../test/chain.ts'
import { giveCode, OTHER, TEST_BLOCK, TestContracts, USER } from '../../../../test/contracts.ts'
import { writeFounding } from '../../../state/founding.ts'
import type { Journal } from '../../../state/journal.ts'
import { SYSTEM_ADDRESS } from '../../../state/system-records.ts'
import { writeRecord } from '../../record.ts'
import { CHAIN_ABI } from './chain-abi.ts'

const chainContract = { address: SYSTEM_ADDRESS, abi: CHAIN_ABI as Abi }
const GOVERNOR = USER
const BANK_B = idOfName('bank-b')!
const account = (n: number): Address => addressOf(`0x${n.toString(16).padStart(40, '0')}`)
const [ADMIN, CLERK, VOTER] = [account(0xad), account(0xc1), account(0x70)]
const RECORD = {
  version: 1,
  authority: undefined,
  paused: false,
  callers: 0,
  executionVersion: ZERO_HASH,
  loadGas: 0,
  codeBytes: 1,
}

const setAccount = (address: Address, roles: number, { suspended = false } = {}) => [address, BANK_B, roles, 0, suspended]

/** A chain that USER governs, in block 7, with the organisation bank-b. */
class Chain {
  #contracts = new TestContracts()

  constructor() {
    const genesis = testGenesis(new Map())
    writeFounding(this.journal, { ...genesis, consortium: { ...genesis.consortium, governor: GOVERNOR } })
    this.does('setOrganisation', [BANK_B, 'Bank B', 2, 1, 0])
  }

  get journal(): Journal {
    return this.#contracts.journal
  }

  at(number: number): void {
    this.#contracts = new TestContracts(this.journal, { ...TEST_BLOCK, number: number as Height })
  }

  does(name: string, args: readonly unknown[] = [], from: Address = GOVERNOR): void {
    this.#contracts.call(chainContract, name, args, { from })
  }

  tells(name: string, args: readonly unknown[] = []): unknown {
    return this.#contracts.call(chainContract, name, args)
  }

  refusal(name: string, args: readonly unknown[], from: Address = GOVERNOR): readonly [string, ...unknown[]] {
    const outcome = this.#contracts.attempt(chainContract, name, args, { from })
    if (outcome.ok) throw new Error(`${name} succeeded`)
    const { errorName, args: values } = decodeErrorResult({ abi: CHAIN_ABI as Abi, data: bytesToHex(outcome.data) })
    return [errorName, ...((values ?? []) as readonly unknown[])]
  }
}

describe('votes of an organisation without a voter', () => {
  it('do not count, so that a quorum of all votes can be reached, until it has one', () => {
    const chain = new Chain()
    const votes = () => [chain.tells('votesAt', [BANK_B, 7]), chain.tells('totalVotesAt', [7])]
    chain.at(8)
    expect(votes()).toEqual([0n, 0n])
    chain.at(7)
    chain.does('setOrganisation', [BANK_B, 'Bank B', 5, 1, 0])
    chain.does('setAccount', setAccount(CLERK, ROLES.sender))
    chain.at(8)
    expect(votes()).toEqual([0n, 0n])
    chain.does('setAccount', setAccount(VOTER, ROLES.voter, { suspended: true }))
    chain.at(9)
    expect(chain.tells('totalVotesAt', [8])).toBe(0n)
    chain.does('setAccount', setAccount(VOTER, ROLES.voter))
    chain.does('setAccount', setAccount(CLERK, ROLES.voter))
    chain.at(10)
    expect([chain.tells('votesAt', [BANK_B, 9]), chain.tells('totalVotesAt', [9])]).toEqual([5n, 5n])
    chain.does('removeAccount', [VOTER])
    expect(chain.refusal('removeAccount', [CLERK])[0]).toBe('Refused')
    chain.at(11)
    expect(chain.tells('totalVotesAt', [10])).toBe(5n)
  })
})

describe('a contract that cannot vote', () => {
  const voter = (address: Address) => setAccount(address, ROLES.voter)

  it('gets no role voter: a native contract, or the contract that governs', () => {
    const chain = new Chain()
    // As genesis does.
    giveCode(chain.journal, SYSTEM_ADDRESS, Uint8Array.of(0xfe), ZERO_HASH)
    expect(chain.refusal('setAccount', voter(SYSTEM_ADDRESS))).toEqual(['Invalid', 'roles', expect.stringMatching(/can vote/)])
    for (const address of [VOTER, GOVERNOR]) chain.does('setAccount', voter(address))
    giveCode(chain.journal, GOVERNOR, Uint8Array.of(0xfe), ZERO_HASH)
    writeRecord(chain.journal, GOVERNOR, RECORD)
    expect(chain.refusal('setAccount', voter(GOVERNOR))[0]).toBe('Invalid')
    chain.does('setAccount', setAccount(GOVERNOR, ROLES.sender))
  })

  it('does not become governor while it votes', () => {
    const chain = new Chain()
    chain.does('setAccount', voter(OTHER))
    giveCode(chain.journal, OTHER, Uint8Array.of(0xfe), ZERO_HASH)
    writeRecord(chain.journal, OTHER, RECORD)
    chain.does('setAccount', voter(VOTER))
    chain.does('offerGovernor', [OTHER, 100])
    expect(chain.refusal('acceptGovernor', [], OTHER)[0]).toBe('Refused')
    chain.does('removeAccount', [OTHER])
    chain.does('acceptGovernor', [], OTHER)
  })

  it('does not accept an entry that an admin has offered it before', () => {
    const chain = new Chain()
    chain.does('setOrganisation', [BANK_B, 'Bank B', 2, 1, ROLES.voter | ROLES.admin])
    chain.does('setAccount', setAccount(ADMIN, ROLES.voter | ROLES.admin))
    chain.does('setAccount', voter(OTHER), ADMIN)
    giveCode(chain.journal, OTHER, Uint8Array.of(0xfe), ZERO_HASH)
    writeRecord(chain.journal, OTHER, RECORD)
    chain.does('offerGovernor', [OTHER, 100])
    chain.does('acceptGovernor', [], OTHER)
    expect(chain.refusal('acceptEntry', [BANK_B], OTHER)[0]).toBe('Invalid')
  })
})
