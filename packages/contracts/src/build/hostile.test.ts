import { describe, expect, it } from 'vitest'
import { buildFiles, built, complaints } from '../../test/build/project.ts'
import { ANSWER } from '../../test/build/sources.ts'

const ABI = "abi: ['function answer() view returns (uint256)']"

describe('a hostile module', () => {
  it.each([
    ['never ends', 'for (;;) {}', /evaluating the module takes too much gas/],
    ['recurses for ever', 'const f = (): number => f() + 1\nf()', /^contracts\/token\.ts:2:\d+: InternalError: stack overflow/],
    ['takes all memory', 'export const a = []\nfor (;;) a.push(new Uint8Array(100_000))', /memory|gas/],
    ['nests values deeply', "JSON.parse('['.repeat(200_000))", /^contracts\/token\.ts/],
    ['throws a text', "throw 'nothing to see'", /^contracts\/token\.ts:\d+:\d+: nothing to see$/],
    ['throws nothing', 'throw undefined', /^contracts\/token\.ts:\d+:\d+: /],
    ['throws an exception without a stack', "const e = new Error('bare')\ndelete e.stack\nthrow e", /: Error: bare$/],
    ['throws a trap', 'throw new Proxy({}, { get() { throw 1 } })', /^contracts\/token\.ts:\d+:\d+: /],
    [
      'forges a stack',
      "const e = new Error('forged')\ne.stack = '    at a (contract.js:99999999:1)\\n    at b (contract.js:0:0)'\nthrow e",
      /: Error: forged$/,
    ],
    ['waits for ever', 'await new Promise(() => {})', /the promise never settles: nothing is left to run that could settle it/],
  ])('%s', async (_, head, complaint) => {
    const found = complaints(await buildFiles(ANSWER('1n', head)))
    expect(found).toEqual([expect.stringMatching(complaint)])
  })

  it.each([
    ['a Proxy of a contract', 'new Proxy(contract({ abi: [], functions: {} }), {})', /was not made by/],
    ['a promise of a contract', 'Promise.resolve(contract({ abi: [], functions: {} }))', /was not made by/],
    ['a copy of a contract', '{ ...contract({ abi: [], functions: {} }) }', /was not made by/],
    [
      'an ABI whose items have getters',
      "contract({ abi: [{ type: 'event', get name() { return 'E' }, inputs: [] }], functions: {} })",
      /getter/,
    ],
    [
      'another ABI each time that it is asked for',
      "contract({ get abi() { return ['error Other()'] }, functions: {} })",
      /getter, abi/,
    ],
    ['an ABI that is not a list', 'contract({ abi: { length: 1e9 }, functions: {} } as never)', /./],
    ['ABI items that are nothing', 'contract({ abi: [undefined, 5n, Symbol.iterator, () => 1], functions: {} } as never)', /./],
    ['an ABI that holds itself', 'contract({ abi: loop, functions: {} } as never)', /./],
    [
      'a huge ABI',
      "contract({ abi: Array.from({ length: 2_000 }, (_, i) => 'error E' + i + '()'), functions: {} } as never)",
      /512|gas/,
    ],
    ['a huge line', "contract({ abi: ['error E(' + 'uint256 a,'.repeat(20_000) + ')'], functions: {} } as never)", /./],
    [
      'a line that makes regular expressions slow',
      "contract({ abi: ['function ' + 'a'.repeat(4_000) + '(' + '('.repeat(60)], functions: {} } as never)",
      /./,
    ],
    [
      'a huge layout',
      "contract({ abi: [], state: Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => ['f' + i, value('bool')])), functions: {} } as never)",
      /./,
    ],
    ['an invalid authority', "contract({ abi: [], upgradeAuthority: '0x12', functions: {} } as never)", /upgradeAuthority/],
    ['a re-entrant function that is not there', "contract({ abi: [], reentrant: ['no'], functions: {} } as never)", /no/],
  ])('exports %s', async (_, expression, complaint) => {
    const head =
      "import { contract, value } from '@quoin/contracts'\nconst loop: unknown[] = []\nloop.push(loop)\nexport const used = value"
    const found = complaints(await buildFiles(`${head}\nexport default ${expression}\n`))
    expect(found).toEqual([expect.stringMatching(complaint)])
    expect(found[0]).toMatch(/^contracts\/token\.ts:5:\d+: /)
  })

  it('may change its ABI later: the declared one counts', async () => {
    const source = `import { contract } from '@quoin/contracts'
const abi = ['function answer() view returns (uint256)']
const made = contract({ abi, functions: { answer: () => 1n } } as never)
abi[0] = 'function other() view returns (uint256)'
abi.push('error Extra()')
export default made
`
    const { abi } = built(await buildFiles(source))
    expect(abi).toEqual([expect.objectContaining({ name: 'answer' })])
  })

  it.each([
    ['JSON.stringify', 'JSON.stringify = (() => \'{"abi":[]}\') as never'],
    ['toJSON of all objects', 'Object.defineProperty(Object.prototype, "toJSON", { value: () => 5 })'],
    ['Array.prototype', 'Array.prototype.map = Array.prototype.flatMap = (() => []) as never'],
    ['Object.keys', 'Object.keys = () => []'],
    [
      'WeakMap.prototype.get',
      "WeakMap.prototype.get = () => ({ abi: ['function evil()'], layout: [], upgradeAuthority: 'none', reentrant: [] }) as never",
    ],
    ['a getter for all objects', 'Object.defineProperty(Object.prototype, "functions", { get: () => ({ evil() {} }) })'],
  ])('patches %s: is refused, or the built ABI is the deployed one', async (_, head) => {
    const source = `import { contract } from '@quoin/contracts'\n${head}\nexport default contract({ ${ABI}, functions: { answer: () => 1n } })\n`
    const result = await buildFiles(source)
    if (!result.ok) {
      expect(complaints(result)).toEqual([expect.stringMatching(/^contracts\/token\.ts:\d+:\d+: /)])
      return
    }
    expect(built(result).abi).toEqual([expect.objectContaining({ type: 'function', name: 'answer' })])
  })
})
