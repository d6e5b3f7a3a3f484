import { bytesToHex, nobleCrypto, unwrap } from '@quoin/protocol'
import { TypedDataEncoder } from 'ethers'
import fc from 'fast-check'
import { hashTypedData, toHex } from 'viem'
import { describe, expect, it } from 'vitest'
import { valueOf, viemValue } from '../../../test/abi.ts'
import { findScalar } from '../abi/type.ts'
import type { AbiValue } from '../abi/value.ts'
import { TYPED_DATA_LIMITS, typedDataDigest } from './typed-data.ts'

type Types = Readonly<Record<string, readonly { readonly name: string; readonly type: string }[]>>

const scalarName = fc.constantFrom('uint256', 'uint8', 'int64', 'bool', 'address', 'bytes4', 'bytes32', 'bytes', 'string')
const suffix = fc.constantFrom('', '', '', '[]', '[2]', '[][1]')

/** Structs Z, A, B, C; each refers only to later ones. */
const typesArbitrary: fc.Arbitrary<Types> = fc
  .tuple(
    ...['Z', 'A', 'B', 'C'].map((_, i, names) =>
      fc.array(fc.tuple(fc.oneof(scalarName, scalarName, fc.constantFrom(...names.slice(i + 1), 'bool')), suffix), {
        minLength: 1,
        maxLength: 4,
      }),
    ),
  )
  .map((structs) =>
    Object.fromEntries(
      structs.map((members, i) => ['ZABC'[i]!, members.map(([base, array], j) => ({ name: `m${j}`, type: base + array }))]),
    ),
  )

/** The same values for this library and for the other two. */
interface Pair {
  readonly ours: AbiValue
  readonly theirs: unknown
}

function pairOf(types: Types, type: string): fc.Arbitrary<Pair> {
  const array = /^(.*)\[(\d*)\]$/.exec(type)
  if (array !== null) {
    const length = array[2] === '' ? { maxLength: 2 } : { minLength: Number(array[2]), maxLength: Number(array[2]) }
    return fc
      .array(pairOf(types, array[1]!), length)
      .map((pairs) => ({ ours: pairs.map(({ ours }) => ours), theirs: pairs.map(({ theirs }) => theirs) }))
  }
  const scalar = findScalar(type)
  if (scalar !== undefined) return valueOf(scalar).map((ours) => ({ ours, theirs: viemValue(scalar, ours) }))
  return fc.tuple(...types[type]!.map((member) => pairOf(types, member.type))).map((pairs) => ({
    ours: Object.fromEntries(pairs.map(({ ours }, i) => [types[type]![i]!.name, ours])),
    theirs: Object.fromEntries(pairs.map(({ theirs }, i) => [types[type]![i]!.name, theirs])),
  }))
}

