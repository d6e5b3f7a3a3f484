import { type Address, bytesToHex, Hash, hexToBytes, Wei } from '@quoin/protocol'
import { encodeFunctionData, encodeFunctionResult, getAddress, parseAbi } from 'viem'
import { describe, expect, it } from 'vitest'
import { giveCode } from '../../../test/contracts.ts'
import {
  errorOf,
  type FrameOptions,
  failedWith,
  frameOf,
  gasOf,
  refusalOf,
  runFunction,
  succeeded,
  valueOf,
} from '../../../test/guest.ts'
import { addressOf } from '../../../test/transactions.ts'
import { ticksOf } from '../../ticks.ts'
import { CONTRACT_GAS } from '../contract-gas.ts'
import { writeRecord } from '../record.ts'

const abi = parseAbi([
  'function balanceOf(address owner) returns (uint256)',
  'function pair(string, (uint8, bool)[]) returns (address, bytes)',
  'function poke()',
])
const CALLEE = addressOf(0xca11)
const TO = getAddress(CALLEE)
const WHO = '0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045'
const NOTHING = new Uint8Array(0)

/** A frame in whose state the callee has code. */
function withCallee(options: FrameOptions = {}) {
  const frame = frameOf(options)
  giveCode(frame.journal, CALLEE, Uint8Array.of(0xef), Hash(new Uint8Array(32).fill(1)))
  frame.journal.setAccount(CALLEE, { ...frame.journal.account(CALLEE), balance: Wei(99n) })
  return frame
}
const returning = (data: `0x${string}`) => ({ outcomes: [succeeded(hexToBytes(data))] })

