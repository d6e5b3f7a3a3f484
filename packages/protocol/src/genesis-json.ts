import { Address, bytesToHex, type Hash, hexToBytes, parseHex } from './bytes.ts'
import * as codec from './codec.ts'
import { consortiumProblem, type ValidatorSeat } from './consortium.ts'
import { CONSORTIUM_KEYS, consortiumToJson, readConsortium } from './consortium-json.ts'
import type { Crypto } from './crypto.ts'
import type { Allocation, Genesis, Restart, SystemContract } from './genesis.ts'
import {
  amount,
  array,
  boolean,
  byAddress,
  fail,
  hex,
  id,
  integer,
  name,
  object,
  oneOf,
  Refusal,
  sortedTexts,
  text,
} from './json-fields.ts'
import { addressOfPublicKey, type PublicKey, publicKeyCodec } from './keys.ts'
import { LIMITS } from './limits.ts'
import { NODE_KINDS, type RegisteredNode } from './node-registry.ts'
import { type ChainId, type Height, POWER_MAX, type Power, type TimeMs } from './numbers.ts'
import { type ChainParameters, DEFAULT_PARAMETERS, FEE_POLICIES, PARAMETER_RANGES, parametersProblem } from './parameters.ts'
import { err, ok, type Result } from './result.ts'
import { nameOfId } from './short-name.ts'
import { createValidatorSet, type Validator, type ValidatorSet } from './validator-set.ts'

