import { Address, bytesToHex, compareBytes, type Hash, type Hex, hexToBytes, parseHex } from './bytes.ts'
import * as codec from './codec.ts'
import type { Crypto } from './crypto.ts'
import type { Allocation, Genesis, Restart, SystemContract } from './genesis.ts'
import { addressOfPublicKey, type PublicKey, publicKeyCodec } from './keys.ts'
import { LIMITS } from './limits.ts'
import type { RegisteredNode } from './node-registry.ts'
import { type ChainId, type Height, POWER_MAX, type Power, type TimeMs, U256_MAX, type Wei } from './numbers.ts'
import { type ChainParameters, DEFAULT_PARAMETERS, FEE_POLICIES, PARAMETER_RANGES, parametersProblem } from './parameters.ts'
import { err, ok, type Result } from './result.ts'
import { createValidatorSet, type Validator, type ValidatorSet } from './validator-set.ts'

export interface GenesisError {
  readonly code: 'invalid-genesis'
  /** Path of the invalid field, such as `validators[2].power`, the problem, and the allowed values. */
  readonly message: string
}

class Refusal extends Error {}

const fail = (path: string, problem: string): never => {
  throw new Refusal(`${path}: ${problem}`)
}

/**
 * Reads a genesis document. Unknown keys are refused. Absent parameters have their default value (`DEFAULT_PARAMETERS`).
 *
 * @param document the result of JSON.parse.
 * @returns the genesis, with its lists sorted, or the first error found.
 */
export function parseGenesis(crypto: Crypto, document: unknown): Result<Genesis, GenesisError> {
  try {
    return ok(readGenesis(crypto, document))
  } catch (failure) {
    if (failure instanceof Refusal) return err({ code: 'invalid-genesis', message: failure.message })
    throw failure
  }
}

function readGenesis(crypto: Crypto, document: unknown): Genesis {
  const root = object('genesis', document, [
    'chainId',
    'timeMs',
    'development',
    'simulated',
    'executionVersion',
    'parameters',
    'validators',
    'nodes',
    'alloc',
    'systemContracts',
    'restart',
  ])
  return {
    chainId: integer('chainId', root['chainId'], 1) as ChainId,
    timeMs: integer('timeMs', root['timeMs'], 0, LIMITS.timeMsMax) as TimeMs,
    development: boolean('development', root['development'] ?? false),
    ...(boolean('simulated', root['simulated'] ?? false) ? { simulated: true } : {}),
    executionVersion: hex('executionVersion', root['executionVersion'], 32) as Hash,
    parameters: readParameters(root['parameters'] ?? {}),
    validators: readValidators(crypto, 'validators', root['validators']),
    nodes: readNodes(root['nodes'] ?? []),
    alloc: readAlloc(root['alloc'] ?? {}),
    systemContracts: readSystemContracts(root['systemContracts'] ?? {}),
    restart: root['restart'] === undefined || root['restart'] === null ? undefined : readRestart(crypto, root['restart']),
  }
}

function readParameters(value: unknown): ChainParameters {
  const given = object('parameters', value, Object.keys(DEFAULT_PARAMETERS))
  const parameters: Record<string, unknown> = { ...DEFAULT_PARAMETERS }
  for (const [name, entry] of Object.entries(given)) {
    const path = `parameters.${name}`
    if (name === 'feePolicy')
      parameters[name] =
        FEE_POLICIES.find((policy) => policy === entry) ?? fail(path, `must be one of ${FEE_POLICIES.join(', ')}`)
    else if (name === 'initialBaseFee') parameters[name] = amount(path, entry)
    else {
      const [min, max] = PARAMETER_RANGES[name as keyof typeof PARAMETER_RANGES]
      parameters[name] = integer(path, entry, min, max)
    }
  }
  const checked = parameters as unknown as ChainParameters
  const problem = parametersProblem(checked)
  return problem === undefined ? checked : fail('parameters', problem)
}