describe.each([
  ['call', false],
  ['staticCall', true],
] as const)('%s', (name, isStatic) => {
  it("sends viem's calldata, and decodes outputs", () => {
    const frame = withCallee(returning(encodeFunctionResult({ abi, functionName: 'balanceOf', result: 7n })))
    expect(valueOf(`quoin.${name}(values[0], 'balanceOf(address)(uint256)', [values[1]])`, frame, TO, WHO)).toBe(7n)
    expect(frame.sent).toEqual([
      {
        to: CALLEE,
        value: 0n,
        data: hexToBytes(encodeFunctionData({ abi, functionName: 'balanceOf', args: [WHO] })),
        gas: undefined,
        isStatic,
      },
    ])
  })

  it('returns an array of several outputs, and nothing if the signature has no outputs', () => {
    const result = encodeFunctionResult({ abi, functionName: 'pair', result: [WHO, '0x0102'] })
    const frame = withCallee(returning(result))
    const call = `quoin.${name}('${CALLEE}', 'pair(string,(uint8,bool)[])(address,bytes)', ['ä', [[7n, true]]])`
    expect(valueOf(call, frame)).toEqual([WHO, Uint8Array.of(1, 2)])
    expect(bytesToHex(frame.sent[0]!.data)).toBe(encodeFunctionData({ abi, functionName: 'pair', args: ['ä', [[7, true]]] }))
    expect(valueOf(call.replace("(address,bytes)'", "'"), frame)).toBeUndefined()
    expect(valueOf(`quoin.${name}('${CALLEE}', 'poke()()', [])`, withCallee(returning('0x')))).toBeUndefined()
  })

  it("throws the callee's error, which the caller can catch", () => {
    const data = Uint8Array.of(1, 2, 3, 4)
    const frame = withCallee({ outcomes: [failedWith('InsufficientBalance(1, 2)', data)] })
    const call = `quoin.${name}('${TO}', 'poke()', [])`
    expect(errorOf(call, frame)).toMatchObject({ name: 'CallError', message: 'InsufficientBalance(1, 2)', data })
    const source = `export default { functions: { run() { try { ${call} } catch (error) { return [error.name, error.data] } } } }`
    expect(runFunction(source, frame)).toMatchObject({ kind: 'return', value: ['CallError', data] })
    expect(errorOf(call, withCallee({ outcomes: [failedWith('x'.repeat(5000), data)] })).message).toHaveLength(1024)
  })

  it('throws when the returned data does not match the signature', () => {
    const call = (signature: string, data: `0x${string}`) =>
      errorOf(`quoin.${name}('${TO}', '${signature}', [])`, withCallee(returning(data)))
    expect(call('poke()(uint256)', '0x')).toMatchObject({
      name: 'CallError',
      message: 'poke() returned data that is not (uint256): 32 bytes are needed at byte 0, the data has 0',
      data: NOTHING,
    })
    expect(call('poke()(uint8)', `0x${'ff'.repeat(32)}`).message).toContain('poke() returned data that is not (uint8): ')
    expect(call('poke()(bool)', `0x${'00'.repeat(64)}`).message).toContain('32 bytes follow the arguments')
    expect(call('poke()()', '0x00').message).toContain('poke() returned data that is not ()')
  })

  it('throws at an account without code, and sends nothing', () => {
    const frame = frameOf({ outcomes: [succeeded(NOTHING)] })
    for (const signature of ['poke()', 'poke()(uint256)'])
      expect(errorOf(`quoin.${name}('${TO}', '${signature}', [])`, frame)).toMatchObject({
        name: 'CallError',
        message: `${TO} has no code: there is no contract at this address`,
      })
    expect(frame.sent).toEqual([])
  })

  it('refuses a wrong address, signature or list of values', () => {
    const frame = withCallee()
    const refusal = (expression: string) => refusalOf(`quoin.${name}(${expression})`, frame)
    expect(refusal("'0x12', 'poke()', []")).toBe(`${name}: an address is expected`)
    expect(refusal("'0xD8dA6BF26964aF9D7eEd9e03E53415D37aA96045', 'poke()', []")).toBe(
      `${name}: the checksum of the address is wrong`,
    )
    const example = `${name}: expected a function signature such as balanceOf(address)(uint256)`
    for (const signature of ['', 'poke', '(uint256)', 'po ke()', '7up()', `${'a'.repeat(129)}()`, 'poke ()'])
      expect(refusal(`'${TO}', '${signature}', []`), signature).toBe(example)
    for (const [signature, why] of [
      ['f(uint)', 'inputs of f: uint is not the canonical name of a type'],
      ['f(uint8', 'inputs of f: '],
      ['f(uint8, uint8)', 'inputs of f: '],
      ['f(uint8)(uint)', 'outputs of f: uint is not'],
      ['f(uint8)uint8', 'outputs of f: expected types in parentheses'],
      ['f(uint8)(uint8', 'outputs of f: expected types in parentheses'],
      ['f(uint8)(uint8)(uint8)', 'outputs of f: '],
      ['f(uint8)) (', 'outputs of f: '],
      [`f(${'uint8,'.repeat(400)}`, 'the signature has more than 2048 characters'],
    ])
      expect(refusal(`'${TO}', '${signature}', []`), signature).toContain(`${name}: ${why}`)
    expect(refusal(`'${TO}', 'poke()', 1n`)).toBe(`${name}: the values must be an array`)
    expect(refusal(`'${TO}', 'poke()'`)).toBe(`${name}: the values must be an array`)
    expect(refusal(`'${TO}', 'poke()', [1n]`)).toBe(`${name}: 1 values, expected 0`)
    expect(refusal(`'${TO}', 'poke(uint8)', [256n]`)).toBe(`${name}: [0]: the integer is out of range for uint8`)
    expect(frame.sent).toEqual([])
  })
})

