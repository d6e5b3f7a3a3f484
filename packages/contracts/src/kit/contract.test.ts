import { type Abi, bytesToHex, decodeErrorResult, toEventSelector, toFunctionSelector } from 'viem'
import { describe, expect, it } from 'vitest'
import { OTHER, type TestContract, TestContracts, USER } from '../../../execution/test/contracts.ts'
import { type KitContract, kitContract } from '../../test/kit-contract.ts'

const KIT = `import { contract, list, mapping, part, replacing, set, table, value } from '@quoin/contracts'\n`

async function started(text: string, args: readonly unknown[] = []) {
  const contracts = new TestContracts()
  const kit = await kitContract(KIT + text)
  return { contracts, kit, contract: kit.deploy(contracts, args) }
}

/** The build's error for a declaration. */
const refusal = (text: string): Promise<string> =>
  kitContract(KIT + text).then(
    () => 'nothing',
    (error: Error) => error.message,
  )

describe('contract', () => {
  it('gives every function a context of the call, and the arguments', async () => {
    const { contracts, contract } = await started(
      `export default contract({
      abi: [
        'constructor(uint256 start) payable',
        'function who(uint256 n) payable returns (address sender, uint256 value, address self, uint256 chainId, uint256 number, bool gas, uint256 n)',
        'function start() view returns (uint256)',
        'function pay(address to, uint256 amount)',
      ],
      state: { start: value('uint256') },
      constructor({ state, value }, start) { state.start.set(start + value) },
      functions: {
        who: ({ sender, value, self, chainId, block, gasLeft }, n) => [sender, value, self, chainId, block.number, gasLeft > 0n, n],
        start: ({ state }) => state.start.get(),
        pay: ({ transfer }, to, amount) => transfer(to, amount),
      },
    })`,
      [7n],
    )
    contracts.fund(USER, 100n)
    const [sender, value, self, ...rest] = contracts.call(contract, 'who', [4n], { value: 9n }) as [
      string,
      bigint,
      string,
      ...unknown[],
    ]
    expect([sender.toLowerCase(), value, self.toLowerCase()]).toEqual([USER, 9n, contract.address])
    expect(rest).toEqual([31_337n, 7n, true, 4n])
    expect(contracts.call(contract, 'start')).toBe(7n)
    contracts.call(contract, 'pay', [OTHER, 5n])
    expect(contracts.journal.account(OTHER).balance).toBe(5n)
  })

  it('emits events and fails with errors of the abi, and distinguishes those with the same name by signature', async () => {
    const lines = [
      'struct Point { uint256 x; int8[] y; }',
      'event Moved(address indexed who, Point to)',
      'event Noted(uint256 n)',
      'event Noted(string text)',
      'error Refused(Point point, address[2] who)',
      'error Empty()',
      'error Empty(bytes3 data)',
      'function move(Point point)',
      'function note(uint256 n, string text)',
      'function fail(uint8 which)',
    ]
    const { contracts, contract, kit } = await started(`export default contract({
      abi: ${JSON.stringify(lines)} as const,
      functions: {
        move: ({ emit, sender }, point) => emit.Moved(sender, point),
        note({ emit }, n, text) { emit['Noted(uint256)'](n); emit['Noted(string)'](text) },
        fail({ revert, sender }, which) {
          if (which === 0n) throw revert.Refused({ x: 1n, y: [-1n] }, [sender, sender])
          if (which === 1n) throw revert['Empty()']()
          throw revert['Empty(bytes3)'](new Uint8Array([1, 2, 3]))
        },
      },
    })`)
    const topics = (functionName: string, args: readonly unknown[]) => {
      const before = contracts.journal.checkpoint()
      contracts.call(contract, functionName, args)
      return contracts.journal.logsSince(before).map((log) => log.topics[0])
    }
    expect(topics('move', [{ x: 1n, y: [2] }])).toEqual([toEventSelector('Moved(address,(uint256,int8[]))')])
    expect(topics('note', [1n, 'one'])).toEqual([toEventSelector('Noted(uint256)'), toEventSelector('Noted(string)')])
    const errorOf = (which: number) => {
      const { data } = contracts.attempt(contract, 'fail', [which])
      const { errorName, args = [] } = decodeErrorResult({ abi: kit.abi, data: bytesToHex(data) })
      return [errorName, ...args.map((arg) => (typeof arg === 'string' ? arg.toLowerCase() : arg))]
    }
    expect(errorOf(0)).toMatchObject([
      'Refused',
      { x: 1n, y: [-1] },
      expect.arrayContaining([expect.stringMatching(new RegExp(USER, 'i'))]),
    ])
    expect(errorOf(1)).toEqual(['Empty'])
    expect(errorOf(2)).toEqual(['Empty', '0x010203'])
  })

  it('serves overloads by signature, plain transfers and unknown calls', async () => {
    const { contracts, contract } = await started(`export default contract({
      abi: [
        'function f(uint256 n) pure returns (uint256)', 'function f(string text) pure returns (uint256)', 'function f((bool a, uint8[] b)[] list) pure returns (uint256)',
        'receive() external payable', 'fallback() external payable', 'function got() view returns (string)',
      ],
      state: { got: value('string') },
      functions: {
        'f(uint256)': (_context, n) => n, 'f(string)': (_context, text) => BigInt(text.length), 'f((bool,uint8[])[])': (_context, list) => BigInt(list[0]!.b.length),
        got: ({ state }) => state.got.get(),
      },
      receive: ({ state, value }) => state.got.set('received ' + value),
      fallback({ state, value }, data) { state.got.set('fell back with ' + data.length + ' and ' + value); return data },
    })`)
    contracts.fund(USER, 100n)
    const only = (index: number): TestContract => ({
      ...contract,
      abi: [(contract.abi as Abi).filter((item) => item.type === 'function')[index]!],
    })
    expect([0, 1, 2].map((i) => contracts.call(only(i), 'f', [[7n, 'four', [{ a: true, b: [1, 2] }]][i]]))).toEqual([7n, 4n, 2n])
    expect(contracts.send(contract.address, new Uint8Array(0), { value: 3n })).toMatchObject({ ok: true })
    expect(contracts.call(contract, 'got')).toBe('received 3')
    expect(contracts.send(contract.address, new Uint8Array(5), { value: 4n })).toMatchObject({
      ok: true,
      data: new Uint8Array(5),
    })
    expect(contracts.call(contract, 'got')).toBe('fell back with 5 and 4')
  })

  it("starts each call with the module's state at deployment", async () => {
    const { contracts, contract } = await started(`let calls = 0n
    export default contract({ abi: ['function count() returns (uint256)'], functions: { count: () => ++calls } })`)
    expect([1, 2].map(() => contracts.call(contract, 'count'))).toEqual([1n, 1n])
  })

  it('enforces payable and view at run time, even if the types are cast away', async () => {
    const { contracts, contract } = await started(`export default contract({
      abi: ['function f()', 'function g() view'],
      state: { n: value('uint256') },
      functions: { f() {}, g: ({ state }) => (state as any).n.set(1n) },
    })`)
    contracts.fund(USER, 100n)
    expect(contracts.attempt(contract, 'f', [], { value: 1n }).ok).toBe(false)
    expect(contracts.failure(contract, 'g')).toMatch(/write/)
  })
})