function readValidators(crypto: Crypto, path: string, value: unknown): ValidatorSet {
  const entries = array(path, value, 1, LIMITS.validatorsMax)
  const validators = entries.map((entry, i) => readValidator(crypto, `${path}[${i}]`, entry))
  const seen = new Map<Address, number>()
  validators.forEach(({ address }, i) => {
    if (seen.has(address)) fail(`${path}[${i}].publicKey`, `duplicate key, already used by ${path}[${seen.get(address)}]`)
    seen.set(address, i)
  })
  return createValidatorSet(validators)
}

function readValidator(crypto: Crypto, path: string, value: unknown): Validator {
  const entry = object(path, value, ['publicKey', 'power', 'feeAddress'])
  const decoded = codec.decode(publicKeyCodec, hexToBytes(hex(`${path}.publicKey`, entry['publicKey'], 34)))
  const publicKey = decoded.ok ? decoded.value : fail(`${path}.publicKey`, decoded.error.message)
  const address =
    addressOfPublicKey(crypto, publicKey as PublicKey) ?? fail(`${path}.publicKey`, 'is not a point on the curve secp256k1')
  return {
    address,
    publicKey: publicKey as PublicKey,
    power: integer(`${path}.power`, entry['power'] ?? 1, 1, POWER_MAX) as Power,
    feeAddress: entry['feeAddress'] === undefined ? address : (hex(`${path}.feeAddress`, entry['feeAddress'], 20) as Address),
  }
}

function readNodes(value: unknown): readonly RegisteredNode[] {
  const nodes = array('nodes', value, 0, LIMITS.nodesMax).map((item, i) => {
    const path = `nodes[${i}]`
    const entry = object(path, item, ['peerId', 'addresses'])
    const addresses = array(`${path}.addresses`, entry['addresses'] ?? [], 0, LIMITS.nodeAddressesMax)
    return {
      peerId: name(`${path}.peerId`, entry['peerId'], LIMITS.peerIdCharsMax),
      addresses: addresses.map((address, j) => name(`${path}.addresses[${j}]`, address, LIMITS.nodeAddressCharsMax)),
    }
  })
  const sorted = nodes.toSorted((a, b) => (a.peerId < b.peerId ? -1 : 1))
  for (let i = 1; i < sorted.length; i++) {
    if (sorted[i]!.peerId === sorted[i - 1]!.peerId) fail('nodes', `duplicate entry ${sorted[i]!.peerId}`)
  }
  return sorted
}

function readAlloc(value: unknown): readonly Allocation[] {
  const entries = Object.entries(object('alloc', value))
  if (entries.length > LIMITS.genesisAllocMax)
    fail('alloc', `has ${entries.length} accounts, at most ${LIMITS.genesisAllocMax} are allowed`)
  return byAddress(
    'alloc',
    entries.map(([key, item]) => {
      const path = `alloc.${key}`
      return {
        address: Address(hex(path, key, 20)),
        balance: amount(`${path}.balance`, object(path, item, ['balance'])['balance']),
      }
    }),
  )
}

function readSystemContracts(value: unknown): readonly SystemContract[] {
  const entries = Object.entries(object('systemContracts', value))
  if (entries.length > LIMITS.genesisSystemContractsMax)
    fail('systemContracts', `has ${entries.length} contracts, at most ${LIMITS.genesisSystemContractsMax} are allowed`)
  return byAddress(
    'systemContracts',
    entries.map(([key, item]) => {
      const path = `systemContracts.${key}`
      const code = parseHex(text(`${path}.code`, object(path, item, ['code'])['code'], 2 * LIMITS.transactionBytesMax + 2))
      return {
        address: Address(hex(path, key, 20)),
        code: code ?? fail(`${path}.code`, 'must be 0x and an even number of hex digits'),
      }
    }),
  )
}

function readRestart(crypto: Crypto, value: unknown): Restart {
  const entry = object('restart', value, ['epoch', 'height', 'blockHash', 'validators'])
  return {
    epoch: integer('restart.epoch', entry['epoch'], 1, 0xffff_ffff),
    height: integer('restart.height', entry['height'], 0) as Height,
    blockHash: hex('restart.blockHash', entry['blockHash'], 32) as Hash,
    validators: readValidators(crypto, 'restart.validators', entry['validators']),
  }
}

