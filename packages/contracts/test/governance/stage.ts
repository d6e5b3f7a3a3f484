import { fileURLToPath } from 'node:url'
import { CHAIN_ABI, SYSTEM_ADDRESS } from '@quoin/execution/contract'
import { idOfName, ROLES } from '@quoin/protocol'
import { type Abi, decodeErrorResult, encodeAbiParameters, encodeFunctionData, getAddress, type Hex, keccak256 } from 'viem'
import { type BuiltContract, build, formatDiagnostics } from '../../src/build/index.ts'
import { type Chain, ContractRevert, createChain, type Receipt } from '../../src/testing/index.ts'

const REPOSITORY = fileURLToPath(new URL('../../../../', import.meta.url))

/** What a transaction of the lane may use. Voters that send to their governor have no more. */
export const LANE_GAS = 4_000_000n
export const PHASE_BLOCKS = 32
export const CHAIN = getAddress(SYSTEM_ADDRESS)
export const NO_DOCUMENT: Hex = `0x${'00'.repeat(32)}`
export const idOf = (name: string): Hex => idOfName(name)!
export const [AGAINST, FOR, ABSTAIN] = [0, 1, 2] as const

export interface Call {
  readonly target: Hex
  readonly value: bigint
  readonly data: Hex
}

export interface Rules {
  readonly quorum: number
  readonly threshold: number
  readonly emergencyThreshold: number
  readonly votingTime: bigint
  readonly timeLock: bigint
  readonly executionTime: bigint
}

export const RULES: Rules = {
  ...{ quorum: 5_000, threshold: 6_000, emergencyThreshold: 9_000 },
  ...{ votingTime: 1_000n, timeLock: 500n, executionTime: 2_000n },
}
export const rulesTuple = (rules: Partial<Rules> = {}) => {
  const { quorum, threshold, emergencyThreshold, votingTime, timeLock, executionTime } = { ...RULES, ...rules }
  return [quorum, threshold, emergencyThreshold, votingTime, timeLock, executionTime] as const
}

let built: Promise<BuiltContract> | undefined
/** The preset, built as an author builds it. */
export const preset = (): Promise<BuiltContract> => (built ??= buildPreset())

async function buildPreset(): Promise<BuiltContract> {
  const entries = ['packages/contracts/src/standards/presets/governance.ts']
  const result = await build({ project: REPOSITORY, entries, typeCheck: false, conditions: ['@quoin/source'] })
  if (!result.ok) throw new Error(formatDiagnostics(result.error))
  return result.value[0]!
}

/** Hash of calls, as a client computes it. */
export const hashOf = (calls: readonly Call[]): Hex =>
  keccak256(
    encodeAbiParameters(
      [{ type: 'tuple[]', components: [{ type: 'address' }, { type: 'uint256' }, { type: 'bytes' }] }] as never,
      [calls.map(({ target, value, data }) => [target, value, data])] as never,
    ),
  )

/** A member of the stage: an organisation with its votes, and the accounts that vote for it. */
export interface Member {
  readonly name: string
  readonly votes: number
  readonly voters: number
}

export const MEMBERS: readonly Member[] = [
  { name: 'bank-a', votes: 4, voters: 2 },
  { name: 'bank-b', votes: 3, voters: 1 },
  { name: 'bank-c', votes: 2, voters: 1 },
  { name: 'bank-d', votes: 1, voters: 1 },
]

/** Calls of the chain contract by the governor. */
export const chainCall = (name: string, ...args: readonly unknown[]): Call => ({
  target: CHAIN,
  value: 0n,
  data: encodeFunctionData({ abi: CHAIN_ABI as Abi, functionName: name, args } as never),
})

export const suspend = (name: string, suspended = true): Call => chainCall('suspendOrganisation', idOf(name), suspended)
export const setAccount = (account: Hex, organisation: string, roles: number, suspended = false): Call =>
  chainCall('setAccount', account, idOf(organisation), roles, 0, suspended)
export const nameRole = (name: string): Call => chainCall('setRoleName', 16, name)

/** A kit's chain that the preset governs: the chain's first governor, accounts[0], has founded the members and handed over. */
export class Stage {
  readonly chain: Chain<readonly Hex[]>
  readonly address: Hex
  readonly contract: BuiltContract
  readonly voters: Readonly<Record<string, readonly Hex[]>>
  readonly outsider: Hex

  static async open({
    members = MEMBERS,
    rules = {},
  }: {
    members?: readonly Member[]
    rules?: Partial<Rules>
  } = {}): Promise<Stage> {
    const chain = (await createChain({ accounts: 60 })) as unknown as Chain<readonly Hex[]>
    const contract = await preset()
    const { address } = await chain.deploy(contract as never, { args: rulesTuple(rules) } as never)
    const [founder, outsider, ...rest] = chain.accounts as [Hex, Hex, ...Hex[]]
    const founds = (call: Call) => chain.send({ from: founder, to: call.target, data: call.data, gas: LANE_GAS })
    const voters: Record<string, readonly Hex[]> = {}
    for (const { name, votes, voters: count } of members) {
      await founds(chainCall('setOrganisation', idOf(name), name, votes, 1, 0x7f))
      voters[name] = rest.splice(0, count)
      for (const voter of voters[name]) await founds(setAccount(voter, name, ROLES.voter))
    }
    await founds(chainCall('offerGovernor', address, 10_000))
    const stage = new Stage(chain, address as Hex, contract, voters, outsider)
    await stage.send('accept', [], outsider)
    return stage
  }

