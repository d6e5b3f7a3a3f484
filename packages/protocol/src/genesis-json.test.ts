import fc from 'fast-check'
import { getAddress } from 'viem'
import { describe, expect, it } from 'vitest'
import * as any from '../test/arbitraries.ts'
import { Address, bytesToHex, type Hex, numberToBytes } from './bytes.ts'
import { ownSeat, ungovernedConsortium } from './consortium.ts'
import { type Genesis, genesisDigest } from './genesis.ts'
import { genesisToJson, parseGenesis } from './genesis-json.ts'
import { publicKeyOf } from './keys.ts'
import { LIMITS } from './limits.ts'
import { nobleCrypto as crypto } from './noble.ts'
import { POWER_MAX, U256_MAX } from './numbers.ts'
import { DEFAULT_PARAMETERS, PARAMETER_RANGES } from './parameters.ts'
import { unwrap } from './result.ts'
import { idOfName } from './short-name.ts'
import type { ValidatorSet } from './validator-set.ts'

const keyHex = (n: number) => bytesToHex(publicKeyOf(crypto.publicKey(new Uint8Array(32).fill(n))!))
const address = (n: number) => Address(numberToBytes(n, 20)) as Hex
const hash = `0x${'ab'.repeat(32)}`

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

const document = {
  chainId: 31_337,
  timeMs: 1_700_000_000_000,
  development: true,
  executionVersion: hash,
  parameters: { blockIntervalMs: 100 },
  validators: [
    { name: 'bank-a-1', publicKey: keyHex(1), power: 3, feeAddress: address(9), organisation: 'bank-a', peerIds: ['peer-b'] },
    { publicKey: keyHex(2), organisation: 'bank-a' },
  ],
  nodes: [
    { peerId: 'peer-b', addresses: ['/ip4/127.0.0.1/tcp/1'] },
    { peerId: 'peer-a', organisation: 'bank-a', addresses: [] },
  ],
  alloc: { [address(2)]: { balance: '20' }, [address(1)]: { balance: '10' } },
  systemContracts: { [address(7)]: { code: '0xef51' } },
  organisations: { 'bank-a': { name: 'Bank A', votes: 2, grantable: ['sender', 31] } },
  accounts: { [address(5)]: { organisation: 'bank-a', roles: ['admin', 'voter', 16] } },
  governor: address(5),
  participants: [address(6)],
  policies: { deploying: 'members' },
  restart: { epoch: 1, height: 5, blockHash: hash, validators: [{ publicKey: keyHex(3) }] },
} as const

const refusal = (json: unknown) => {
  const parsed = parseGenesis(crypto, json)
  return parsed.ok ? undefined : parsed.error.message
}

/** The document with another value at a path such as `validators.0.power`; undefined removes the key. */
function having(path: string, value: Json | undefined, from: unknown = document): Json {
  const [key, ...rest] = path.split('/') as [string, ...string[]]
  const inner = rest.length === 0 ? value : having(rest.join('/'), value, (from as Readonly<Record<string, Json>>)[key] ?? {})
  // An earlier change may have shortened the list below this index.
  if (Array.isArray(from)) {
    const length = Math.max(from.length, Number(key) + 1)
    return Array.from({ length }, (_, i) => (i === Number(key) ? (inner ?? null) : ((from[i] ?? null) as Json)))
  }
  const entries = Object.entries({ ...(from as object), [key]: inner }).filter(([, entry]) => entry !== undefined)
  return Object.fromEntries(entries) as Json
}

const plainSet = (set: ValidatorSet | undefined) => set?.validators
const plain = ({ validators, restart, ...rest }: Genesis) => ({
  ...rest,
  validators: plainSet(validators),
  restart: restart === undefined ? undefined : { ...restart, validators: plainSet(restart.validators) },
})

