import { readFile } from 'node:fs/promises'
import { executionVersion } from '@quoin/execution'
import { DEVELOPMENT_BALANCE, developmentAccounts } from '@quoin/platform'
import {
  type Address,
  ChainId,
  type ChainParameters,
  CONSORTIUM_KEYS,
  DEFAULT_PARAMETERS,
  type Genesis,
  genesisToJson,
  nobleCrypto,
  parametersProblem,
  parseGenesis,
  TimeMs,
  Wei,
} from '@quoin/protocol'
import { fromEntries, parseEntries, parseEntry, type ValidatorEntry } from './entry.ts'
import { CommandError, orFail } from './failure.ts'
import { unreachableReason } from './reachable-address.ts'
import { writeNewFile } from './write-new-file.ts'

export interface GenesisOptions {
  /** The entries of validators that `quoin keys` printed, in JSON. */
  readonly validator: readonly string[]
  /** Path of a JSON file with a list of further entries. */
  readonly validators: string | undefined
  /** Path of a JSON file with organisations, accounts, governor, participants and policies, as a genesis document has them. */
  readonly consortium?: string | undefined
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
  const listed = await readEntries(options)
  requireReachable(listed, options)
  const parameters = { ...DEFAULT_PARAMETERS, ...options.parameters }
  const problem = parametersProblem(parameters)
  if (problem !== undefined) throw new CommandError(problem)
  const balances = new Map<Address, bigint>(options.fund.map(parseFund))
  if (options.development) for (const { address } of developmentAccounts(crypto)) balances.set(address, DEVELOPMENT_BALANCE)
  const open: Genesis = {
    chainId: ChainId(options.chainId),
    timeMs: TimeMs(options.timeMs),
    development: options.development,
    executionVersion: executionVersion(crypto),
    parameters,
    ...fromEntries(
      crypto,
      listed.map(({ entry }) => entry),
    ),
    alloc: [...balances].sort(([a], [b]) => (a < b ? -1 : 1)).map(([address, balance]) => ({ address, balance: Wei(balance) })),
    systemContracts: [],
    restart: undefined,
  }
  const genesis = options.consortium === undefined ? open : await withConsortium(open, options.consortium)
  await writeNewFile(options.out, `${JSON.stringify(genesisToJson(genesis), null, 2)}\n`, options.force)
  return genesis
}

/** Puts the members of a consortium's file in the place of what the validators' entries alone say. */
async function withConsortium(genesis: Genesis, file: string): Promise<Genesis> {
  const text = await readFile(file, 'utf8')
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch (failure) {
    throw new CommandError(`${file} is not valid JSON: ${(failure as Error).message}`)
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document))
    throw new CommandError(`${file}: must be an object with ${CONSORTIUM_KEYS.join(', ')}`)
  const unknown = Object.keys(document).find((key) => !(CONSORTIUM_KEYS as readonly string[]).includes(key))
  if (unknown !== undefined)
    throw new CommandError(`${file}: ${unknown}: unknown key (known keys: ${CONSORTIUM_KEYS.join(', ')})`)
  return orFail(parseGenesis(nobleCrypto, { ...genesisToJson(genesis), ...document }), file)
}

/** An entry, and where its addresses are, for messages. */
interface Listed {
  readonly entry: ValidatorEntry
  readonly where: string
}

async function readEntries({ validator, validators }: GenesisOptions): Promise<readonly Listed[]> {
  const given = validator.map((text, i) => {
    const option = `--validator ${i + 1}`
    return { entry: parseEntry(text, option), where: `${option}: [addresses]` }
  })
  const entries = validators === undefined ? [] : parseEntries(await readFile(validators, 'utf8'), validators)
  const listed = [...given, ...entries.map((entry, i) => ({ entry, where: `${validators}: [${i}.addresses]` }))]
  if (listed.length > 0) return listed
  throw new CommandError(
    'a genesis needs validators: add the --validator option that quoin keys prints for each, or --validators with a file',
  )
}

function requireReachable(listed: readonly Listed[], { development }: GenesisOptions): void {
  for (const { entry, where } of listed) {
    for (const address of entry.addresses) {
      const reason = unreachableReason(address, development)
      if (reason !== undefined) throw new CommandError(`${where} of ${entry.name ?? entry.peerId}: ${reason}`)
    }
  }
}

function parseFund(text: string): readonly [Address, bigint] {
  const match = /^(0x[0-9a-fA-F]{40})=(\d{1,78})$/.exec(text)
  if (match === null)
    throw new CommandError(
      `--fund ${text}: must be address=wei, such as 0x70997970C51812dc3A010C7d01b50e0d17dc79C8=1000000000000000000`,
    )
  return [match[1]!.toLowerCase() as Address, BigInt(match[2]!)]
}
