import type { Spec, WordType } from '@quoin/contracts'
import { FIELDS, type FieldSpec } from './fields.ts'
import { encodeWire, type Program, type Step, type Wire } from './wire.ts'

/** Model of the collections, with arrays and maps. */
interface Model {
  at?(key: Wire): Model
  act(verb: string, args: readonly Wire[]): Wire
}

const ZERO_ADDRESS = `0x${'0'.repeat(40)}`

/** Result of a read before any write. */
function zeroOf(spec: Spec): Wire {
  if (typeof spec !== 'string' || spec.includes('[')) return undefined
  if (spec === 'string') return ''
  if (spec === 'bytes') return new Uint8Array(0)
  if (spec === 'bool') return false
  if (spec === 'address') return ZERO_ADDRESS
  return spec.startsWith('bytes') ? new Uint8Array(Number(spec.slice(5))) : 0n
}

/** Whether a value fits the type; true for types that are not integers. */
function fits(spec: Spec, value: Wire): boolean {
  if (typeof value !== 'bigint') return true
  const bits = Number((spec as string).replace(/\D+/, ''))
  return (spec as string).startsWith('u') ? BigInt.asUintN(bits, value) === value : BigInt.asIntN(bits, value) === value
}

const same = (a: Wire, b: Wire): boolean => encodeWire(a) === encodeWire(b)
const changed = (old: Wire, by: Wire): Wire => (typeof old === 'bigint' ? old + (by as bigint) : by)

/** Model of a mapping, or of a value as a mapping with one key. A replacing field has a reference to the former one. */
class Cells implements Model {
  readonly cells = new Map<string, Wire>()
  readonly #spec: Spec
  readonly #zero: Wire
  readonly #keys: number
  readonly #former: Cells | undefined

  constructor(spec: Spec, keys: number, former?: Cells) {
    this.#spec = spec
    this.#zero = zeroOf(spec)
    this.#keys = keys
    this.#former = former
  }