describe('a genesis document', () => {
  it('is read in full, sorted', () => {
    const genesis = unwrap(parseGenesis(crypto, document))
    expect(genesis.parameters).toEqual({ ...DEFAULT_PARAMETERS, blockIntervalMs: 100 })
    expect(genesis.alloc).toEqual([
      { address: address(1), balance: 10n },
      { address: address(2), balance: 20n },
    ])
    expect(genesis.nodes.map(({ peerId, kind }) => [peerId, kind])).toEqual([
      ['peer-a', 'observer'],
      ['peer-b', 'validator'],
    ])
    const bank = idOfName('bank-a')!
    expect(genesis.consortium).toEqual({
      organisations: [{ id: bank, name: 'Bank A', votes: 2, share: 1, grantable: 4 + 2 ** 31 }],
      accounts: [{ address: address(5), organisation: bank, roles: 3 + 2 ** 16, expiry: 0 }],
      seats: [
        { id: idOfName('bank-a-1'), organisation: bank, peerIds: ['peer-b'] },
        { id: idOfName('validator-1'), organisation: bank, peerIds: [] },
      ],
      governor: address(5),
      participants: [address(6)],
      policies: { sending: 'open', deploying: 'members', reading: 'open' },
    })
    expect(genesis.validators.totalPower).toBe(4)
    expect(genesis.validators.validators.find(({ power }) => power === 3)?.feeAddress).toBe(address(9))
    const second = genesis.validators.validators.find(({ power }) => power === 1)!
    expect(second.feeAddress).toBe(second.address)
    expect(genesis.restart).toMatchObject({ epoch: 1, height: 5, blockHash: hash })
    expect(genesis.systemContracts).toEqual([{ address: address(7), code: Uint8Array.of(0xef, 0x51) }])
  })

  it('needs no more than chain, time, execution version and a validator', () => {
    const { chainId, timeMs, executionVersion } = document
    const genesis = unwrap(parseGenesis(crypto, { chainId, timeMs, executionVersion, validators: [{ publicKey: keyHex(1) }] }))
    expect(plain(genesis)).toMatchObject({
      development: false,
      parameters: DEFAULT_PARAMETERS,
      nodes: [],
      alloc: [],
      systemContracts: [],
      consortium: ungovernedConsortium(genesis.validators.validators.map((validator) => ownSeat(validator))),
      restart: undefined,
    })
    expect(refusal({ ...document, restart: null })).toBeUndefined()
  })

  it('survives its JSON, digest included', () => {
    fc.assert(
      fc.property(any.genesis, (genesis) => {
        const again = unwrap(parseGenesis(crypto, JSON.parse(JSON.stringify(genesisToJson(genesis)))))
        expect(plain(again)).toEqual(plain(genesis))
        expect(genesisDigest(crypto, again)).toBe(genesisDigest(crypto, genesis))
      }),
      { numRuns: 40 },
    )
  })

  it('has a digest that is the same for checksummed addresses and any order of keys', () => {
    const mixed = 0xabcdefabcdefn
    const entry = getAddress(address(Number(mixed)))
    const lower = unwrap(
      parseGenesis(crypto, { ...document, alloc: { [address(1)]: { balance: '1' }, [entry.toLowerCase()]: { balance: '2' } } }),
    )
    const upper = unwrap(
      parseGenesis(crypto, { ...document, alloc: { [entry]: { balance: '2' }, [address(1)]: { balance: '1' } } }),
    )
    expect(genesisDigest(crypto, upper)).toBe(genesisDigest(crypto, lower))
  })
})