/** Sorts entries and refuses duplicates. An address with checksum and the same one in lower case are duplicates. */
function byAddress<T extends { readonly address: Address }>(path: string, entries: readonly T[]): readonly T[] {
  const sorted = entries.toSorted((a, b) => compareBytes(hexToBytes(a.address), hexToBytes(b.address)))
  for (let i = 1; i < sorted.length; i++) {
    if (sorted[i]!.address === sorted[i - 1]!.address) fail(path, `duplicate entry ${sorted[i]!.address}`)
  }
  return sorted
}

function object(path: string, value: unknown, keys?: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return fail(path, 'must be an object')
  const unknown = keys === undefined ? undefined : Object.keys(value).find((key) => !keys.includes(key))
  if (unknown !== undefined) fail(`${path}.${unknown}`, `unknown key (known keys: ${keys!.join(', ')})`)
  return value as Readonly<Record<string, unknown>>
}

function array(path: string, value: unknown, min: number, max: number): readonly unknown[] {
  if (!Array.isArray(value)) return fail(path, 'must be an array')
  return value.length >= min && value.length <= max
    ? value
    : fail(path, `has ${value.length} entries, must have ${min} to ${max}`)
}

function integer(path: string, value: unknown, min: number, max = Number.MAX_SAFE_INTEGER): number {
  const fits = typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max
  return fits ? value : fail(path, `must be an integer from ${min} to ${max}`)
}

const boolean = (path: string, value: unknown): boolean =>
  typeof value === 'boolean' ? value : fail(path, 'must be true or false')

function text(path: string, value: unknown, max: number): string {
  return typeof value === 'string' && value.length <= max ? value : fail(path, `must be a string of at most ${max} characters`)
}

/** A non-empty string that `codec.ascii` can encode. */
function name(path: string, value: unknown, max: number): string {
  const fits = typeof value === 'string' && value.length <= max && /^[\x20-\x7e]+$/.test(value)
  return fits ? value : fail(path, `must be a string of 1 to ${max} printable ASCII characters`)
}

function hex(path: string, value: unknown, length: number): Hex {
  const bytes = typeof value === 'string' ? parseHex(value) : undefined
  return bytes?.length === length ? bytesToHex(bytes) : fail(path, `must be 0x and ${2 * length} hex digits`)
}

/** Wei as a decimal string, because JSON numbers lose digits above 2^53. */
function amount(path: string, value: unknown): Wei {
  if (typeof value !== 'string' || !/^\d{1,78}$/.test(value))
    return fail(path, 'must be an amount in wei, as a string of decimal digits')
  const wei = BigInt(value)
  return wei <= U256_MAX ? (wei as Wei) : fail(path, 'is above 2^256 - 1')
}

const validatorsJson = (set: ValidatorSet) =>
  set.validators.map(({ publicKey, power, feeAddress }) => ({ publicKey: bytesToHex(publicKey), power, feeAddress }))

/** Converts a genesis to an object for JSON.stringify. `parseGenesis` converts it back to an equal genesis. */
export function genesisToJson(genesis: Genesis): Readonly<Record<string, unknown>> {
  const { validators, alloc, systemContracts, restart, parameters, simulated = false, ...rest } = genesis
  return {
    ...rest,
    ...(simulated ? { simulated } : {}),
    parameters: { ...parameters, initialBaseFee: parameters.initialBaseFee.toString() },
    validators: validatorsJson(validators),
    alloc: Object.fromEntries(alloc.map(({ address, balance }) => [address, { balance: balance.toString() }])),
    systemContracts: Object.fromEntries(systemContracts.map(({ address, code }) => [address, { code: bytesToHex(code) }])),
    ...(restart === undefined ? {} : { restart: { ...restart, validators: validatorsJson(restart.validators) } }),
  }
}
