import { Address, bytesToHex, type Height, idOfName, LIMITS, ROLES, ZERO_HASH } from '@quoin/protocol'
import { type Abi, decodeErrorResult, type Hex, parseEventLogs } from 'viem'
import { expect } from 'vitest'
import { CHAIN_ABI } from '../src/contract/native/chain/chain-abi.ts'
import { writeFounding } from '../src/state/founding.ts'
import { Journal } from '../src/state/journal.ts'
import { SYSTEM_ADDRESS, SYSTEM_RECORDS, writeSystemRecord } from '../src/state/system-records.ts'
import { testGenesis } from './chain.ts'
import { TEST_BLOCK, TestContracts, USER } from './contracts.ts'

const chainContract = { address: SYSTEM_ADDRESS, abi: CHAIN_ABI as Abi }
export const GOVERNOR = USER
export const BANK_A = idOfName('bank-a')!
export const BANK_B = idOfName('bank-b')!
export const account = (n: number): Address => Address(`0x${n.toString(16).padStart(40, '0')}`)
export const [ADMIN, CLERK, VOTER] = [account(0xad), account(0xc1), account(0x70)]
export const domain = { genesisHash: ZERO_HASH, restartEpoch: 0 }

/** A chain that USER governs, in block 7, with the organisation bank-b beside bank-a. */
export class Chain {
  #contracts: TestContracts

  constructor() {
    const journal = new Journal()
    const genesis = testGenesis(new Map())
    writeFounding(journal, { ...genesis, consortium: { ...genesis.consortium, governor: GOVERNOR } })
    writeSystemRecord(journal, SYSTEM_RECORDS.domain, domain)
    this.#contracts = new TestContracts(journal)
    this.does('setOrganisation', [BANK_B, 'Bank B', 2, 1, ROLES.sender | ROLES.deployer | ROLES.admin])
  }

  get journal(): Journal {
    return this.#contracts.journal
  }

  at(number: number, timeMs: number = TEST_BLOCK.timeMs): void {
    this.#contracts = new TestContracts(this.journal, { ...TEST_BLOCK, number: number as Height, timeMs: timeMs as never })
  }

  /** Calls a function that must succeed; returns the names of the events. */
  does(name: string, args: readonly unknown[] = [], from: Address = GOVERNOR): readonly string[] {
    const before = this.journal.checkpoint()
    this.#contracts.call(chainContract, name, args, { from })
    const logs = this.journal
      .logsSince(before)
      .map(({ topics, data }) => ({ address: SYSTEM_ADDRESS, topics, data: bytesToHex(data) }))
    const parsed = parseEventLogs({ abi: CHAIN_ABI as Abi, logs: logs as never }) as unknown as readonly { eventName: string }[]
    expect(parsed).toHaveLength(logs.length)
    return parsed.map(({ eventName }) => eventName)
  }

  tells(name: string, args: readonly unknown[] = []): unknown {
    return this.#contracts.call(chainContract, name, args)
  }

  /** Name and arguments of the error with which a call fails, which leaves nothing behind. */
  refusal(name: string, args: readonly unknown[], from: Address = GOVERNOR): readonly [string, ...unknown[]] {
    const before = this.journal.changes().length
    const outcome = this.#contracts.attempt(chainContract, name, args, { from })
    if (outcome.ok) throw new Error(`${name} succeeded`)
    expect(this.journal.changes()).toHaveLength(before)
    expect(outcome.data.length).toBeLessThanOrEqual(LIMITS.errorDataBytesMax)
    const decoded = decodeErrorResult({ abi: CHAIN_ABI as Abi, data: bytesToHex(outcome.data) as Hex })
    return [decoded.errorName, ...(decoded.args ?? [])]
  }

  gas(name: string, args: readonly unknown[], from: Address = GOVERNOR): number {
    return this.#contracts.attempt(chainContract, name, args, { from }).gasUsed
  }
}

export const setAccount = (
  address: Address,
  roles: number,
  rest: { organisation?: string; expiry?: number; suspended?: boolean } = {},
) => [address, rest.organisation ?? BANK_B, roles, rest.expiry ?? 0, rest.suspended ?? false]
