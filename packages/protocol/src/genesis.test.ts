import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as any from '../test/arbitraries.ts'
import { Address, bytesToHex, concatBytes, Hash, hexToBytes, numberToBytes } from './bytes.ts'
import { encode } from './codec.ts'
import { consortiumCodec, ownSeat, ungovernedConsortium } from './consortium.ts'
import { type Genesis, genesisDigest } from './genesis.ts'
import { genesisToJson } from './genesis-json.ts'
import { LIMITS } from './limits.ts'
import { nobleCrypto as crypto } from './noble.ts'
import { type ChainId, type TimeMs, Wei } from './numbers.ts'
import { DEFAULT_PARAMETERS, parametersCodec } from './parameters.ts'
import { createValidatorSet, type Validator, validatorSetCodec } from './validator-set.ts'

const address = (n: number) => Address(numberToBytes(n, 20))
const [validator] = fc.sample(any.realValidator, { numRuns: 1, seed: 7 }) as [Validator]

const genesis: Genesis = {
  chainId: 31_337 as ChainId,
  timeMs: 1_700_000_000_000 as TimeMs,
  development: true,
  executionVersion: Hash(new Uint8Array(32).fill(1)),
  parameters: DEFAULT_PARAMETERS,
  validators: createValidatorSet([validator]),
  nodes: [{ peerId: 'p', kind: 'observer', organisation: validator.id, addresses: ['a'] }],
  consortium: ungovernedConsortium([ownSeat(validator)]),
  alloc: [{ address: address(1), balance: Wei(2n) }],
  systemContracts: [{ address: address(3), code: Uint8Array.of(0xef, 0x51) }],
  restart: undefined,
}
const digest = (changes: Partial<Genesis> = {}) => genesisDigest(crypto, { ...genesis, ...changes })

describe('the digest of genesis', () => {
  it('is SHA-256 of version and fields in order', () => {
    const preimage = concatBytes(
      Uint8Array.of(2),
      numberToBytes(31_337, 8),
      numberToBytes(1_700_000_000_000, 8),
      Uint8Array.of(1),
      new Uint8Array(32).fill(1),
      encode(parametersCodec, genesis.parameters),
      encode(validatorSetCodec, genesis.validators),
      hexToBytes(`0x00000001000170${'01'}${validator.id.slice(2)}00000001000161`),
      encode(consortiumCodec, genesis.consortium),
      numberToBytes(1, 4),
      hexToBytes(address(1)),
      numberToBytes(2, 32),
      numberToBytes(1, 4),
      hexToBytes(address(3)),
      hexToBytes('0x00000002ef51'),
    )
    expect(digest()).toBe(bytesToHex(createHash('sha256').update(preimage).digest()))
  })

  it('has a bit of one byte for each kind of development, so that the newer one did not change the digest of other chains', () => {
    const all = [false, true].flatMap((development) => [false, true].map((simulated) => digest({ development, simulated })))
    expect(new Set(all).size).toBe(4)
    expect(digest({ simulated: false })).toBe(digest())
  })

  it('differs for every other document, but does not depend on the restart', () => {
    const json = (document: Genesis) => JSON.stringify(genesisToJson({ ...document, restart: undefined }))
    fc.assert(
      fc.property(
        any.genesis,
        any.genesis,
        fc.constantFrom<keyof Genesis>(...(Object.keys(genesis) as (keyof Genesis)[]), 'simulated'),
        (a, b, name) => {
          const changed: Genesis = { ...a, [name]: b[name] }
          expect(genesisDigest(crypto, changed) === genesisDigest(crypto, a)).toBe(json(changed) === json(a))
          expect(genesisDigest(crypto, { ...a, restart: b.restart })).toBe(genesisDigest(crypto, a))
        },
      ),
      { numRuns: 60 },
    )
  })

  it('throws for unsorted or duplicate entries and above the limits', () => {
    const alloc = (...numbers: readonly number[]) => numbers.map((n) => ({ address: address(n), balance: Wei(0n) }))
    const contracts = (...numbers: readonly number[]) => numbers.map((n) => ({ address: address(n), code: new Uint8Array(0) }))
    const upTo = (count: number) => Array.from({ length: count }, (_, i) => i)
    expect(() => digest({ alloc: alloc(2, 1) })).toThrow('alloc must be sorted by address, without duplicates')
    expect(() => digest({ alloc: alloc(1, 1) })).toThrow('alloc must be sorted')
    expect(() => digest({ systemContracts: contracts(2, 1) })).toThrow(
      'systemContracts must be sorted by address, without duplicates',
    )
    expect(digest({ systemContracts: contracts(...upTo(LIMITS.genesisSystemContractsMax)) })).not.toBe(digest())
    expect(() => digest({ systemContracts: contracts(...upTo(LIMITS.genesisSystemContractsMax + 1)) })).toThrow('65 items')
    expect(() => digest({ alloc: alloc(...upTo(LIMITS.genesisAllocMax + 1)) })).toThrow('100001 items')
  })
})
