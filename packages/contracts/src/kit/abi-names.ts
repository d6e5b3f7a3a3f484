/** Kinds of things in an ABI that code speaks of by name. */
export type NamedKind = 'function' | 'event' | 'error'

interface Named {
  readonly kind: NamedKind
  readonly name: string
  /** Types of the parameters as a signature has them, `address,(uint256,bool)[]`. */
  readonly types: string
}

const LINE = /^\s*(function|event|error)\s+([\w$]+)\s*\(/

/** Names of all events (or functions, or errors) of an ABI; signatures where it has several of one name. */
export function namesOf(abi: readonly unknown[], kind: NamedKind): readonly string[] {
  const named = abi.map(namedOf).filter((item) => item?.kind === kind) as Named[]
  return named.map(({ name, types }) => (named.filter((other) => other.name === name).length > 1 ? `${name}(${types})` : name))
}

interface JsonParameter {
  readonly type: string
  readonly components?: readonly JsonParameter[]
}
interface JsonItem {
  readonly type: string
  readonly name?: string
  readonly inputs?: readonly JsonParameter[]
}

function namedOf(item: unknown): Named | undefined {
  if (typeof item === 'string') {
    const match = LINE.exec(item)
    if (match === null) return undefined
    const from = match[0].length
    return { kind: match[1] as NamedKind, name: match[2]!, types: typesOf(item.slice(from, endOf(item, from))) }
  }
  const { type, name, inputs = [] } = item as JsonItem
  if ((type !== 'function' && type !== 'event' && type !== 'error') || name === undefined) return undefined
  return { kind: type, name, types: inputs.map(jsonType).join() }
}

const jsonType = ({ type, components }: JsonParameter): string =>
  components === undefined ? type : type.replace('tuple', `(${components.map(jsonType).join()})`)

/** Where the parenthesis that was opened before `from` is closed. */
function endOf(text: string, from: number): number {
  let depth = 1
  let at = from
  for (; at < text.length; at++) {
    if (text[at] === '(') depth++
    else if (text[at] === ')' && --depth === 0) break
  }
  return at
}

/** Types of a list of parameters, `address indexed from, (uint256 a, bool b)[] list`. */
function typesOf(list: string): string {
  const types: string[] = []
  let rest = list.trim()
  while (rest !== '') {
    const opens = /^(?:tuple)?\(/.exec(rest)
    if (opens === null) types.push(/^[^\s,]*/.exec(rest)![0])
    else {
      const from = opens[0].length
      const to = endOf(rest, from)
      types.push(`(${typesOf(rest.slice(from, to))})${/^[[\]\d]*/.exec(rest.slice(to + 1))![0]}`)
      rest = rest.slice(to)
    }
    const comma = rest.indexOf(',')
    rest = comma < 0 ? '' : rest.slice(comma + 1).trim()
  }
  return types.join()
}