describe.each([
  ['callRaw', false],
  ['staticCallRaw', true],
] as const)('%s', (name, isStatic) => {
  it('passes bytes through, to accounts without code too', () => {
    const frame = frameOf(returning('0x0102'))
    expect(valueOf(`quoin.${name}('${TO}', Uint8Array.of(9))`, frame)).toEqual(Uint8Array.of(1, 2))
    expect(frame.sent).toEqual([{ to: CALLEE, value: 0n, data: Uint8Array.of(9), gas: undefined, isStatic }])
  })

  it("throws the callee's error", () => {
    const frame = frameOf({ outcomes: [failedWith('no', Uint8Array.of(5))] })
    expect(errorOf(`quoin.${name}('${TO}', Uint8Array.of(9))`, frame)).toMatchObject({
      name: 'CallError',
      message: 'no',
      data: Uint8Array.of(5),
    })
  })

  it('refuses a wrong address or data', () => {
    expect(refusalOf(`quoin.${name}('you', Uint8Array.of(9))`, frameOf())).toBe(`${name}: an address is expected`)
    expect(refusalOf(`quoin.${name}('${TO}', '0x')`, frameOf())).toBe(`${name}: argument 2 must be a Uint8Array`)
  })
})

describe('options', () => {
  const CALLS = ["call('TO', 'poke()', [], OPTIONS)", "callRaw('TO', new Uint8Array(0), OPTIONS)"]
  const STATIC_CALLS = ["staticCall('TO', 'poke()', [], OPTIONS)", "staticCallRaw('TO', new Uint8Array(0), OPTIONS)"]
  const CREATE = 'create(new Uint8Array(1), undefined, OPTIONS)'
  const expression = (call: string, options: string) => `quoin.${call.replace('TO', TO).replace('OPTIONS', options)}`
  const frame = () => withCallee({ outcomes: [succeeded(NOTHING, CALLEE)] })
  const sent = (call: string, options: string) => {
    const given = frame()
    valueOf(expression(call, options), given)
    return given.sent.map(({ value, gas }) => ({ value, gas }))
  }

  it.each([...CALLS, CREATE])('of %s are value and gas', (call) => {
    expect(sent(call, '{ value: 7n, gas: 1000n }')).toEqual([{ value: 7n, gas: ticksOf(1000) }])
    expect(sent(call, '{ value: 2n ** 256n - 1n }')).toEqual([{ value: 2n ** 256n - 1n, gas: undefined }])
    expect(sent(call, '{ gas: 2n ** 200n }')).toEqual([{ value: 0n, gas: Number.MAX_SAFE_INTEGER }])
    for (const none of ['undefined', '{}', '{ value: undefined, gas: undefined }'])
      expect(sent(call, none)).toEqual([{ value: 0n, gas: undefined }])
  })

  it.each(STATIC_CALLS)('of %s are gas', (call) => {
    expect(sent(call, '{ gas: 0n }')).toEqual([{ value: 0n, gas: 0 }])
    expect(refusalOf(expression(call, '{ value: 0n }'), frame())).toMatch(/: a static call cannot carry value$/)
  })

  it.each([...CALLS, ...STATIC_CALLS, CREATE])('of %s are nothing else', (call) => {
    const refusal = (options: string) => {
      const given = frame()
      const message = refusalOf(expression(call, options), given)
      expect(given.sent).toEqual([])
      return message
    }
    for (const odd of ['null', '1n', '"gas"', '[]', 'Uint8Array.of(1)'])
      expect(refusal(odd)).toMatch(/: the options must be an object with value and gas$/)
    expect(refusal('{ to: 1n }')).toMatch(/: unknown option to$/)
    expect(refusal('{ [`x`.repeat(999)]: 1n }').length).toBeLessThan(200)
    for (const gas of ['1', '-1n', '"1"', 'null'])
      expect(refusal(`{ gas: ${gas} }`)).toMatch(/: the option gas must be a non-negative bigint$/)
    if (!STATIC_CALLS.includes(call))
      for (const value of ['1', '-1n', '2n ** 256n', 'null'])
        expect(refusal(`{ value: ${value} }`)).toMatch(/: the option value must be a bigint from 0 to 2\^256 - 1$/)
  })
})