const wrong: readonly (readonly [path: string, value: Json | undefined, message: string])[] = [
  ['chainId', undefined, `chainId: must be an integer from 1 to ${Number.MAX_SAFE_INTEGER}`],
  ['chainId', 0, 'chainId: must be an integer from 1'],
  ['chainId', '31337', 'chainId: must be an integer from 1'],
  ['chainId', 1.5, 'chainId: must be an integer from 1'],
  ['chainId', 2 ** 53, 'chainId: must be an integer from 1'],
  ['timeMs', -1, `timeMs: must be an integer from 0 to ${LIMITS.timeMsMax}`],
  ['timeMs', LIMITS.timeMsMax + 1, 'timeMs: must be an integer from 0'],
  ['development', 'yes', 'development: must be true or false'],
  ['simulated', 1, 'simulated: must be true or false'],
  ['executionVersion', '0xab', 'executionVersion: must be 0x and 64 hex digits'],
  ['executionVersion', undefined, 'executionVersion: must be 0x and 64 hex digits'],
  ['chainName', 'x', 'genesis.chainName: unknown key (known keys: chainId, timeMs,'],
  ['__proto__x', 'x', 'genesis.__proto__x: unknown key'],
  ['parameters', [], 'parameters: must be an object'],
  ['parameters/gasMax', 1, 'parameters.gasMax: unknown key (known keys: feePolicy, blockGasMax,'],
  ['parameters/toString', 1, 'parameters.toString: unknown key'],
  ['parameters/feePolicy', 'none', 'parameters.feePolicy: must be one of free, burn, to-proposer'],
  ['parameters/initialBaseFee', 1, 'parameters.initialBaseFee: must be an amount in wei, as a string of decimal digits'],
  ['parameters/initialBaseFee', '0', 'parameters: initialBaseFee is 0, must be at least 1 wei'],
  ['parameters/blockGasMax', 1_000_000, 'parameters: transactionGasMax is above half of blockGasMax'],
  ['parameters/heartbeatIntervalMs', 100.5, 'parameters.heartbeatIntervalMs: must be an integer from 100 to 3600000'],
  ['validators', undefined, 'validators: must be an array'],
  ['validators', [], 'validators: has 0 entries, must have 1 to 128'],
  ['validators/0', 'me', 'validators[0]: must be an object'],
  [
    'validators/1/nick',
    'me',
    'validators[1].nick: unknown key (known keys: name, publicKey, power, feeAddress, organisation, peerIds)',
  ],
  ['validators/1/name', 'Bank', 'validators[1].name: must be 1 to 31 characters a-z, 0-9 and hyphens'],
  ['validators/1/name', 'bank-a-1', 'validators[1].name: duplicate name, already used by validators[0]'],
  ['validators/1/organisation', 'bank-b', 'genesis: validator validator-1: there is no organisation bank-b'],
  ['validators/1/organisation', '-', 'validators[1].organisation: must be 1 to 31 characters'],
  ['validators/1/peerIds', ['peer-b'], 'genesis: validator validator-1: its node peer-b is a node of bank-a-1 too'],
  ['validators/1/peerIds', ['peer-c'], 'genesis: validator validator-1: its node peer-c is not a node of bank-a'],
  ['validators/1/peerIds', ['a', 'a'], 'validators[1].peerIds: duplicate entry a'],
  ['organisations', { b: {} }, 'there is no organisation bank-a'],
  ['organisations/B', {}, 'organisations.B: must be 1 to 31 characters'],
  ['organisations/b/name', '', 'organisations.b.name: must be a text of 1 to 64 bytes'],
  ['organisations/b/name', 'é'.repeat(33), 'organisations.b.name: must be a text of 1 to 64 bytes'],
  ['organisations/b/votes', -1, 'organisations.b.votes: must be an integer from 0 to 1000000'],
  ['organisations/b/share', 0, 'organisations.b.share: must be an integer from 1 to 1000000'],
  ['organisations/b/grantable', ['king'], 'organisations.b.grantable[0]: must be one of admin, voter, sender, deployer'],
  ['organisations/b/grantable', [7], 'organisations.b.grantable[0]: must be an integer from 16 to 31'],
  [`accounts/${address(5)}/organisation`, 'b', 'there is no organisation b'],
  [`accounts/${address(5)}/expiry`, 1, `accounts.${address(5)}.expiry: the entry of a voter must not expire`],
  ['governor', 'me', 'governor: must be 0x and 40 hex digits'],
  ['participants/1', address(6), `participants: duplicate entry ${address(6)}`],
  ['policies/sending', 'closed', 'policies.sending: must be one of open, members'],
  ['policies/writing', 'open', 'policies.writing: unknown key'],
  ['nodes/0/kind', 'king', 'nodes[0].kind: must be one of validator, observer'],
  ['nodes/1/organisation', 'b', 'genesis: node peer-a: there is no organisation b'],
  ['nodes/1/organisation', null, 'nodes[1].organisation: must be 1 to 31 characters'],
  ['validators/1/publicKey', '0x', 'validators[1].publicKey: must be 0x and 68 hex digits'],
  ['validators/1/publicKey', `0x02${'11'.repeat(33)}`, 'validators[1].publicKey: unknown key type 2'],
  ['validators/1/publicKey', `0x0102${'00'.repeat(31)}05`, 'validators[1].publicKey: is not a point on the curve secp256k1'],
  ['validators/1/publicKey', keyHex(1), 'validators[1].publicKey: duplicate key, already used by validators[0]'],
  ['validators/1/power', 0, `validators[1].power: must be an integer from 1 to ${POWER_MAX}`],
  ['validators/1/power', POWER_MAX + 1, 'validators[1].power: must be an integer from 1'],
  ['validators/1/feeAddress', '0x01', 'validators[1].feeAddress: must be 0x and 40 hex digits'],
  ['nodes', {}, 'nodes: must be an array'],
  ['nodes/0/peerId', 5, 'nodes[0].peerId: must be a string of 1 to 64 printable ASCII characters'],
  ['nodes/0/peerId', '', 'nodes[0].peerId: must be a string of 1 to 64'],
  ['nodes/0/peerId', 'é', 'nodes[0].peerId: must be a string of 1 to 64'],
  ['nodes/0/peerId', 'x'.repeat(65), 'nodes[0].peerId: must be a string of 1 to 64'],
  ['nodes/1/peerId', 'peer-b', 'nodes: duplicate entry peer-b'],
  ['nodes/0/port', 1, 'nodes[0].port: unknown key (known keys: peerId, addresses, kind, organisation)'],
  ['nodes/0/addresses', Array<Json>(9).fill('x'), 'nodes[0].addresses: has 9 entries, must have 0 to 8'],
  ['nodes/0/addresses/0', 'a\nb', 'nodes[0].addresses[0]: must be a string of 1 to 128 printable ASCII characters'],
  ['alloc', [], 'alloc: must be an object'],
  ['alloc/0x01', { balance: '1' }, 'alloc.0x01: must be 0x and 40 hex digits'],
  [`alloc/${address(1)}/balance`, 10, `alloc.${address(1)}.balance: must be an amount in wei, as a string of decimal digits`],
  [`alloc/${address(1)}/balance`, '0x10', `alloc.${address(1)}.balance: must be an amount`],
  [`alloc/${address(1)}/balance`, '-1', `alloc.${address(1)}.balance: must be an amount`],
  [`alloc/${address(1)}/balance`, (U256_MAX + 1n).toString(), `alloc.${address(1)}.balance: is above 2^256 - 1`],
  [`alloc/${address(1)}/nonce`, 1, `alloc.${address(1)}.nonce: unknown key (known keys: balance)`],
  ['systemContracts/0x', { code: '0x' }, 'systemContracts.0x: must be 0x and 40 hex digits'],
  [
    `systemContracts/${address(7)}/code`,
    '0xef5',
    `systemContracts.${address(7)}.code: must be 0x and an even number of hex digits`,
  ],
  [
    `systemContracts/${address(7)}/code`,
    `0x${'00'.repeat(LIMITS.transactionBytesMax + 1)}`,
    `systemContracts.${address(7)}.code: must be a string of at most`,
  ],
  ['restart', 1, 'restart: must be an object'],
  ['restart/epoch', 0, 'restart.epoch: must be an integer from 1 to 4294967295'],
  ['restart/height', -1, 'restart.height: must be an integer from 0'],
  ['restart/blockHash', '0x', 'restart.blockHash: must be 0x and 64 hex digits'],
  ['restart/validators', [], 'restart.validators: has 0 entries, must have 1 to 128'],
  ['restart/validators/0/power', -1, 'restart.validators[0].power: must be an integer'],
  ['restart/reason', 'x', 'restart.reason: unknown key'],
]