  /** A governor that is there already. */
  static at(chain: Chain<readonly Hex[]>, address: Hex, contract: BuiltContract, voters: Stage['voters'], outsider: Hex): Stage {
    return new Stage(chain, address, contract, voters, outsider)
  }

  private constructor(
    chain: Chain<readonly Hex[]>,
    address: Hex,
    contract: BuiltContract,
    voters: Stage['voters'],
    outsider: Hex,
  ) {
    this.chain = chain
    this.address = address
    this.contract = contract
    this.voters = voters
    this.outsider = outsider
  }

  /** The first voter of an organisation, or another one. */
  voter(name: string, index = 0): Hex {
    return this.voters[name]![index]!
  }

  data(name: string, args: readonly unknown[]): Hex {
    return encodeFunctionData({ abi: this.contract.abi as Abi, functionName: name, args } as never)
  }

  /** A call of the governor to itself. */
  own(name: string, ...args: readonly unknown[]): Call {
    return { target: this.address, value: 0n, data: this.data(name, args) }
  }

  /** Sends a call of the governor, as its voters do: with the gas of the lane. */
  async send(name: string, args: readonly unknown[], from: Hex): Promise<Receipt> {
    return this.chain.send({ from, to: this.address, data: this.data(name, args), gas: LANE_GAS })
  }

  async read(name: string, args: readonly unknown[] = []): Promise<any> {
    const at = this.chain.at(this.contract as never, this.address) as unknown as {
      read: Record<string, (a: readonly unknown[]) => Promise<any>>
    }
    return at.read[name]!(args)
  }

  /** What the chain contract tells. */
  async tells(name: string, ...args: readonly unknown[]): Promise<any> {
    const at = this.chain.at({ name: 'chain', abi: CHAIN_ABI as Abi, bytecode: '0xfe' } as never, CHAIN) as unknown as {
      read: Record<string, (a: readonly unknown[]) => Promise<any>>
    }
    return at.read[name]!(args)
  }

  /** Proposes. Returns the number. */
  async propose(calls: readonly Call[], { by = this.voter('bank-a'), text = '', emergency = false } = {}): Promise<bigint> {
    await this.send('propose', [calls, text, NO_DOCUMENT, emergency], by)
    return (await this.read('proposalCount')) - 1n
  }

  vote = (id: bigint, by: Hex, support: number = FOR): Promise<Receipt> => this.send('vote', [id, support], by)
  execute = (id: bigint, calls: readonly Call[], by: Hex = this.outsider): Promise<Receipt> =>
    this.send('execute', [id, calls], by)
  stateOf = (id: bigint): Promise<string> => this.read('stateOf', [id])

  /** Lets a time pass, and the blocks that each phase has at least. */
  async pass(seconds: number | bigint, blocks: number = PHASE_BLOCKS): Promise<void> {
    if (blocks > 1) await this.chain.mine(blocks - 1, 1)
    const rest = BigInt(seconds) - BigInt(blocks - 1)
    await this.chain.increaseTime(rest > 0n ? rest : 1n)
  }

  /** Proposes, lets organisations vote for it and executes it. */
  async decide(calls: readonly Call[], by: readonly string[] = Object.keys(this.voters)): Promise<Receipt> {
    const id = await this.propose(calls, { by: this.voter(by[0]!) })
    for (const name of by) await this.vote(id, this.voter(name))
    const [, closesAt, dueAt] = await this.read('ballot', [id])
    await this.pass(closesAt - this.chain.block.timestamp)
    if (dueAt > closesAt) await this.pass(dueAt - this.chain.block.timestamp)
    return this.execute(id, calls)
  }

  /** The same by the emergency path, which takes no time. */
  async decideAtOnce(calls: readonly Call[]): Promise<void> {
    const id = await this.propose(calls, { emergency: true })
    for (const name of Object.keys(this.voters)) await this.vote(id, this.voter(name))
    await this.execute(id, calls)
  }

  /** Name and arguments of the governor's error with which a transaction fails. */
  async refusal(sent: Promise<unknown>): Promise<readonly [string, ...unknown[]]> {
    return refusalOf(sent, this.contract.abi as Abi)
  }

  close = (): Promise<void> => this.chain.close()
}

export async function refusalOf(sent: Promise<unknown>, abi: Abi): Promise<readonly [string, ...unknown[]]> {
  const failure = await sent.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (failure === undefined) throw new Error('the transaction succeeded')
  if (!(failure instanceof ContractRevert)) throw failure
  try {
    const { errorName, args } = decodeErrorResult({ abi, data: failure.data })
    return [errorName, ...((args ?? []) as readonly unknown[])]
  } catch {
    return [failure.message]
  }
}

export const abiOfChain = CHAIN_ABI as Abi
export const encodeCall = (abi: Abi, functionName: string, args: readonly unknown[]): Hex =>
  encodeFunctionData({ abi, functionName, args } as never)
