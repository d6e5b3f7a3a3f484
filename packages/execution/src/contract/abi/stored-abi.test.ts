import { nobleCrypto, parseAbi, unwrap } from '@quoin/protocol'
import fc from 'fast-check'
import { parseAbi as parseHumanAbi } from 'viem'
import { describe, expect, it } from 'vitest'
import { abiParameters, abi as anyAbi } from '../../../../protocol/test/abi-arbitraries.ts'
import { findNamed } from '../host/named.ts'
import { type CallAbi, compileAbi } from './abi.ts'
import { loadAbi, type StoredAbi, storeAbi } from './stored-abi.ts'
import { formatParameters, parseParameters, tupleOf } from './type.ts'

/** Everything that calls can read from an ABI. */
const contentOf = ({ receive, fallback, functions, eventsByName, errorsByName }: CallAbi) => ({
  receive,
  fallback,
  functions: [...functions].map(([key, { name, signature, selector, mutability, inputs, outputs }]) => [
    key,
    { name, signature, selector, mutability, inputs, outputs },
  ]),
  events: [...eventsByName].map(([key, events]) => [
    key,
    events.map(({ name, signature, topic, parameters, data }) => ({ name, signature, topic, parameters, data })),
  ]),
  errors: [...errorsByName].map(([key, errors]) => [
    key,
    errors.map(({ name, signature, selector, inputs }) => ({ name, signature, selector, inputs })),
  ]),
})

const throughDatabase = (abi: CallAbi): CallAbi => loadAbi(JSON.parse(JSON.stringify(storeAbi(abi))) as StoredAbi)

describe('an ABI that was stored', () => {
  it('looks the same to calls as before', () => {
    fc.assert(
      fc.property(anyAbi, (items) => {
        const abi = compileAbi(nobleCrypto, items)
        if (abi.ok) expect(contentOf(throughDatabase(abi.value))).toEqual(contentOf(abi.value))
      }),
      { numRuns: 300 },
    )
  })

  it('finds one of several items of a name without reading the parameters of the others', () => {
    const abi = unwrap(
      compileAbi(
        nobleCrypto,
        unwrap(parseAbi(parseHumanAbi(['event E(address a)', 'event E(uint256 b)', 'error F()', 'error F(bool c)']))),
      ),
    )
    const [receive, fallback, functions, events, errors, creation] = storeAbi(abi)
    // A text that is not a list of parameters throws when it is read.
    const unreadable = <T extends readonly unknown[]>([name, id, , ...rest]: T) => [name, id, '(', ...rest]
    const unread = [receive, fallback, functions, events.map(unreadable), errors.map(unreadable), creation]
    const loaded = loadAbi(unread as unknown as StoredAbi)
    expect(findNamed('event', loaded.eventsByName, 'E(uint256)')).toMatchObject({ ok: true })
    expect(findNamed('error', loaded.errorsByName, 'F(bool)')).toMatchObject({ ok: true })
    expect(findNamed('error', loaded.errorsByName, 'F(')).toMatchObject({ ok: false })
    expect(() => loaded.eventsByName.get('E')![0]!.parameters).toThrow()
  })

  it('has overloads, anonymous events, structs, receive and fallback', () => {
    const lines = [
      'function f(uint256 a)',
      'function f((address who, (uint8, bool flag)[2][] pairs) all, string) payable returns (bytes32 hash, uint256)',
      'event E(address indexed from, (uint256 a, string b)[] list, uint8 indexed) anonymous',
      'event E(address from)',
      'error Bad(uint256 $x_1)',
      'error Bad()',
      'receive() external payable',
      'fallback() external payable',
    ]
    const human = parseHumanAbi(lines.map((line) => line.replace(' anonymous', ''))) as readonly object[]
    const items = human.map((item, i) => ({ ...item, ...(lines[i]?.endsWith('anonymous') && { anonymous: true }) }))
    const abi = unwrap(compileAbi(nobleCrypto, unwrap(parseAbi(items))))
    const loaded = throughDatabase(abi)
    expect(contentOf(loaded)).toEqual(contentOf(abi))
    expect([loaded.functions.size, loaded.eventsByName.get('E')?.length, loaded.errorsByName.get('Bad')?.length]).toEqual([
      2, 2, 2,
    ])
  })
})

it('parameters as text are the same again', () => {
  fc.assert(
    fc.property(abiParameters, (list) => {
      expect(parseParameters(formatParameters(tupleOf(list)))).toEqual(tupleOf(list))
    }),
  )
})