describe('an invalid field is named with the allowed values', () => {
  it.each(wrong)('%s = %j', (path, value, message) => {
    expect(refusal(having(path, value))).toContain(message)
  })

  it.each(Object.entries(PARAMETER_RANGES))('parameters.%s', (name, [min, max]) => {
    for (const value of [min - 1, max + 1, String(min), null]) {
      expect(refusal(having(`parameters/${name}`, value))).toBe(`parameters.${name}: must be an integer from ${min} to ${max}`)
    }
  })

  it.each([null, undefined, 1, 'text', [], true])('a document that is %o', (json) => {
    expect(refusal(json)).toBe('genesis: must be an object')
  })

  it('a key that JSON makes of __proto__', () => {
    expect(refusal(JSON.parse('{"__proto__": {"chainId": 1}}'))).toContain('genesis.__proto__: unknown key')
    expect(refusal({ ...document, alloc: JSON.parse('{"__proto__": {"balance": "1"}}') })).toContain(
      'alloc.__proto__: must be 0x and 40 hex digits',
    )
  })

  it('one address in two spellings', () => {
    const lower = address(0xabcdefabcdef)
    const twice = { [lower]: { balance: '1' }, [getAddress(lower)]: { balance: '1' } }
    expect(refusal({ ...document, alloc: twice })).toBe(`alloc: duplicate entry ${lower}`)
    const code = { code: '0x' }
    expect(refusal({ ...document, systemContracts: { [lower]: code, [getAddress(lower)]: code } })).toBe(
      `systemContracts: duplicate entry ${lower}`,
    )
  })

  it('more entries than allowed', () => {
    const entries = <T>(count: number, value: T) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [address(i), value]))
    expect(refusal({ ...document, systemContracts: entries(LIMITS.genesisSystemContractsMax + 1, { code: '0x' }) })).toBe(
      'systemContracts: has 65 contracts, at most 64 are allowed',
    )
    expect(refusal({ ...document, alloc: entries(LIMITS.genesisAllocMax + 1, { balance: '0' }) })).toBe(
      'alloc: has 100001 accounts, at most 100000 are allowed',
    )
    const nodes = Array.from({ length: LIMITS.nodesMax + 1 }, (_, i) => ({ peerId: `${i}` }))
    expect(refusal({ ...document, nodes })).toBe('nodes: has 513 entries, must have 0 to 512')
  })
})

describe('every document', () => {
  it('is refused with the path of the field, or has a digest', () => {
    const places = wrong.map(([path]) => path)
    const anyJson = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>,
      fc.constantFrom<Json>('0x', hash, address(1), '1', 1, 100, 5_000, null),
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(...places), anyJson), { minLength: 1, maxLength: 2 }), (changes) => {
        let json: Json = document
        for (const [path, value] of changes) json = having(path, value, isObject(json) ? json : document)
        const parsed = parseGenesis(crypto, json)
        if (parsed.ok) expect(genesisDigest(crypto, parsed.value)).toMatch(/^0x[0-9a-f]{64}$/)
        else expect(parsed.error).toMatchObject({ code: 'invalid-genesis', message: expect.stringMatching(/^.+: ./s) })
      }),
      {
        numRuns: 400,
        examples: [
          [
            [
              ['validators', []],
              ['validators/1/feeAddress', 0],
            ],
          ],
        ],
      },
    )
  })
})

const isObject = (json: Json) => typeof json === 'object' && json !== null && !Array.isArray(json)
