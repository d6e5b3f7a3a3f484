import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LogRecorder } from '../../test/chain.ts'
import { Dispatcher } from './dispatch.ts'
import { DEFAULT_RPC_LIMITS } from './limits.ts'
import type { CallContext } from './method.ts'

const dispatcher = new Dispatcher({
  ...{
    backend: {},
    logger: new LogRecorder(),
    permission: () => undefined,
    readRefusal: () => undefined,
    allowances: { take: () => 0 },
  },
  methods: { one: { run: () => 1 } },
})

/** Answers a text that is parsed at once, or scanned first. */
async function answer(text: string, isScanned = false): Promise<string | undefined> {
  const limits = isScanned ? { ...DEFAULT_RPC_LIMITS, parseAtOnceBytesMax: 0 } : DEFAULT_RPC_LIMITS
  const call = { identity: { remote: 'a', connection: 1 }, limits, isSliceOver: () => false, hold: () => {} }
  const given = await dispatcher.answer(Buffer.from(text), { ...call, nextTurn: async () => {} } as unknown as CallContext)
  return given?.pieces.join('')
}

const responseTo = (id: string): string => `{"jsonrpc":"2.0","id":${id},"result":1}`

/** Numbers as RFC 8259, section 6, has them. */
const numberText = fc
  .tuple(
    fc.constantFrom('', '-'),
    fc.bigInt({ min: 0n, max: 10n ** 30n }),
    fc.option(fc.nat(1_000).map((digits) => `.${digits}0`)),
    fc.option(fc.tuple(fc.constantFrom('e', 'E', 'e+', 'e-'), fc.nat(400)).map((parts) => parts.join(''))),
  )
  .map(([sign, whole, fraction, exponent]) => `${sign}${whole}${fraction ?? ''}${exponent ?? ''}`)

describe('a response has the id of its request', () => {
  it.each([
    '9007199254740993',
    '1795934741000000001',
    '12345678901234567890',
    '1.10',
    '1e2',
    '-0',
    '1e999',
    '0',
    '-7',
    '"7"',
    'null',
  ])('%s', async (id) => {
    expect(await answer(`{"jsonrpc":"2.0","id":${id},"method":"one"}`)).toBe(responseTo(id))
  })

  it('in the text of the request, alone and in a batch, wherever the member stands', async () => {
    const params = fc.constantFrom('[]', '[ ]').map((list) => `"params" : ${list}`)
    const members = fc.tuple(numberText, params, fc.constantFrom('"id"', '"\\u0069d"', '"i\\u0064"'), fc.boolean())
    const request = members.map(([id, given, name, isFirst]) => {
      const own = `${name} :\n${id}`
      const rest = `"method":"one",${given}`
      return { id, text: isFirst ? `{${own} ,${rest}}` : `{ ${rest}, ${own}}` }
    })
    await fc.assert(
      fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 5 }), fc.boolean(), async (requests, isScanned) => {
        const [first] = requests
        expect(await answer(first!.text, isScanned)).toBe(responseTo(first!.id))
        const batch = `[${requests.map(({ text }) => text).join(' , ')}]`
        expect(await answer(batch, isScanned)).toBe(`[${requests.map(({ id }) => responseTo(id)).join(',')}]`)
      }),
      { numRuns: 500 },
    )
  })

  it('not that of another member, of a parameter, of another request or of a text', async () => {
    const refused = (id: string) =>
      `{"jsonrpc":"2.0","id":${id},"error":{"code":-32601,"message":"the method two does not exist/is not available","data":{"reason":"method-not-found","scope":"chain"}}}`
    for (const [text, expected] of [
      ['{"params":[{"id":1.10}],"id":2,"method":"two"}', refused('2')],
      ['{"id":3,"method":"two","params":[{"id":9007199254740993}]}', refused('3')],
      ['{"id":2.0,"params":{"a":[{"id":1.10}]},"method":"two"}', refused('2.0')],
      ['{"x":"\\"id\\":1.10","id":4,"method":"two"}', refused('4')],
      ['{"x\\"id":1.10,"id":5,"method":"two"}', refused('5')],
      ['{"x":"id","y":1.10,"id":1e1,"method":"two"}', refused('1e1')],
      // JSON.parse takes the last of several members with one name.
      ['{"id":1.10,"id":2.20,"method":"two"}', refused('2.20')],
      ['{"id":1.10,"id":"a","method":"two"}', refused('"a"')],
      [
        '[{"id":1.0,"method":"two"},{"id":2,"method":"two"},["id",3.0],{"id":"id","method":"two","x":4.0}]',
        `[${refused('1.0')},${refused('2')},{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"request is not an object","data":{"reason":"invalid-request","scope":"chain"}}},${refused('"id"')}]`,
      ],
    ] as const)
      for (const isScanned of [false, true]) expect(await answer(text, isScanned), text).toBe(expected)
  })

  it('or none: a request without an id gets no answer, whatever its parameters', async () => {
    expect(await answer('{"method":"one","params":[{"id":1.10}]}')).toBeUndefined()
  })
})