describe('parts', () => {
  const TRACE = `
    const trail = part({ state: { trail: value('string') } })
    const note = (text) => ({ state }) => state.trail.update((trail) => trail + text)
  `

  it('give abi, state and functions; modifiers run before the function, those of parts first, in order', async () => {
    const { contracts, contract, kit } = await started(`${TRACE}
    const base = part({ uses: [trail], abi: ['function f(uint256 n) returns (string)', 'function trailOf() view returns (string)'],
      modifiers: { f: [note('1'), note('2')] },
      functions: { f: ({ state }, n) => state.trail.update((trail) => trail + 'base' + n), trailOf: ({ state }) => state.trail.get() } })
    const guard = part({ uses: [base], modifiers: { f: [note('3')] } })
    export default contract({ uses: [guard, base], modifiers: { f: [note('4')] } })`)
    expect(contracts.call(contract, 'f', [7n])).toBe('1234base7')
    expect(contracts.call(contract, 'trailOf')).toBe('1234base7')
    expect(kit.layout).toEqual(['trail value(string)'])
  })

  it('are included once, even if used several times', async () => {
    const { contracts, contract, kit } = await started(`${TRACE}
    const top = part({ uses: [trail], abi: ['function f() returns (string)', 'event E()'], state: { n: value('uint8') },
      modifiers: { f: [note('!')] }, functions: { f: ({ state }) => state.trail.get() } })
    const left = part({ uses: [top], state: { left: value('bool') } })
    const right = part({ uses: [top], state: { right: value('bool') } })
    export default contract({ uses: [left, right, top] })`)
    expect(contracts.call(contract, 'f')).toBe('!')
    expect(kit.layout).toEqual(['trail value(string)', 'n value(uint8)', 'left value(bool)', 'right value(bool)'])
    expect(kit.abi).toHaveLength(2)
  })

  it('give way to the contract, and to parts that use them', async () => {
    const text = (uses: string, own = '') => `
    const one = part({ abi: ['function f() pure returns (uint256)'], functions: { f: () => 1n } })
    const two = part({ abi: ['function f() pure returns (uint256)'], functions: { f: () => 2n } })
    const over = part({ uses: [one], functions: { f: () => 3n } })
    export default contract({ uses: [${uses}], ${own} })`
    const answer = async (uses: string, own?: string) => {
      const { contracts, contract } = await started(text(uses, own))
      return contracts.call(contract, 'f')
    }
    expect(await answer('one')).toBe(1n)
    expect(await answer('over')).toBe(3n)
    expect(await answer('over, one')).toBe(3n)
    expect(await answer('one, two', 'functions: { f: () => 4n }')).toBe(4n)
    expect(await refusal(text('one, two'))).toMatch(/two parts have a function f/)
    expect(await refusal(text('over, two'))).toMatch(/two parts have a function f/)
  })

  it('may not have two fields of one name', async () => {
    expect(
      await refusal(`const one = part({ state: { n: value('uint8') } })
      export default contract({ uses: [one], state: { n: value('uint8') } })`),
    ).toMatch(/two fields of the name n/)
  })
})

