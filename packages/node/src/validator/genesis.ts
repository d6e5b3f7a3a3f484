import { readFile } from 'node:fs/promises'
import { executionVersion } from '@quoin/execution'
import { DEVELOPMENT_BALANCE, developmentAccounts } from '@quoin/platform'
import {
  type Address,
  ChainId,
  type ChainParameters,
  DEFAULT_PARAMETERS,
  type Genesis,
  genesisToJson,
  nobleCrypto,
  parametersProblem,
  TimeMs,
  Wei,
} from '@quoin/protocol'
import { fromEntries, parseEntries, type ValidatorEntry } from './entry.ts'
import { CommandError } from './failure.ts'
import { unreachableReason } from './reachable-address.ts'
import { writeNewFile } from './write-new-file.ts'

export interface GenesisOptions {
  /** Path of the JSON file with the list of entries that `quoin keys` printed. */
  readonly validators: string
  readonly out: string
  /** Replace an existing file. */
  readonly force: boolean
  readonly chainId: number
  readonly timeMs: number
  /** Allows development keys and funds the development accounts. */
  readonly development: boolean
  readonly parameters: Partial<ChainParameters>
  /** Initial balances, each as `address=wei`. */
  readonly fund: readonly string[]
}

/**
 * Writes a genesis file for a list of validators.
 *
 * @throws {CommandError} If an entry, an address, a parameter or a balance is invalid, or the file exists and `force` is false.
 */
export async function makeGenesis(options: GenesisOptions): Promise<Genesis> {
  const crypto = nobleCrypto
  const entries = parseEntries(await readFile(options.validators, 'utf8'), options.validators)
  requireReachable(entries, options)
  const parameters = { ...DEFAULT_PARAMETERS, ...options.parameters }
  const problem = parametersProblem(parameters)
  if (problem !== undefined) throw new CommandError(problem)
  const balances = new Map<Address, bigint>(options.fund.map(parseFund))
  if (options.development) for (const { address } of developmentAccounts(crypto)) balances.set(address, DEVELOPMENT_BALANCE)
  const genesis: Genesis = {
    chainId: ChainId(options.chainId),
    timeMs: TimeMs(options.timeMs),
    development: options.development,
    executionVersion: executionVersion(crypto),
    parameters,
    ...fromEntries(crypto, entries),
    alloc: [...balances].sort(([a], [b]) => (a < b ? -1 : 1)).map(([address, balance]) => ({ address, balance: Wei(balance) })),
    systemContracts: [],
    restart: undefined,
  }
  await writeNewFile(options.out, `${JSON.stringify(genesisToJson(genesis), null, 2)}\n`, options.force)
  return genesis
}

function requireReachable(entries: readonly ValidatorEntry[], { validators, development }: GenesisOptions): void {
  entries.forEach(({ name, peerId, addresses }, i) => {
    for (const address of addresses) {
      const reason = unreachableReason(address, development)
      if (reason !== undefined) throw new CommandError(`${validators}: [${i}.addresses] of ${name ?? peerId}: ${reason}`)
    }
  })
}

function parseFund(text: string): readonly [Address, bigint] {
  const match = /^(0x[0-9a-fA-F]{40})=(\d{1,78})$/.exec(text)
  if (match === null)
    throw new CommandError(
      `--fund ${text}: must be address=wei, such as 0x70997970C51812dc3A010C7d01b50e0d17dc79C8=1000000000000000000`,
    )
  return [match[1]!.toLowerCase() as Address, BigInt(match[2]!)]
}
