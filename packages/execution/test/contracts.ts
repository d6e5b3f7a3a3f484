import { Address, type ChainId, type Hash, type Height, type Hex, hexToBytes, nobleCrypto, type TimeMs } from '@quoin/protocol'
import { type Abi, bytesToHex, decodeFunctionResult, encodeDeployData, encodeFunctionData, parseAbi } from 'viem'
import { containerOf } from '../../../test/contracts/contract.mjs'
import { createContracts } from '../src/contract/contracts.ts'
import { Machine } from '../src/contract/machine.ts'
import type { BlockContext, MessageOutcome } from '../src/contract/message.ts'
import { Journal } from '../src/state/journal.ts'
import { type Ticks, ticksOf } from '../src/ticks.ts'
import { executionVersion } from '../src/version.ts'
import type { Interpreter } from '../src/vm/index.ts'
import { contractInterpreter } from './interpreter.ts'

export const USER = Address(`0x${'a1'.repeat(20)}`)
export const OTHER = Address(`0x${'b2'.repeat(20)}`)

export const TEST_BLOCK: BlockContext = {
  number: 7 as Height,
  timeMs: 1_700_000_000_250 as TimeMs,
  proposer: Address(`0x${'fe'.repeat(20)}`),
  gasLimit: 60_000_000,
  baseFee: 3n,
}

/** Default gas limit of a call. */
export const TEST_GAS: Ticks = ticksOf(18_000_000)

type ContainerParts = Parameters<typeof containerOf>[2]

export interface TestContract {
  readonly address: Address
  readonly abi: Abi
}

interface CallOptions {
  readonly from?: Address
  readonly value?: bigint
  readonly gas?: Ticks
}

/** ABI from human-readable lines in viem's format. */
export const abiOf = (lines: readonly string[]): Abi => parseAbi(lines as never) as unknown as Abi

/** Creation data of a module's source. */
export function creationOf(source: string, abi: Abi, args: readonly unknown[] = [], rest?: ContainerParts): Uint8Array {
  const bytecode = bytesToHex(containerOf(source, abi, rest))
  return hexToBytes(encodeDeployData({ abi, bytecode, args } as never))
}

/** Gives an account a code that needs no record. */
export function giveCode(journal: Journal, address: Address, code: Uint8Array, codeHash: Hash): void {
  journal.addCode(code, codeHash)
  journal.setCodeHash(address, codeHash)
}

/** Contracts on their own journal, called as a transaction calls them. */
export class TestContracts {
  readonly machine: Machine

  constructor(journal = new Journal(), block = TEST_BLOCK, interpreter: Interpreter = contractInterpreter()) {
    const contracts = createContracts({
      crypto: nobleCrypto,
      chainId: 31_337 as ChainId,
      interpreter,
      reader: { get: () => undefined },
      executionVersion: executionVersion(nobleCrypto),
    })
    this.machine = new Machine(contracts, journal, block)
  }

  get journal(): Journal {
    return this.machine.journal
  }

  fund(address: Address, balance: bigint): void {
    this.journal.setAccount(address, { ...this.journal.account(address), balance: balance as never })
  }

  create(data: Uint8Array, { from = USER, value = 0n, gas = TEST_GAS }: CallOptions = {}): MessageOutcome {
    return this.machine.run({ from, to: undefined, value, data, gas })
  }

  /** Creates a contract; the creation must succeed. */
  deploy(
    lines: readonly string[],
    source: string,
    args: readonly unknown[] = [],
    rest?: ContainerParts,
    options?: CallOptions,
  ): TestContract {
    const abi = abiOf(lines)
    const outcome = this.create(creationOf(source, abi, args, rest), options)
    if (!outcome.ok) throw new Error(`no contract: ${outcome.reason}`)
    return { address: outcome.contractAddress!, abi }
  }

  send(to: Address, data: Uint8Array, { from = USER, value = 0n, gas = TEST_GAS }: CallOptions = {}): MessageOutcome {
    return this.machine.run({ from, to, value, data, gas })
  }

  /** Calls a function. Returns the raw outcome. */
  attempt(
    { address, abi }: TestContract,
    functionName: string,
    args: readonly unknown[] = [],
    options?: CallOptions,
  ): MessageOutcome {
    return this.send(address, hexToBytes(encodeFunctionData({ abi, functionName, args } as never) as Hex), options)
  }

  /** Calls a function that must succeed. Returns its result, decoded by viem. */
  call(contract: TestContract, functionName: string, args: readonly unknown[] = [], options?: CallOptions): unknown {
    const outcome = this.attempt(contract, functionName, args, options)
    if (!outcome.ok) throw new Error(`${functionName} failed: ${outcome.reason}`)
    return decodeFunctionResult({ abi: contract.abi, functionName, data: bytesToHex(outcome.data) } as never)
  }

  /** Reason of a call that must fail. */
  failure(contract: TestContract, functionName: string, args: readonly unknown[] = [], options?: CallOptions): string {
    const outcome = this.attempt(contract, functionName, args, options)
    if (outcome.ok) throw new Error(`${functionName} succeeded`)
    return outcome.reason
  }
}
