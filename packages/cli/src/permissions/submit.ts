import { LANE, SYSTEM_ADDRESS } from '@quoin/execution'
import { CommandError } from '@quoin/node/process'
import {
  type Address,
  bytesToHex,
  nobleCrypto as crypto,
  encodeTransaction,
  type Gas,
  type Hex,
  hexToBytes,
  type Nonce,
  signingPreimage,
  type UnsignedTransaction,
  Wei,
} from '@quoin/protocol'
import { RpcError } from '../json-rpc.ts'
import { type AccountKey, readAccountAddress, readAccountKey } from '../keys/account-key.ts'
import type { PasswordOptions } from '../keys/password.ts'
import type { Chain } from './chain.ts'
import {
  type ChainCall,
  decodeEvent,
  decodeRefusal,
  encodeCall,
  type NamedItem,
  namedValues,
  type RpcLog,
} from './chain-contract.ts'
import { refusalText } from './refusals.ts'
import { lineOf, shownValues } from './shown.ts'
import type { RoleNames } from './words.ts'

/** Options of every command. */
export interface ReadOptions {
  readonly rpc: string
  readonly json: boolean
}

/** Options of commands that change the chain. */
export interface WriteOptions extends ReadOptions, PasswordOptions {
  /** File of the key that signs. */
  readonly key?: string
  /** Sender of a dry run, without its key. */
  readonly from?: string
  readonly dryRun: boolean
}

export type Print = (text: string) => void

/** Functions that only the governor may call. The others judge the sender by its roles too. */
const ONLY_GOVERNOR: ReadonlySet<string> = new Set([
  ...['offerGovernor', 'setParticipants', 'setOrganisation', 'suspendOrganisation', 'removeOrganisation'],
  ...['addValidator', 'setPower', 'removeValidator', 'setParameter', 'setPolicy', 'setRoleName'],
])

const NO_GOVERNOR = `0x${'00'.repeat(20)}`
/** How long a node may take until the transaction is in a block. */
const FINAL_MS_MAX = 60_000
/** A call may cost more when its block comes than when it was tried: records grow. What fits into the lane still fits. */
const gasLimitOf = (gasUsed: number): number => {
  const limit = Math.ceil(gasUsed * 1.25)
  return gasUsed <= LANE.transactionGasMax ? Math.min(limit, LANE.transactionGasMax) : limit
}

const NOT_IN_TIME = 4

/**
 * Sends a call to the chain contract, after it was tried: a call that the chain refuses is not sent. Without a key, or when only a governor
 * that is a contract may make it, the call is printed for whoever can.
 *
 * @throws CommandError with the reason in words when the chain refuses it
 */
export async function submit(chain: Chain, call: ChainCall, options: WriteOptions, print: Print): Promise<void> {
  const governor = await chain.governor()
  if (ONLY_GOVERNOR.has(call.name) && governor.address === NO_GOVERNOR)
    throw new CommandError('nobody governs this chain: what its genesis set cannot be changed')
  if (ONLY_GOVERNOR.has(call.name) && governor.isContract && options.from?.toLowerCase() !== governor.address)
    return printCall(chain, call, `The governor ${governor.address} is a contract: propose this call to it.`, options, print)
  if (options.dryRun) return tryOnly(chain, call, options, print)
  if (options.key === undefined)
    return printCall(chain, call, 'Nothing was sent: add --key with the file of a key to send this call.', options, print)
  const key = await readAccountKey(options.key, options)
  const tried = await simulate(chain, call, key.address)
  const receipt = await send(chain, call, key, tried.gasUsed)
  await printReceipt(chain, receipt, options, print)
}

/** What a call would do. */
interface Tried {
  readonly gasUsed: number
  readonly events: readonly NamedItem[]
}

interface SimulatedCall {
  readonly status?: unknown
  readonly gasUsed?: unknown
  readonly logs?: unknown
  readonly error?: { readonly message?: unknown; readonly data?: unknown }
}

/** Runs a call on the head's state as a sender. Nothing is sent. */
async function simulate(chain: Chain, call: ChainCall, from: string): Promise<Tried> {
  const request = { blockStateCalls: [{ calls: [{ from, to: SYSTEM_ADDRESS, data: encodeCall(call) }] }] }
  const blocks = (await chain.rpc.call('eth_simulateV1', [request, 'latest'])) as
    | readonly { readonly calls?: readonly SimulatedCall[] }[]
    | null
  const result = blocks?.[0]?.calls?.[0]
  if (result === undefined) throw new CommandError(`${chain.rpc.url} did not answer eth_simulateV1 with the result of the call`)
  if (result.status === '0x1') return { gasUsed: Number(result.gasUsed), events: eventsIn(result.logs) }
  throw new CommandError(`the chain refuses this: ${await reasonOf(chain, result.error ?? {})}. Nothing was sent`)
}

const eventsIn = (logs: unknown): readonly NamedItem[] =>
  (Array.isArray(logs) ? (logs as readonly RpcLog[]) : []).map(decodeEvent).filter((event) => event !== undefined)