  act(verb: string, args: readonly Wire[]): Wire {
    const key = encodeWire(args.slice(0, this.#keys))
    const value = args[this.#keys]
    switch (verb) {
      case 'get':
        return this.get(key)
      case 'has':
        return this.cells.has(key) || this.#former?.cells.has(key) === true
      case 'set':
        this.set(key, value)
        return undefined
      case 'remove':
        this.set(key, this.#zero)
        return undefined
      default: {
        const next = changed(this.get(key), value)
        if (!fits(this.#spec, next)) return 'Error'
        this.set(key, next)
        return next
      }
    }
  }

  get(key: string): Wire {
    if (this.cells.has(key)) return this.cells.get(key)
    const former = this.#former?.cells.get(key)
    return former === undefined ? this.#zero : (former as bigint) * 100n
  }

  set(key: string, value: Wire): void {
    this.#former?.cells.delete(key)
    if (same(value, this.#zero)) this.cells.delete(key)
    else this.cells.set(key, value)
  }
}

class Nested implements Model {
  readonly #of: (key: Wire) => Model
  readonly #models = new Map<string, Model>()

  constructor(of: (key: Wire) => Model) {
    this.#of = of
  }

  at(key: Wire): Model {
    const text = encodeWire(key)
    const model = this.#models.get(text) ?? this.#of(key)
    this.#models.set(text, model)
    return model
  }

  act(): Wire {
    throw new Error('a mapping of fields has only at')
  }
}

function sliced(values: readonly Wire[], [from, to]: readonly Wire[]): Wire {
  const bound = (n: Wire, otherwise: number) => (n === undefined ? otherwise : Math.max(0, Number(n)))
  return values.slice(bound(from, 0), bound(to, values.length))
}

class ListModel implements Model {
  readonly #values: Wire[] = []

  act(verb: string, args: readonly Wire[]): Wire {
    const values = this.#values
    const index = Number(args[0])
    const isInside = index >= 0 && index < values.length
    switch (verb) {
      case 'length':
        return BigInt(values.length)
      case '*':
        return [...values]
      case 'slice':
        return sliced(values, args)
      case 'push':
        return BigInt(values.push(args[0]) - 1)
      case 'pop':
        return values.pop()
      case 'get':
        return isInside ? values[index] : 'RangeError'
      default:
        if (!isInside) return 'RangeError'
        values[index] = args[1]
        return undefined
    }
  }
}

class SetModel implements Model {
  readonly #values: Wire[] = []

  act(verb: string, args: readonly Wire[]): Wire {
    const values = this.#values
    const index = values.findIndex((value) => same(value, args[0]))
    switch (verb) {
      case 'size':
        return BigInt(values.length)
      case '*':
        return [...values]
      case 'slice':
        return sliced(values, args)
      case 'has':
        return index >= 0
      case 'at':
        return (args[0] as bigint) < 0n || (args[0] as bigint) >= values.length ? 'RangeError' : values[Number(args[0])]
      case 'add':
        if (index < 0) values.push(args[0])
        return index < 0
      default: {
        if (index < 0) return false
        const last = values.pop()!
        if (index < values.length) values[index] = last
        return true
      }
    }
  }
}

type Members = { readonly [name: string]: Wire }

/** -1, 0 or 1. */
function compareWords(type: WordType, a: Wire, b: Wire): number {
  const comparable = (word: Wire) => {
    if (type === 'address') return (word as string).toLowerCase()
    return word instanceof Uint8Array ? Buffer.from(word).toString('hex') : (word as bigint | boolean)
  }
  return comparable(a) < comparable(b) ? -1 : comparable(a) > comparable(b) ? 1 : 0
}

class TableModel implements Model {
  readonly #types: readonly WordType[]
  readonly #names: readonly string[] | undefined
  #rows: readonly (readonly [key: Wire, row: Wire])[] = []

  constructor({ key }: FieldSpec & { readonly kind: 'table' }) {
    this.#names = typeof key === 'string' ? undefined : Object.keys(key)
    this.#types = typeof key === 'string' ? [key] : Object.values(key)
  }

  act(verb: string, args: readonly Wire[]): Wire {
    const [key, row] = args
    const old = this.#rows.find(([other]) => same(other, key))?.[1]
    switch (verb) {
      case 'size':
        return BigInt(this.#rows.length)
      case 'get':
        return old
      case 'has':
        return old !== undefined
      case 'put':
        this.#put(key, row)
        return old === undefined
      case 'update':
        this.#put(key, row)
        return row
      case 'remove':
        this.#rows = this.#rows.filter(([other]) => !same(other, key))
        return old !== undefined
      case 'range':
        return this.#range(key)
      case 'keys':
        return this.#range(key).map(([found]) => found)
      case 'first':
        return this.#range(key)[0]
      default:
        return this.#range(key).at(-1)
    }
  }

  /** Iterates over a range while it changes. */
  each({ range, changes }: Step & { readonly kind: 'each' }): Wire {
    const { limit, reverse, ...rest } = (range ?? {}) as Members
    const seen: (readonly [key: Wire, row: Wire])[] = []
    for (;;) {
      if (limit !== undefined && BigInt(seen.length) >= (limit as bigint)) return seen
      const last = seen.at(-1)
      const entry = this.#range({ ...rest, reverse }).find(
        ([key]) => last === undefined || (reverse === true ? -1 : 1) * this.#compare(this.#words(key), this.#words(last[0])) > 0,
      )
      if (entry === undefined) return seen
      for (const [verb, ...args] of (changes[seen.length] ?? []) as readonly (readonly [string, ...Wire[]])[])
        this.act(verb, args)
      seen.push(entry)
    }
  }

  #put(key: Wire, row: Wire): void {
    const others = this.#rows.filter(([other]) => !same(other, key))
    this.#rows = [...others, [key, row] as const].sort(([a], [b]) => this.#compare(this.#words(a), this.#words(b)))
  }

  #words(key: Wire): readonly Wire[] {
    return this.#names === undefined
      ? [key]
      : this.#names.map((name) => (key as Members)[name]).filter((word) => word !== undefined)
  }

  /** Compares the words that both keys have. */
  #compare(a: readonly Wire[], b: readonly Wire[]): number {
    for (let i = 0; i < Math.min(a.length, b.length); i++) {
      const order = compareWords(this.#types[i]!, a[i], b[i])
      if (order !== 0) return order
    }
    return 0
  }

  #range(range: Wire): readonly (readonly [key: Wire, row: Wire])[] {
    const { from, to, prefix, reverse, limit } = (range ?? {}) as Members
    const entries = this.#rows.filter(([key]) => {
      const words = this.#words(key)
      if (from !== undefined && this.#compare(words, this.#words(from)) < 0) return false
      if (to !== undefined && this.#compare(words, this.#words(to)) >= 0) return false
      return prefix === undefined || this.#compare(words, this.#words(prefix)) === 0
    })
    if (reverse === true) entries.reverse()
    return limit === undefined ? entries : entries.slice(0, Math.max(0, Number(limit)))
  }
}

function modelOf(spec: FieldSpec, former?: Model): Model {
  switch (spec.kind) {
    case 'value':
      return new Cells(spec.of, 0, former as Cells | undefined)
    case 'mapping':
      return new Cells(spec.of, 1, former as Cells | undefined)
    case 'nested':
      return new Nested((key) => modelOf(spec.of, former?.at!(key)))
    case 'set':
      return new SetModel()
    case 'list':
      return new ListModel()
    case 'table':
      return new TableModel(spec)
    case 'replacing':
      throw new Error('it needs the former field')
  }
}

interface Entry {
  readonly contract: 0 | 1
  readonly program: Program
}

/**
 * Model of two contracts of `contract.ts` that can call each other. After a failed call, the model is rebuilt from the remaining steps.
 */
export class ModelWorld {
  #done: Entry[] = []
  #models = [freshModels(), freshModels()] as const

  /** Results of a program; undefined if the call fails. */
  run(contract: 0 | 1, program: Program, fails: boolean): Wire | undefined {
    const before = this.#done.length
    const answers = this.#steps(contract, program)
    if (!fails) return answers
    this.revert(before)
    return undefined
  }

  checkpoint(): number {
    return this.#done.length
  }

  revert(checkpoint: number): void {
    const remaining = this.#done.slice(0, checkpoint)
    this.#done = []
    this.#models = [freshModels(), freshModels()]
    for (const { contract, program } of remaining) this.#steps(contract, program)
  }

  #steps(contract: 0 | 1, program: Program): Wire {
    return program.map((step) => {
      if (step.kind !== 'call') {
        this.#done.push({ contract, program: [step] })
        return this.#step(contract, step)
      }
      const answers = this.run(contract === 0 ? 1 : 0, step.program, step.fails)
      return answers === undefined ? 'undone' : encodeWire(answers)
    })
  }

  #step(contract: 0 | 1, step: Step & { readonly kind: 'do' | 'each' }): Wire {
    const model = step.keys.reduce<Model>((field, key) => field.at!(key), this.#models[contract].get(step.field)!)
    return step.kind === 'do' ? model.act(step.verb, step.args) : (model as TableModel).each(step)
  }
}

function freshModels(): ReadonlyMap<string, Model> {
  const models = new Map<string, Model>()
  for (const [name, spec] of Object.entries<FieldSpec>(FIELDS))
    models.set(name, spec.kind === 'replacing' ? modelOf(spec.by, models.get(spec.former)) : modelOf(spec))
  return models
}