describe('the layout', () => {
  const registry = 'function upgrade(address target, bytes container, bytes data)'
  const FIELDS = `n: value('uint256'), byAddress: mapping('address', 'uint32')`
  const version = (state: string, more = '') => `${KIT}
    const former = mapping('address', 'uint32')
    export default contract({ abi: ['function get() view returns (uint256)', 'function set(uint256 n)'], upgradeAuthority: 'deployer',
      state: { ${state} }, ${more}
      functions: { get: ({ state }) => state.n?.get() ?? 0n, set({ state, sender }, n) { state.n.set(n); state.byAddress?.set(sender, n) } } } as any)`

  async function upgraded(next: string, data: `0x${string}` = '0x', first = version(FIELDS)) {
    const contracts = new TestContracts()
    const contract = (await kitContract(first)).deploy(contracts)
    contracts.call(contract, 'set', [5n])
    const code: KitContract = await kitContract(next)
    const native = new TestContracts(contracts.journal)
    const outcome = native.attempt({ address: `0x${'0'.repeat(36)}c0de` as never, abi: parse(registry) }, 'upgrade', [
      contract.address,
      bytesToHex(code.container),
      data,
    ])
    const layout = Buffer.from(contracts.journal.storage(contract.address, Buffer.from('#layout'))!).toString()
    return { contracts: native, contract: { ...contract, abi: code.abi }, reason: outcome.ok ? 'ok' : outcome.reason, layout }
  }

  it('is stored at creation and grows with an upgrade', async () => {
    const added = `${FIELDS}, flags: set('bool')`
    const { contracts, contract, reason, layout } = await upgraded(version(added))
    expect(reason).toBe('ok')
    expect(contracts.call(contract, 'get')).toBe(5n)
    expect(layout).toBe('n value(uint256)\nbyAddress mapping(address,uint32)\nflags set(bool)')
  })

  it.each([
    ['a field is missing', `n: value('uint256')`, 'byAddress mapping(address,uint32)'],
    ['a value has another type', `n: value('uint128'), byAddress: former`, 'n value(uint256)'],
    [
      'a mapping has another type',
      `n: value('uint256'), byAddress: mapping('address', 'uint256')`,
      'byAddress mapping(address,uint32)',
    ],
    [
      'a mapping has another key',
      `n: value('uint256'), byAddress: mapping('bytes20', 'uint32')`,
      'byAddress mapping(address,uint32)',
    ],
    ['a field is another collection', `n: list('uint256'), byAddress: former`, 'n value(uint256)'],
    [
      'a field has another name',
      `m: value('uint256'), n: value('uint256'), byaddress: former`,
      'byAddress mapping(address,uint32)',
    ],
  ])('keeps an upgrade from happening where %s', async (_name, state, field) => {
    const { contracts, contract, reason, layout } = await upgraded(version(state))
    expect(reason).toContain(`"${field}" is missing or changed`)
    expect(contracts.call(contract, 'get')).toBe(5n)
    expect(layout).toBe('n value(uint256)\nbyAddress mapping(address,uint32)')
  })

  it('lets a new field take the place of an old one', async () => {
    const state = `n: value('uint256'), byAddress: former, next: replacing('byAddress', former, mapping('address', 'uint256'), (old) => old * 100n)`
    const next = version(state).replace('state.n?.get() ?? 0n', `state.next.get('${'0x'.padEnd(42, 'a1')}')`)
    const { contracts, contract, reason, layout } = await upgraded(
      next.replace("'0x", "quoin.formatAddress(quoin.parseAddress('0x").replace("a1')", "a1')))"),
    )
    expect(reason).toBe('ok')
    expect(contracts.call(contract, 'get')).toBe(500n)
    expect(layout).toContain('next mapping(address,uint256) over byAddress')
  })

  it('is compared before migrate of the author runs, whose failure undoes the upgrade', async () => {
    const migrate = `migrate({ state }, data) { state.n.set(BigInt(data.length)); if (data.length > 1) throw new Error('too much') },`
    const { contracts, contract, reason } = await upgraded(version(FIELDS, migrate), '0x00')
    expect(reason).toBe('ok')
    expect(contracts.call(contract, 'get')).toBe(1n)
    const failed = await upgraded(version(`${FIELDS}, more: value('bool')`, migrate), '0x0000')
    expect(failed.reason).toContain('too much')
    expect(failed.contracts.call(failed.contract, 'get')).toBe(5n)
    expect(failed.layout).not.toContain('more')
    expect((await upgraded(version(`n: value('uint256')`, migrate))).reason).toContain('is missing or changed')
    expect((await upgraded(version(FIELDS), '0x00')).reason).toContain('no migrate that could take data')
  })
})

