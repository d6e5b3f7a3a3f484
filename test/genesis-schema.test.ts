import { readFileSync } from 'node:fs'
import { bytesToHex, genesisToJson, LIMITS, nobleCrypto, parseGenesis, publicKeyOf } from '@quoin/protocol'
import { Ajv } from 'ajv'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import * as any from '../packages/protocol/test/arbitraries.ts'

const schema = JSON.parse(readFileSync(new URL('../docs/genesis.schema.json', import.meta.url), 'utf8')) as object
const validate = new Ajv({ strict: true, allErrors: false }).compile(schema)

/** As a document is after JSON.stringify and JSON.parse. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

const key = (n: number) => bytesToHex(publicKeyOf(nobleCrypto.publicKey(new Uint8Array(32).fill(n))!))
const address = (n: number) => `0x${n.toString(16).padStart(40, '0')}`
const hash = `0x${'ab'.repeat(32)}`

/** Every key of a document, at least once. */
const whole = {
  ...{ chainId: 31_337, timeMs: 1_700_000_000_000, development: true, simulated: false, executionVersion: hash },
  parameters: { feePolicy: 'burn', initialBaseFee: '7', blockGasMax: 72_000_000, blockIntervalMs: 100, validatorsMin: 1 },
  validators: [
    { name: 'a-1', organisation: 'a', publicKey: key(1), power: 2, feeAddress: address(9), peerIds: ['p1', 'p2'] },
    { publicKey: key(2) },
  ],
  nodes: [
    { peerId: 'p1', addresses: ['/ip4/10.0.0.1/tcp/1'] },
    { peerId: 'p2', organisation: 'a', kind: 'validator' },
    { peerId: 'p3', organisation: 'a', kind: 'observer', addresses: [] },
  ],
  organisations: { a: { name: 'A, Ä', votes: 2, share: 3, grantable: ['sender', 31] }, 'validator-1': {} },
  accounts: { [address(5)]: { organisation: 'a', roles: ['admin', 16], expiry: 5 } },
  ...{ governor: address(5), participants: [address(6)] },
  policies: { sending: 'members', deploying: 'open', reading: 'open' },
  alloc: { [address(2)]: { balance: '20' } },
  systemContracts: { [address(7)]: { code: '0xef51' } },
  restart: { epoch: 1, height: 5, blockHash: hash, validators: [{ publicKey: key(3) }] },
}

/** What a schema cannot say. */
const BEYOND =
  /duplicate|not a point|curve|there is no organisation|is not a node of|is a node of|has a seat|belongs to no|must not expire|2\^256|transactionGasMax is above|is below|initialBaseFee is 0|must be a text of|genesis: |key type|must be sorted|twice/

/** A node of no validator must name its organisation. */
function lacksOrganisation(document: unknown, message: string): boolean {
  const index = /^nodes\[(\d+)\]\.organisation: /.exec(message)?.[1]
  const { nodes } = document as { readonly nodes?: readonly { readonly organisation?: unknown }[] }
  return index !== undefined && nodes?.[Number(index)]?.organisation === undefined
}

type Path = readonly (string | number)[]

function* pathsOf(value: unknown, path: Path = []): Generator<Path> {
  yield path
  if (typeof value !== 'object' || value === null) return
  for (const name of Object.keys(value)) {
    const step = Array.isArray(value) ? Number(name) : name
    yield* pathsOf((value as Readonly<Record<string, unknown>>)[name], [...path, step])
  }
}

/** A copy with another value at a path; undefined takes the member out. */
function changed(value: unknown, [step, ...rest]: Path, to: unknown): unknown {
  if (step === undefined) return to
  const inner = changed((value as Readonly<Record<string, unknown>>)[step], rest, to)
  if (Array.isArray(value)) return value.flatMap((item, i) => (i !== step ? [item] : inner === undefined ? [] : [inner]))
  const { [step]: _, ...others } = value as Readonly<Record<string, unknown>>
  return inner === undefined ? others : { ...others, [step]: inner }
}

function compare(document: unknown): void {
  const parsed = parseGenesis(nobleCrypto, document)
  const fits = validate(document)
  const shown = () =>
    `${JSON.stringify(document)?.slice(0, 3_000)}\n${parsed.ok ? '' : parsed.error.message}\n${JSON.stringify(validate.errors)}`
  if (parsed.ok) expect(fits, shown()).toBe(true)
  else if (!BEYOND.test(parsed.error.message) && !lacksOrganisation(document, parsed.error.message))
    expect(fits, shown()).toBe(false)
}

it('a whole document is accepted by both', () => {
  expect(parseGenesis(nobleCrypto, whole)).toMatchObject({ ok: true })
  validate(whole)
  expect(validate.errors).toBeNull()
})

it('what parseGenesis writes fits the schema', () => {
  fc.assert(
    fc.property(any.genesis, (genesis) => compare(plain(genesisToJson(genesis)))),
    { numRuns: 50 },
  )
})

/** Other values for a place. Null is left out: the reader takes it for an absent member, which the schema does not promise. */
const VALUES: readonly unknown[] = [
  ...[undefined, true, -1, 0, 1, 15, 16, 1.5, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER, 2 ** 53, 1_000_001, LIMITS.timeMsMax + 1],
  ...[
    '',
    'x',
    'A',
    '-a',
    'a'.repeat(32),
    'é',
    'open',
    '0x',
    '0x12',
    address(3),
    address(3).toUpperCase(),
    `${hash}00`,
    '1e3',
    '12',
  ],
  ...['x'.repeat(65), 'x'.repeat(129), '9'.repeat(79), [], [1], ['sender'], ['x', 'y', 'z', 'u', 'v'], {}, { x: 1 }, { a: {} }],
]

it('any other value at any place is accepted by both or by neither', () => {
  for (const path of pathsOf(whole)) for (const value of VALUES) compare(changed(whole, path, value))
})

it('a key that nobody knows is refused by both, at any place', () => {
  for (const path of pathsOf(whole)) {
    const there = path.reduce<unknown>((value, step) => (value as Readonly<Record<string, unknown>>)[step], whole)
    if (typeof there === 'object' && there !== null && !Array.isArray(there)) compare(changed(whole, [...path, 'Unknown'], {}))
  }
})