describe('transfer', () => {
  it('sends an amount and no data', () => {
    const frame = frameOf({ outcomes: [succeeded(NOTHING)] })
    expect(valueOf(`quoin.transfer('${TO}', 5n)`, frame)).toBeUndefined()
    expect(frame.sent).toEqual([{ to: CALLEE, value: 5n, data: NOTHING, gas: undefined, isStatic: false }])
  })

  it('throws when it fails, and refuses a wrong amount', () => {
    const frame = frameOf({ outcomes: [failedWith('insufficient balance', NOTHING)] })
    expect(errorOf(`quoin.transfer('${TO}', 5n)`, frame)).toMatchObject({
      name: 'CallError',
      message: 'insufficient balance',
      data: NOTHING,
    })
    for (const odd of ['-1n', '2n ** 256n'])
      expect(refusalOf(`quoin.transfer('${TO}', ${odd})`, frame)).toBe(
        'transfer: the amount must be a bigint from 0 to 2^256 - 1',
      )
    expect(refusalOf(`quoin.transfer('${TO}', 1)`, frame)).toContain('transfer: argument 2 must be a bigint')
    expect(refusalOf("quoin.transfer('', 1n)", frame)).toBe('transfer: an address is expected')
    expect(frame.sent).toHaveLength(1)
  })
})

describe('create', () => {
  it('sends container and arguments, and returns the address', () => {
    const frame = frameOf({ outcomes: [succeeded(NOTHING, WHO.toLowerCase() as Address)] })
    expect(valueOf("quoin.create(Uint8Array.of(1, 2), quoin.abiEncode('bool', [true]), { value: 3n })", frame)).toBe(WHO)
    expect(valueOf('quoin.create(Uint8Array.of(1, 2))', frame)).toBe(WHO)
    expect(frame.sent.map(({ data }) => bytesToHex(data))).toEqual([`0x0102${'00'.repeat(31)}01`, '0x0102'])
    expect(frame.sent[0]).toMatchObject({ to: undefined, value: 3n, isStatic: false })
  })

  it('throws when it fails, and refuses arguments that are not encoded', () => {
    const frame = frameOf({ outcomes: [failedWith('the container is broken', NOTHING)] })
    expect(errorOf('quoin.create(Uint8Array.of(1))', frame)).toMatchObject({
      name: 'CallError',
      message: 'the container is broken',
    })
    expect(refusalOf('quoin.create(Uint8Array.of(1), 7n)', frame)).toBe('create: the arguments must be a Uint8Array')
    expect(refusalOf('quoin.create(Uint8Array.of(1), [7n])', frame)).toContain('create: argument 2')
    expect(refusalOf("quoin.create('0x')", frame)).toContain('create: argument 1 must be a Uint8Array')
  })
})

describe('other accounts', () => {
  it('have balances and code', () => {
    const frame = withCallee({ access: 'read' })
    expect(valueOf(`[quoin.balanceOf('${TO}'), quoin.balanceOf('${WHO}')]`, frame)).toEqual([99n, 0n])
    expect(valueOf(`[quoin.codeAt('${TO}'), quoin.codeAt('${WHO}')]`, frame)).toEqual([Uint8Array.of(0xef), NOTHING])
    for (const name of ['balanceOf', 'codeAt'])
      expect(refusalOf(`quoin.${name}('me')`, frame)).toBe(`${name}: an address is expected`)
  })

  it('cost by the length of their code', () => {
    const frame = withCallee()
    const gas = (codeBytes: number) => {
      giveCode(frame.journal, CALLEE, new Uint8Array(codeBytes), Hash(new Uint8Array(32).fill(1)))
      const rest = {
        version: 1,
        authority: undefined,
        paused: false,
        executionVersion: Hash(new Uint8Array(32)),
        loadGas: 0,
        callers: 0,
      }
      writeRecord(frame.journal, CALLEE, { ...rest, codeBytes })
      frame.journal.beginTransaction()
      return gasOf(`quoin.codeAt('${TO}')`, frame)
    }
    // In addition, its bytes are copied to the guest.
    expect(gas(1001) - gas(1)).toBeGreaterThan(1000 * CONTRACT_GAS.account.codeByte)
  })
})