async function reasonOf(
  chain: Chain,
  { message, data }: { readonly message?: unknown; readonly data?: unknown },
): Promise<string> {
  const refusal = decodeRefusal(data)
  return refusal === undefined
    ? typeof message === 'string'
      ? message
      : 'it says no reason'
    : refusalText(refusal, await chain.roleNames())
}

async function tryOnly(chain: Chain, call: ChainCall, options: WriteOptions, print: Print): Promise<void> {
  const from =
    options.from?.toLowerCase() ?? (options.key === undefined ? undefined : await readAccountAddress(options.key, options))
  if (from === undefined) throw new CommandError('--dry-run needs a sender: add --key with a file, or --from with an address')
  const { gasUsed, events } = await simulate(chain, call, from)
  const roles = await chain.roleNames()
  if (options.json) return print(JSON.stringify({ dryRun: true, from, gasUsed, events: shownEvents(events, roles) }, null, 2))
  print([`Dry run as ${from}: it would succeed with ${gasUsed} gas. Nothing was sent.`, ...eventLines(events, roles)].join('\n'))
}

const shownEvents = (events: readonly NamedItem[], roles: RoleNames) =>
  events.map(({ name, values }) => ({ name, values: shownValues(values, roles) }))

const eventLines = (events: readonly NamedItem[], roles: RoleNames): readonly string[] =>
  events.map(({ name, values }) => `${name}: ${lineOf(shownValues(values, roles))}`)

/** Prints a call for whoever may make it: a proposal, a multisignature, another machine. */
async function printCall(chain: Chain, call: ChainCall, why: string, { json }: ReadOptions, print: Print): Promise<void> {
  const shown = shownValues(namedValues(call), await chain.roleNames())
  const encoded = { target: SYSTEM_ADDRESS, value: '0', data: encodeCall(call) }
  if (json) return print(JSON.stringify({ ...encoded, function: call.name, arguments: shown, why }, null, 2))
  const given = Object.keys(shown).length === 0 ? '' : `: ${lineOf(shown)}`
  print([why, `Call    ${call.name}${given}`, `Target  ${encoded.target}`, `Data    ${encoded.data}`].join('\n'))
}

interface Receipt {
  readonly status?: unknown
  readonly transactionHash: Hex
  readonly blockNumber?: unknown
  readonly gasUsed?: unknown
  readonly logs?: unknown
  readonly revertReason?: unknown
}

async function send(chain: Chain, call: ChainCall, key: AccountKey, gasUsed: number): Promise<Receipt> {
  const unsigned = await transactionOf(chain, call, key.address, gasUsed)
  const { signature, yParity } = crypto.sign(crypto.keccak256(signingPreimage(unsigned)), key.secretKey)
  const raw = encodeTransaction(unsigned, { signature, yParity })
  const hash = bytesToHex(crypto.keccak256(raw))
  try {
    return (await chain.rpc.call('eth_sendRawTransactionSync', [bytesToHex(raw), FINAL_MS_MAX], FINAL_MS_MAX)) as Receipt
  } catch (failure) {
    if (!(failure instanceof RpcError)) throw failure
    if (failure.code === NOT_IN_TIME)
      throw new CommandError(
        `the transaction ${hash} was sent, but is in no block after ${FINAL_MS_MAX / 1_000} s: look for it later`,
      )
    throw new CommandError(`the node does not take the transaction: ${failure.message}`)
  }
}

async function transactionOf(chain: Chain, call: ChainCall, from: string, gasUsed: number): Promise<UnsignedTransaction> {
  const asked = [
    ['eth_chainId', []],
    ['eth_getTransactionCount', [from, 'pending']],
    ['eth_gasPrice', []],
  ] as const
  const [chainId, nonce, price] = (await chain.rpc.batch(asked)).map(Number) as [number, number, number]
  const gasPrice = Wei(BigInt(price))
  return {
    ...{ type: 0, chainId, nonce: nonce as Nonce, gasLimit: gasLimitOf(gasUsed) as Gas },
    ...{ maxPriorityFeePerGas: gasPrice, maxFeePerGas: gasPrice, to: SYSTEM_ADDRESS as Address, value: Wei(0n) },
    ...{ data: hexToBytes(encodeCall(call)), accessList: [] },
  }
}

async function printReceipt(chain: Chain, receipt: Receipt, { json }: ReadOptions, print: Print): Promise<void> {
  const { transactionHash, status } = receipt
  const [blockNumber, gasUsed] = [Number(receipt.blockNumber), Number(receipt.gasUsed)]
  if (status !== '0x1') {
    // It was tried before, so the chain has changed in between.
    const why = await reasonOf(chain, { data: receipt.revertReason })
    throw new CommandError(`transaction ${transactionHash} in block ${blockNumber} failed: ${why}`)
  }
  const roles = await chain.roleNames()
  const events = eventsIn(receipt.logs)
  if (json) return print(JSON.stringify({ transactionHash, blockNumber, gasUsed, events: shownEvents(events, roles) }, null, 2))
  print([`Transaction ${transactionHash} in block ${blockNumber}, ${gasUsed} gas`, ...eventLines(events, roles)].join('\n'))
}