const parse = (line: string): Abi => [
  {
    type: 'function',
    name: line.slice(9, line.indexOf('(')),
    stateMutability: 'nonpayable',
    inputs: ['address', 'bytes', 'bytes'].map((type) => ({ type })),
    outputs: [],
  },
]

describe('the description of a declaration', () => {
  it.each([
    ['a getter in the state', `{ state: { get n() { return value('bool') } } }`, /a getter, n/],
    ['a getter of a part', `{ uses: [{ get abi() { return [] } }] }`, /a getter, abi/],
    ['a getter of the contract', `{ abi: [], get functions() { return {} } }`, /a getter, functions/],
    ['a symbol', `{ state: { [Symbol('x')]: value('bool') } }`, /symbol/],
    ['a member that there is not', `{ stat: {} }`, /no member stat/],
    ['something else than a field', `{ state: { n: 'uint256' } }`, /state.n is not a field/],
    ['a field of another maker', `{ state: { n: { type: 'a\\nb value(bool)', open() {} } } }`, /state.n is not a field/],
    ['an invalid name', `{ state: { 'a b': value('bool') } }`, /identifier/],
    ['a name for objects', `{ state: { ['__proto__']: value('bool') } }`, /identifier/],
    ['a name that is long', `{ state: { ${'a'.repeat(65)}: value('bool') } }`, /identifier/],
    ['a number as a function', `{ abi: ['function f()'], functions: { f: 1 } }`, /functions.f is not a function/],
    [
      'a number as a modifier',
      `{ abi: ['function f()'], functions: { f() {} }, modifiers: { f: [1] } }`,
      /modifiers.f is not a list/,
    ],
    ['an invalid authority', `{ upgradeAuthority: 'me' }`, /upgradeAuthority must be/],
    ['an unknown type', `{ state: { n: value('uint257') } }`, /uint257/],
    ['a struct without members', `{ state: { n: value({}) } }`, /./],
    [
      'a table without a key',
      `{ state: { n: table({ key: {}, row: { n: 'bool' } }) } }`,
      /state.n: keys cannot have the type nothing/,
    ],
    [
      'a table whose key is no word',
      `{ state: { n: table({ key: 'string', row: { n: 'bool' } }) } }`,
      /state.n: keys cannot have the type table string/,
    ],
    [
      'a mapping whose key is a list',
      `{ state: { n: mapping('bool', mapping('bool[]', 'bool')) } }`,
      /keys cannot have the type bool\[\]/,
    ],
    ['a set of an unknown type', `{ state: { n: mapping('bool', set('uint7')) } }`, /keys cannot have the type uint7|uint7/],
    [
      'too many fields',
      `{ state: Object.fromEntries(Array.from({ length: 257 }, (_, i) => ['f' + i, value('bool')])) }`,
      /257 fields/,
    ],
    [
      'too long a layout',
      `{ state: Object.fromEntries(Array.from({ length: 250 }, (_, i) => ['f' + i, value('bool' + '[1]'.repeat(25))])) }`,
      /layout|levels|deep/,
    ],
    ['too large an abi', `{ abi: Array.from({ length: 513 }, (_, i) => 'event E' + i + '()') }`, /513 items/],
    ['too many parts', `{ uses: Array.from({ length: 65 }, () => part({})) }`, /6[56] parts/],
    ['an abi of something else', `{ abi: [() => 1] }`, /neither a string nor JSON/],
  ])('refuses %s', async (_name, declaration, reason) => {
    const message = await refusal(`export default contract(${declaration} as any)`)
    expect(message).toMatch(reason)
    expect(message).not.toBe('nothing')
  })

  it('is a copy, so that later changes have no effect', async () => {
    const kit = await kitContract(`${KIT}
    const item = { type: 'function', name: 'f', inputs: [], outputs: [], stateMutability: 'pure' }
    const abi = [item]
    const made = contract({ abi, functions: { f() {} } } as any)
    item.name = 'g'
    abi.push({ ...item, name: 'h' })
    export default made`)
    expect(kit.abi).toMatchObject([{ name: 'f' }])
    expect(toFunctionSelector('f()')).toHaveLength(10)
  })
})