export interface GenesisError {
  readonly code: 'invalid-genesis'
  /** Path of the invalid field, such as `validators[2].power`, the problem, and the allowed values. */
  readonly message: string
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
    ...CONSORTIUM_KEYS,
  ])
  const validators = readValidators(crypto, 'validators', root['validators'])
  const seats = readSeats(root['validators'], validators)
  const nodes = readNodes(root['nodes'] ?? [], seats)
  const consortium = readConsortium(root, seats)
  const problem = consortiumProblem(consortium, validators.set, nodes)
  if (problem !== undefined) fail('genesis', problem)
  return {
    chainId: integer('chainId', root['chainId'], 1) as ChainId,
    timeMs: integer('timeMs', root['timeMs'], 0, LIMITS.timeMsMax) as TimeMs,
    development: boolean('development', root['development'] ?? false),
    ...(boolean('simulated', root['simulated'] ?? false) ? { simulated: true } : {}),
    executionVersion: hex('executionVersion', root['executionVersion'], 32) as Hash,
    parameters: readParameters(root['parameters'] ?? {}),
    validators: validators.set,
    nodes,
    consortium,
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

/** Validators in the order of the document, and the set that they form. */
interface ListedValidators {
  readonly listed: readonly Validator[]
  readonly set: ValidatorSet
}

function readValidators(crypto: Crypto, path: string, value: unknown): ListedValidators {
  const entries = array(path, value, 1, LIMITS.validatorsMax)
  const listed = entries.map((entry, i) => readValidator(crypto, `${path}[${i}]`, entry, i))
  const keys = new Map<Address, number>()
  const names = new Map<Hash, number>()
  listed.forEach((validator, i) => {
    const [sameKey, sameName] = [keys.get(validator.address), names.get(validator.id)]
    if (sameKey !== undefined) fail(`${path}[${i}].publicKey`, `duplicate key, already used by ${path}[${sameKey}]`)
    if (sameName !== undefined) fail(`${path}[${i}].name`, `duplicate name, already used by ${path}[${sameName}]`)
    keys.set(validator.address, i)
    names.set(validator.id, i)
  })
  return { listed, set: createValidatorSet(listed) }
}

function readValidator(crypto: Crypto, path: string, value: unknown, index: number): Validator {
  const entry = object(path, value, ['name', 'publicKey', 'power', 'feeAddress', 'organisation', 'peerIds'])
  const decoded = codec.decode(publicKeyCodec, hexToBytes(hex(`${path}.publicKey`, entry['publicKey'], 34)))
  const publicKey = decoded.ok ? decoded.value : fail(`${path}.publicKey`, decoded.error.message)
  const address =
    addressOfPublicKey(crypto, publicKey as PublicKey) ?? fail(`${path}.publicKey`, 'is not a point on the curve secp256k1')
  return {
    id: id(`${path}.name`, entry['name'] ?? `validator-${index}`),
    address,
    publicKey: publicKey as PublicKey,
    power: integer(`${path}.power`, entry['power'] ?? 1, 1, POWER_MAX) as Power,
    feeAddress: entry['feeAddress'] === undefined ? address : (hex(`${path}.feeAddress`, entry['feeAddress'], 20) as Address),
  }
}

/** Whose the validators are. A validator without an organisation is one of its own name. */
function readSeats(value: unknown, { listed }: ListedValidators): readonly ValidatorSeat[] {
  const seats = (value as readonly Readonly<Record<string, unknown>>[]).map((entry, i) => {
    const path = `validators[${i}]`
    const peerIds = array(`${path}.peerIds`, entry['peerIds'] ?? [], 0, LIMITS.validatorPeersMax)
    const own = listed[i]!.id
    return {
      id: own,
      organisation: entry['organisation'] === undefined ? own : id(`${path}.organisation`, entry['organisation']),
      peerIds: sortedTexts(
        `${path}.peerIds`,
        peerIds.map((peerId, j) => name(`${path}.peerIds[${j}]`, peerId, LIMITS.peerIdCharsMax)),
      ),
    }
  })
  return seats.sort((a, b) => (a.id < b.id ? -1 : 1))
}

/** A node without an organisation is its validator's. One that is no validator's must name its organisation. */
function readNodes(value: unknown, seats: readonly ValidatorSeat[]): readonly RegisteredNode[] {
  const seatOf = new Map(seats.flatMap((seat) => seat.peerIds.map((peerId) => [peerId, seat] as const)))
  const nodes = array('nodes', value, 0, LIMITS.nodesMax).map((item, i): RegisteredNode => {
    const path = `nodes[${i}]`
    const entry = object(path, item, ['peerId', 'addresses', 'kind', 'organisation'])
    const addresses = array(`${path}.addresses`, entry['addresses'] ?? [], 0, LIMITS.nodeAddressesMax)
    const peerId = name(`${path}.peerId`, entry['peerId'], LIMITS.peerIdCharsMax)
    const seat = seatOf.get(peerId)
    return {
      peerId,
      kind: oneOf(`${path}.kind`, entry['kind'] ?? (seat === undefined ? 'observer' : 'validator'), NODE_KINDS),
      organisation:
        entry['organisation'] === undefined && seat !== undefined
          ? seat.organisation
          : id(`${path}.organisation`, entry['organisation']),
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
    validators: readValidators(crypto, 'restart.validators', entry['validators']).set,
  }
}

const validatorsJson = (set: ValidatorSet, seats: readonly ValidatorSeat[] = []) =>
  set.validators.map((validator) => {
    const { publicKey, power, feeAddress } = validator
    const seat = seats.find((entry) => entry.id === validator.id)
    const place = seat === undefined ? {} : { organisation: nameOfId(seat.organisation), peerIds: seat.peerIds }
    return { name: nameOfId(validator.id), ...place, publicKey: bytesToHex(publicKey), power, feeAddress }
  })

/** Converts a genesis to an object for JSON.stringify. `parseGenesis` converts it back to an equal genesis. */
export function genesisToJson(genesis: Genesis): Readonly<Record<string, unknown>> {
  const { validators, nodes, consortium, alloc, systemContracts, restart, parameters, simulated = false, ...rest } = genesis
  return {
    ...rest,
    ...(simulated ? { simulated } : {}),
    parameters: { ...parameters, initialBaseFee: parameters.initialBaseFee.toString() },
    ...consortiumToJson(consortium),
    validators: validatorsJson(validators, consortium.seats),
    nodes: nodes.map((node) => ({ ...node, organisation: nameOfId(node.organisation) })),
    alloc: Object.fromEntries(alloc.map(({ address, balance }) => [address, { balance: balance.toString() }])),
    systemContracts: Object.fromEntries(systemContracts.map(({ address, code }) => [address, { code: bytesToHex(code) }])),
    ...(restart === undefined ? {} : { restart: { ...restart, validators: validatorsJson(restart.validators) } }),
  }
}
