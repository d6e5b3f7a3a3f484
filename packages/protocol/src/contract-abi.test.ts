import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as any from '../test/abi-arbitraries.ts'
import { ABI_LIMITS, type Abi, formatAbi, parseAbi, parseAbiText } from './contract-abi.ts'

const transfer = {
  type: 'function',
  name: 'transfer',
  inputs: [
    { name: 'to', type: 'address' },
    { name: 'orders', type: 'tuple[2][]', components: [{ name: '', type: 'uint256' }] },
  ],
  outputs: [{ name: '', type: 'bool' }],
  stateMutability: 'nonpayable',
} as const

const messageOf = (json: unknown) => {
  const parsed = parseAbi(json)
  return parsed.ok ? undefined : parsed.error.message
}

describe('the text of an ABI', () => {
  it('is read back to the same ABI, also from the JSON of other tools', () => {
    fc.assert(
      fc.property(any.abi, (abi) => {
        expect(parseAbiText(formatAbi(abi))).toEqual({ ok: true, value: abi })
        expect(parseAbi(JSON.parse(JSON.stringify(abi, undefined, 2)))).toEqual({ ok: true, value: abi })
      }),
    )
  })

  it("is solc's JSON without keys that calls do not need", () => {
    const solc = [
      {
        stateMutability: 'nonpayable',
        outputs: [{ internalType: 'bool', name: '', type: 'bool' }],
        inputs: [
          { internalType: 'address', name: 'to', type: 'address' },
          {
            components: [{ internalType: 'uint256', type: 'uint256' }],
            internalType: 'struct O[2][]',
            name: 'orders',
            type: 'tuple[2][]',
          },
        ],
        name: 'transfer',
        type: 'function',
      },
      { type: 'event', name: 'E', inputs: [{ name: 'a', type: 'bytes3', indexed: true }] },
      { type: 'receive', stateMutability: 'payable' },
    ]
    expect(parseAbi(solc)).toEqual({
      ok: true,
      value: [
        transfer,
        { type: 'event', name: 'E', inputs: [{ name: 'a', type: 'bytes3', indexed: true }], anonymous: false },
        solc[2],
      ],
    })
    expect(formatAbi([transfer])).toBe(
      '[{"type":"function","name":"transfer","inputs":[{"name":"to","type":"address"},{"name":"orders","type":"tuple[2][]",' +
        '"components":[{"name":"","type":"uint256"}]}],"outputs":[{"name":"","type":"bool"}],"stateMutability":"nonpayable"}]',
    )
  })

  it('is canonical: any other text of the same ABI is refused', () => {
    const text = formatAbi([transfer])
    for (const other of [
      ` ${text}`,
      `${text}\n`,
      text.replace('"type":"function",', ''),
      text.replace('"type":"function",', '"type":"function","type":"function",'),
      text.replace('[{"type":"function"', '[{"__proto__":{},"type":"function"'),
      text.replace('transfer', '\\u0074ransfer'),
      text.replace('"name":"to","type":"address"', '"type":"address","name":"to"'),
      text.replace('"outputs":[', '"outputs":[ '),
      text.replace('"name":"to"', '"internalType":"address","name":"to"'),
    ]) {
      expect(other).not.toBe(text)
      expect(parseAbiText(other)).toMatchObject({ ok: false, error: { code: 'abi' } })
    }
    expect(parseAbiText(`${text} `)).toEqual({
      ok: false,
      error: { code: 'abi', message: `abi is not in canonical form: it differs at character ${text.length}` },
    })
  })

  it('is refused with the same message on every machine if it is not JSON', () => {
    for (const text of ['', '[', '[1,]', '\u{feff}[]', '['.repeat(200_000)])
      expect(parseAbiText(text)).toEqual({ ok: false, error: { code: 'abi', message: 'abi is not JSON' } })
    expect(parseAbiText('['.repeat(100_000) + ']'.repeat(100_000))).toMatchObject({
      error: { message: 'abi[0] is not an object' },
    })
  })
})