/** The structs that the primary struct reaches; ethers accepts no others. */
function reachable(types: Types, name: string): Types {
  const inner = types[name]!.map(({ type }) => type.replace(/\[.*/, '')).filter((base) => types[base] !== undefined)
  return Object.assign({ [name]: types[name]! }, ...inner.map((base) => reachable(types, base)))
}

const domainArbitrary = fc.record(
  {
    name: fc.string({ unit: 'binary', maxLength: 10 }),
    version: fc.string({ maxLength: 3 }),
    chainId: fc.bigInt(0n, 2n ** 53n - 1n),
    verifyingContract: valueOf(findScalar('address')!) as fc.Arbitrary<string>,
    salt: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  },
  { requiredKeys: [] },
)

const messageOf = (type: string, message: unknown, domain: unknown = {}) => {
  const digest = typedDataDigest(nobleCrypto, type, domain, message)
  return digest.ok ? undefined : digest.error.message
}

describe('the digest of typed data', () => {
  it("is viem's and ethers'", () => {
    const cases = typesArbitrary.chain((types) =>
      fc.tuple(fc.constant(reachable(types, 'Z')), pairOf(types, 'Z'), domainArbitrary),
    )
    fc.assert(
      fc.property(cases, ([types, { ours, theirs }, domain]) => {
        const encoder = TypedDataEncoder.from(types as never)
        const digest = bytesToHex(unwrap(typedDataDigest(nobleCrypto, encoder.encodeType('Z'), domain, ours)))
        const other = { ...domain, ...(domain.salt === undefined ? {} : { salt: toHex(domain.salt) }) }
        expect(digest).toBe(TypedDataEncoder.hash(other as never, types as never, theirs as never))
        expect(digest).toBe(hashTypedData({ domain: other, types, primaryType: 'Z', message: theirs } as never))
      }),
      { numRuns: 200 },
    )
  })

  it("is that of EIP-712's own example", () => {
    const digest = typedDataDigest(
      nobleCrypto,
      'Mail(Person from,Person to,string contents)Person(string name,address wallet)',
      { name: 'Ether Mail', version: '1', chainId: 1n, verifyingContract: '0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC' },
      {
        from: { name: 'Cow', wallet: '0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826' },
        to: { name: 'Bob', wallet: '0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB' },
        contents: 'Hello, Bob!',
      },
    )
    expect(bytesToHex(unwrap(digest))).toBe('0xbe609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2')
  })
})

describe('typed data is refused', () => {
  const structs = (count: number) =>
    Array.from({ length: count }, (_, i) => `S${String.fromCharCode(97 + i)}(bool a)`)
      .join('')
      .replace(
        '(bool a)',
        `(${Array.from({ length: count - 1 }, (_, i) => `S${String.fromCharCode(98 + i)} m${i}`).join(',') || 'bool a'})`,
      )

  it.each([
    ['', 'type: no struct begins at character 0'],
    ['S', 'type: no struct begins at character 0'],
    ['S(bool a', 'type: no struct begins at character 0'],
    ['S(bool a) ', 'type: no struct begins at character 9'],
    ['S(bool)', 'type: not a member: bool'],
    ['S(bool  a)', 'type: not a member: bool  a'],
    ['S(bool a,)', 'type: not a member: '],
    ['S(bool[0] a)', 'type: not a member: bool[0] a'],
    ['S(bool __proto__)', 'type: not a member: bool __proto__'],
    ['S(bool a,bool a)', 'type: two members of a struct have the same name'],
    ['S(uint a)', 'type: uint is not defined'],
    ['S(T a)', 'type: T is not defined'],
    ['S(bool a)T(bool a)', 'type: T is not used'],
    ['S(S a)', 'type: S contains itself'],
    ['S(S[] a)', 'type: S contains itself'],
    ['S(T a)T(U a)U(T[] a)', 'type: T contains itself'],
    ['S(U a,T b)U(bool a)T(bool a)', 'type: T must come before U: structs are sorted by name'],
    ['S(T a)T(bool a)T(bool a)', 'type: T must come before T: structs are sorted by name'],
    ['S(T a)S(bool a)T(bool a)', 'type: S is defined twice'],
    [structs(TYPED_DATA_LIMITS.structsMax + 1), 'type: more than 16 structs'],
    [`S(bool${'[]'.repeat(16)} a)`, 'type: types nest more than 16 levels'],
    [`S(${Array.from({ length: 65 }, (_, i) => `bool m${i}`).join()})`, 'type: a struct has more than 64 members'],
    [`S(bool ${'a'.repeat(TYPED_DATA_LIMITS.typeCharsMax)})`, 'type: more than 4096 characters'],
  ])('%.40s', (type, message) => {
    expect(messageOf(type, {})).toBe(message)
  })

  it('by the member at fault', () => {
    const type = 'S(T[2] list,string note)T(uint8 amount)'
    const list = [{ amount: 1n }, { amount: 2n }]
    expect(messageOf(type, { list, note: '' })).toBeUndefined()
    expect(
      messageOf(structs(16), Object.fromEntries(Array.from({ length: 15 }, (_, i) => [`m${i}`, { a: true }]))),
    ).toBeUndefined()
    expect(messageOf(type, { list, note: 1n })).toBe('message.note: a string is expected')
    expect(messageOf(type, { list })).toBe('message: member note is missing')
    expect(messageOf(type, { list: [list[0]], note: '' })).toBe('message.list: 1 items, expected 2')
    expect(messageOf(type, { list: [list[0], { amount: 256n }], note: '' })).toBe(
      'message.list[1].amount: the integer is out of range for uint8',
    )
    expect(messageOf(type, { list, note: '' }, { chainId: 1 })).toBe('domain.chainId: a bigint is expected')
    expect(messageOf(type, { list, note: '' }, { chain: 1n })).toBe('domain: unknown member chain')
    expect(messageOf(type, { list, note: '' }, undefined)).toBeUndefined()
    expect(messageOf(type, { list, note: '' }, null)).toBe('domain: an object is expected')
    expect(messageOf('S(bool[][] a)', { a: Array(20_000).fill([]) })).toBe('message.a: more than 16384 values')
  })
})
