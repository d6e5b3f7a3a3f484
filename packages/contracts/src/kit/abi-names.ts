interface JsonParameter {
  readonly type: string
  readonly components?: readonly JsonParameter[]
}
interface JsonItem {
  readonly type: string
  readonly name?: string
  readonly inputs?: readonly JsonParameter[]
  readonly outputs?: readonly JsonParameter[]
  readonly stateMutability?: string
}

/**
 * The keys of an ABI's events and errors: the name, or the signature if the ABI has several with that name. This runs at deployment and costs gas, so
 * it reads as little as possible: only the first letter of function lines, and only the first words of other lines unless a name occurs twice.
 */
export function namesOf(abi: readonly unknown[]): { readonly event: readonly string[]; readonly error: readonly string[] } {
  const items = { event: new Map<string, unknown[]>(), error: new Map<string, unknown[]>() }
  for (const item of abi) {
    if (typeof item === 'string' && item.startsWith('f')) continue
    const [kind, name] = typeof item === 'string' ? headOf(item) : [(item as JsonItem).type, (item as JsonItem).name ?? '']
    if (kind !== 'event' && kind !== 'error') continue
    const known = items[kind].get(name)
    if (known === undefined) items[kind].set(name, [item])
    else known.push(item)
  }
  return { event: keysOf(items.event), error: keysOf(items.error) }
}

const headOf = (line: string): readonly [kind: string, name: string] => {
  const head = line.slice(0, line.indexOf('(')).trim()
  const space = head.indexOf(' ')
  return [head.slice(0, space), head.slice(space).trim()]
}

const keysOf = (items: ReadonlyMap<string, readonly unknown[]>): readonly string[] =>
  [...items].flatMap(([name, list]) => (list.length === 1 ? name : list.map((item) => `${name}(${typesOfItem(item)})`)))

const typesOfItem = (item: unknown): string =>
  typeof item === 'string'
    ? typesOf(item.slice(item.indexOf('(') + 1, item.lastIndexOf(')')))
    : (item as JsonItem).inputs!.map(jsonType).join()

const jsonType = ({ type, components }: JsonParameter): string =>
  components === undefined ? type : type.replace('tuple', `(${components.map(jsonType).join()})`)

/**
 * The types in a parameter list: `address indexed from, (uint256 a, bool b)[] list` becomes `address,(uint256,bool)[]`. A type is the first word after a
 * comma or parenthesis. After a tuple, only the brackets of an array belong to the type.
 */
function typesOf(list: string): string {
  let types = ''
  let before = '('
  for (const [word] of list.matchAll(/[(),]|[^\s(),]+/g)) {
    if (before === ')' ? /^[[,)]/.test(word) : /^[(),]$/.test(word) || (/^[(,]$/.test(before) && word !== 'tuple')) types += word
    before = word
  }
  return types
}

/** A function, in the form that `quoin.call` needs. */
export interface CallSignature {
  /** The function's name, or its signature if the ABI has several functions with that name. */
  readonly key: string
  /** `name(inputs)(outputs)`. */
  readonly signature: string
  readonly isStatic: boolean
}

/** The functions of an ABI. */
export function callSignatures(abi: readonly unknown[]): readonly CallSignature[] {
  const structs = structsOf(abi)
  const functions = abi.flatMap((item) => {
    const [name, inputs, outputs, mutability] =
      typeof item === 'string' ? partsOfLine(item, structs) : partsOfItem(item as JsonItem)
    if (name === undefined) return []
    return [{ name, types: `(${inputs})`, outputs, isStatic: /^(?:view|pure)$/.test(mutability ?? '') }]
  })
  return functions.map(({ name, types, outputs, isStatic }) => ({
    key: functions.filter((other) => other.name === name).length > 1 ? name + types : name,
    signature: `${name}${types}(${outputs})`,
    isStatic,
  }))
}

type FunctionParts = readonly [name?: string, inputs?: string, outputs?: string, mutability?: string]

const partsOfItem = ({ type, name, inputs = [], outputs = [], stateMutability }: JsonItem): FunctionParts =>
  type === 'function' ? [name!, inputs.map(jsonType).join(), outputs.map(jsonType).join(), stateMutability!] : []

function partsOfLine(line: string, structs: ReadonlyMap<string, string>): FunctionParts {
  const match =
    /^\s*function\s+([\w$]+)\s*\((.*?)\)\s*((?:(?:external|public|view|pure|payable|nonpayable)\s*)*)(?:returns\s*\((.*)\))?\s*$/.exec(
      line,
    )
  if (match === null) return []
  const named = (list = '') => typesOf(list).replace(/[A-Za-z_$][\w$]*/g, (type) => structs.get(type) ?? type)
  return [match[1]!, named(match[2]), named(match[4]), /view|pure/.exec(match[3]!)?.[0] ?? '']
}

/** The structs of an ABI's lines, expanded to tuples of ABI types. */
function structsOf(abi: readonly unknown[]): ReadonlyMap<string, string> {
  const structs = new Map<string, string>()
  for (const line of abi) {
    const match = typeof line === 'string' ? /^\s*struct\s+([\w$]+)\s*\{(.*)\}/.exec(line) : null
    if (match !== null) structs.set(match[1]!, `(${typesOf(match[2]!.trim().replace(/;\s*$/, '').replaceAll(';', ','))})`)
  }
  // Repeat, so that nested structs are expanded in any order of declaration.
  for (let depth = 0; depth < structs.size; depth++)
    for (const [name, types] of structs)
      structs.set(
        name,
        types.replace(/[A-Za-z_$][\w$]*/g, (type) => structs.get(type) ?? type),
      )
  return structs
}
