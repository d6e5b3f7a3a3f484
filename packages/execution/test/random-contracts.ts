import fc from 'fast-check'

/**
 * Contracts that spend gas in every way that an estimate must handle. A world has several contracts. Each calls only later ones,
 * so there is no re-entrancy, and the last one calls none.
 */

/** One statement of a function, on the number `x`. */
export type Statement =
  | { readonly kind: 'loop'; readonly turns: number }
  | { readonly kind: 'store' | 'load'; readonly key: number }
  | { readonly kind: 'text'; readonly length: number }
  /** To the contract this many places later; `gas` is its gas limit, in thousands. */
  | {
      readonly kind: 'call'
      readonly by: number
      readonly name: number
      readonly gas: number | undefined
      readonly isCaught: boolean
    }
  | { readonly kind: 'transfer'; readonly amount: number; readonly isCaught: boolean }
  | { readonly kind: 'create'; readonly gas: number | undefined; readonly isCaught: boolean }
  /** Requires some gas to be left, or adapts to what is left; in thousands. */
  | { readonly kind: 'want' | 'adapt'; readonly gas: number }
  | { readonly kind: 'while'; readonly gas: number; readonly turns: number }
  | { readonly kind: 'fail'; readonly modulus: number }

const thousands = fc.integer({ min: 20, max: 600 })
const isCaught = fc.boolean()

export const statement: fc.Arbitrary<Statement> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('loop' as const), turns: fc.integer({ min: 1, max: 60 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('store' as const, 'load' as const), key: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('text' as const), length: fc.integer({ min: 1, max: 20_000 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('call' as const),
      by: fc.integer({ min: 1, max: 2 }),
      name: fc.nat(1),
      gas: fc.option(thousands, { nil: undefined }),
      isCaught,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('transfer' as const), amount: fc.nat(3), isCaught }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('create' as const), gas: fc.option(thousands, { nil: undefined }), isCaught }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('want' as const, 'adapt' as const), gas: thousands }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('while' as const), gas: thousands, turns: fc.integer({ min: 1, max: 40 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('fail' as const), modulus: fc.integer({ min: 2, max: 9 }) }) },
)

/** Statements of the functions `f0` and `f1`. */
export const body = fc.tuple(fc.array(statement, { maxLength: 5 }), fc.array(statement, { maxLength: 5 }))
export type Body = readonly [readonly Statement[], readonly Statement[]]

export const RANDOM_CONTRACT_ABI = [
  'constructor() payable',
  'function f0(uint256 x) payable returns (uint256)',
  'function f1(uint256 x) payable returns (uint256)',
]

/**
 * @param peers addresses of the later contracts, nearest first
 * @param plain an account to send value to
 */
export function sourceOf(bodies: Body, peers: readonly string[], plain: string): string {
  const functions = bodies.map((statements, i) => {
    const lines = statements.map((one) => render(one, peers, plain))
    return `f${i}(x) {\n${lines.join('\n')}\nreturn x % 1000003n\n}`
  })
  return `export default { functions: {\n${functions.join(',\n')}\n} }`
}

/** Source of a statement. */
export function render(one: Statement, peers: readonly string[], plain: string): string {
  switch (one.kind) {
    case 'loop':
      return `for (let i = 0; i < ${one.turns}; i++) x = (x * 31n + BigInt(i)) % 1000003n`
    case 'store':
      return `quoin.store('uint256', 'k${one.key}', x)`
    case 'load':
      return `x += quoin.load('uint256', 'k${one.key}')`
    case 'text':
      return `x += BigInt('y'.repeat(${one.length}).split('').length)`
    case 'call': {
      const peer = peers[one.by - 1]
      if (peer === undefined) return ''
      return caught(one, `x += quoin.call('${peer}', 'f${one.name}(uint256)(uint256)', [x]${options(one.gas)})`)
    }
    case 'transfer':
      return caught(one, `quoin.transfer('${plain}', ${one.amount}n)`)
    case 'create': {
      const peer = peers.at(-1)
      return peer === undefined ? '' : caught(one, `quoin.create(quoin.codeAt('${peer}'), undefined${options(one.gas)})`)
    }
    case 'want':
      return `if (quoin.gasLeft < ${one.gas}000n) throw new Error('too little gas')`
    case 'adapt':
      return `if (quoin.gasLeft > ${one.gas}000n) for (let i = 0; i < 50; i++) x += 1n`
    case 'while':
      return `for (let i = 0; i < ${one.turns} && quoin.gasLeft > ${one.gas}000n; i++) x = x * 7n % 1000003n`
    case 'fail':
      return `if (x % ${one.modulus}n === 0n) throw new Error('divisible')`
  }
}

const options = (gas: number | undefined): string => (gas === undefined ? '' : `, { gas: ${gas}000n }`)
const caught = ({ isCaught: is }: { readonly isCaught: boolean }, code: string): string =>
  is ? `try { ${code} } catch (error) { x += BigInt(error.message.length) }` : code