describe('an invalid ABI is refused with the path of the fault', () => {
  const withInput = (input: unknown) => [{ ...transfer, inputs: [transfer.inputs[0], input] }]
  const nested = (levels: number): object =>
    levels === 0 ? { name: 'a', type: 'bool' } : { name: 'a', type: 'tuple', components: [nested(levels - 1)] }

  it.each([
    [{}, 'abi is not an array'],
    [[null], 'abi[0] is not an object'],
    [[[]], 'abi[0] is not an object'],
    [[transfer, { type: 'modifier' }], 'abi[1].type must be one of constructor, function, event, error, receive, fallback'],
    [[{ ...transfer, name: 'a b' }], 'abi[0].name is not an identifier of at most 128 characters'],
    [[{ ...transfer, name: 'a'.repeat(129) }], 'abi[0].name is not an identifier of at most 128 characters'],
    [[{ ...transfer, name: '' }], 'abi[0].name is not an identifier of at most 128 characters'],
    [[{ ...transfer, stateMutability: undefined }], 'abi[0].stateMutability must be one of pure, view, nonpayable, payable'],
    [[{ type: 'receive', stateMutability: 'nonpayable' }], 'abi[0].stateMutability must be one of payable'],
    [[{ type: 'constructor', stateMutability: 'view' }], 'abi[0].stateMutability must be one of nonpayable, payable'],
    [
      [{ type: 'event', name: 'E', inputs: [{ name: 'a', type: 'bool', indexed: 1 }] }],
      'abi[0].inputs[0].indexed is not a boolean',
    ],
    [[{ type: 'error', name: 'E', inputs: 1 }], 'abi[0].inputs is not an array'],
    [withInput({ name: '__proto__', type: 'bool' }), 'abi[0].inputs[1].name must not be __proto__'],
    [withInput({ name: 'a', type: 'bool', components: [] }), 'abi[0].inputs[1].components is allowed for tuples only'],
    [withInput({ name: 'a', type: 'tuple' }), 'abi[0].inputs[1].components is not an array'],
    [withInput({ name: 'a', type: 'tuple', components: [] }), 'abi[0].inputs[1].components is empty'],
    [withInput(nested(ABI_LIMITS.nestingMax + 2)), /^abi\[0\]\.inputs\[1\](\.components\[0\])+\.type nests more than 16 levels$/],
    [withInput({ name: 'a', type: `bool${'[]'.repeat(17)}` }), 'abi[0].inputs[1].type nests more than 16 levels'],
    [
      [{ ...transfer, inputs: Array.from({ length: 65 }, () => transfer.inputs[0]) }],
      'abi[0].inputs has 65 entries, at most 64 are allowed',
    ],
    [Array.from({ length: 513 }, () => transfer), 'abi has 513 entries, at most 512 are allowed'],
  ])('%#: %j', (json, message) => {
    expect(messageOf(json)).toMatch(message)
  })

  it('knows the names of types', () => {
    const isType = (type: unknown) =>
      messageOf(withInput({ name: 'a', type, ...(String(type).startsWith('tuple') ? { components: [nested(0)] } : {}) })) ===
      undefined
    for (const type of [
      'uint8',
      'int256',
      'bytes',
      'bytes1',
      'bytes32',
      'string',
      'bool',
      'address',
      'uint8[1][]',
      'tuple[3]',
      'uint256[999999999]',
    ])
      expect(isType(type), type).toBe(true)
    for (const type of [
      'uint',
      'int',
      'byte',
      'uint7',
      'uint264',
      'uint08',
      'bytes0',
      'bytes33',
      'bytes01',
      'fixed128x18',
      'function',
      'uint8[0]',
      'uint8[01]',
      'uint8[-1]',
      'uint8[',
      'uint8]',
      '[]',
      '',
      'tuples',
      'Uint8',
      'uint8 ',
      'uint256[1000000000]',
      1,
      null,
      undefined,
    ])
      expect(isType(type), String(type)).toBe(false)
    expect(messageOf(withInput(nested(ABI_LIMITS.nestingMax)))).toBeUndefined()
  })

  it('for any JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (json) => {
        const parsed = parseAbi(json)
        if (parsed.ok) expect(parseAbiText(formatAbi(parsed.value))).toEqual(parsed)
      }),
    )
  })
})

it('the type fits viem: it accepts a parsed ABI', () => {
  const abi: Abi = [transfer]
  expect(parseAbi(abi)).toEqual({ ok: true, value: abi })
})
