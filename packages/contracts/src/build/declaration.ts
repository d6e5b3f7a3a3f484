import { compileAbi, RECEIVE_SELECTOR } from '@quoin/execution/contract'
import { type Abi, Address, type Crypto, err, ok, parseAbi, type Result, type UpgradeAuthority } from '@quoin/protocol'
import { parseAbi as parseLines } from 'abitype'
import type { LayoutField } from '../kit/description.ts'
import { BUILD_LIMITS } from './limits.ts'

/** A contract's declaration after all checks. */
export interface Declaration {
  readonly abi: Abi
  readonly layout: readonly LayoutField[]
  readonly upgradeAuthority: UpgradeAuthority
  /** In ascending order. */
  readonly reentrantSelectors: readonly number[]
}

/** An error in a declaration. `text` is the text to search for in the author's file. */
export interface DeclarationError {
  readonly message: string
  readonly text: string | undefined
  /** Whether TypeScript cannot understand the ABI either, so that its errors in the contract are consequences of this one. */
  readonly hidesTypes?: boolean
}

const wrong = (message: string, text?: string): Result<never, DeclarationError> => err({ message, text })

/**
 * Reads the declaration from the result of the module's `describe`. The result is not trusted: the author's code may have replaced every built-in
 * before.
 */
export function readDeclaration(crypto: Crypto, answer: unknown): Result<Declaration, DeclarationError> {
  const [kind, description] = Array.isArray(answer) ? (answer as readonly unknown[]) : []
  if (description === undefined)
    return wrong(
      `the default export is ${String(kind) === 'object' ? 'an object that was not made by `contract` of @quoin/contracts' : `not a contract (${String(kind)})`}: write \`export default contract({ … })\``,
    )
  const { abi, layout, upgradeAuthority, reentrant } = record(description)
  const parsed = readAbi(abi)
  if (!parsed.ok) return parsed
  const compiled = compileAbi(crypto, parsed.value)
  if (!compiled.ok) return wrong(compiled.error.message)
  const fields = readLayout(layout)
  if (!fields.ok) return fields
  const authority = readAuthority(upgradeAuthority)
  if (!authority.ok) return authority
  const { functions, receive } = compiled.value
  const selectors = readReentrant(reentrant, [...functions.values(), ...(receive ? [RECEIVE] : [])])
  if (!selectors.ok) return selectors
  return ok({
    abi: parsed.value,
    layout: fields.value,
    upgradeAuthority: authority.value,
    reentrantSelectors: selectors.value,
  })
}

const record = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}

/** Reads human-readable lines (including structs) and JSON items, in the order of declaration. */
function readAbi(items: unknown): Result<Abi, DeclarationError> {
  if (!Array.isArray(items)) return wrong('abi is not an array')
  if (items.length > BUILD_LIMITS.abiItemsMax)
    return wrong(`abi has ${items.length} items, at most ${BUILD_LIMITS.abiItemsMax} are allowed`)
  const lines = items.filter((item): item is string => typeof item === 'string')
  const long = lines.find(({ length }) => length > BUILD_LIMITS.abiLineCharsMax)
  if (long !== undefined)
    return wrong(
      `a line of the abi has ${long.length} characters, at most ${BUILD_LIMITS.abiLineCharsMax} are allowed`,
      long.slice(0, 60),
    )
  const parsed = parseHumanReadable(lines)
  if (!parsed.ok) return parsed
  const rest = parsed.value.values()
  const declared = items.filter((item) => !isStruct(item))
  const abi = parseAbi(declared.map((item: unknown) => (typeof item === 'string' ? rest.next().value : item)))
  if (abi.ok) return abi
  const culprit: unknown = declared[Number(/^abi\[(\d+)\]/.exec(abi.error.message)?.[1])]
  return wrong(abi.error.message, typeof culprit === 'string' ? culprit : undefined)
}

const isStruct = (item: unknown): item is string => typeof item === 'string' && /^\s*struct\s/.test(item)

function parseHumanReadable(lines: readonly string[]): Result<readonly unknown[], DeclarationError> {
  const whole = attempt(lines)
  if (whole.ok) return whole
  const structs = lines.filter(isStruct)
  // A struct with an error makes every other line fail, so the structs come first: each with empty ones in place of the others that it may name.
  for (const struct of structs) {
    const alone = attempt([struct, ...structs.filter((other) => other !== struct).map(stubOf)])
    if (!alone.ok) return unparsable(struct, alone.error)
  }
  const rest = attempt(structs)
  // Structs that contain each other.
  if (!rest.ok) return unparsable(structs[0]!, rest.error)
  for (const line of lines) {
    const alone = isStruct(line) ? rest : attempt([...structs, line])
    if (!alone.ok) return unparsable(line, alone.error)
  }
  return unparsable('', whole.error)
}

const unparsable = (line: string, reason: string): Result<never, DeclarationError> =>
  err({ message: `cannot parse the abi line '${line}': ${reason}`, text: line === '' ? undefined : line, hidesTypes: true })

/** A struct of the same name that has no errors. */
const stubOf = (struct: string): string => `struct ${/^\s*struct\s+([\w$]*)/.exec(struct)![1]} { bool unused; }`

function attempt(lines: readonly string[]): Result<readonly unknown[], string> {
  // The parser needs at least one item that is not a struct.
  if (lines.every(isStruct)) {
    const rest = attempt([...lines, 'error Unused()'])
    return rest.ok ? ok([]) : rest
  }
  try {
    // oxlint-disable-next-line typescript/no-deprecated -- viem's own, and the grammar of the kit's types; ox is to follow in both at once
    return ok(parseLines(lines as never) as readonly unknown[])
  } catch (failure) {
    if (!(failure instanceof Error)) throw failure
    const { shortMessage = failure.message, metaMessages = [] } = failure as Partial<{
      shortMessage: string
      metaMessages: readonly string[]
    }>
    return err([shortMessage, ...metaMessages].join(' '))
  }
}

function readLayout(fields: unknown): Result<readonly LayoutField[], DeclarationError> {
  if (!Array.isArray(fields)) return wrong('the layout is not an array')
  if (fields.length > BUILD_LIMITS.layoutFieldsMax)
    return wrong(`the state has ${fields.length} fields, at most ${BUILD_LIMITS.layoutFieldsMax} are allowed`)
  const layout: LayoutField[] = []
  for (const field of fields) {
    const { name, type } = record(field)
    if (typeof name !== 'string' || typeof type !== 'string') return wrong('a field of the state has no name or type')
    if (name.length + type.length > BUILD_LIMITS.layoutTypeCharsMax)
      return wrong(`the type of state.${name.slice(0, 60)} is too long: ${type.length} characters`)
    layout.push({ name, type })
  }
  return ok(layout)
}

function readAuthority(text: unknown): Result<UpgradeAuthority, DeclarationError> {
  if (text === 'none' || text === 'deployer') return ok({ kind: text })
  if (typeof text !== 'string' || !/^0x[0-9a-fA-F]{40}$/.test(text))
    return wrong("upgradeAuthority must be 'none', 'deployer' or an address", 'upgradeAuthority')
  return ok({ kind: 'account', address: Address(text.toLowerCase()) })
}

interface Reentrant {
  readonly name: string
  readonly signature: string
  readonly selector: number
}

/** A container lists `receive` like a function. */
const RECEIVE: Reentrant = { name: 'receive', signature: 'receive()', selector: RECEIVE_SELECTOR }

function readReentrant(names: unknown, functions: readonly Reentrant[]): Result<readonly number[], DeclarationError> {
  if (!Array.isArray(names) || names.length > BUILD_LIMITS.reentrantMax) return wrong('reentrant is not a list', 'reentrant')
  const selectors = new Set<number>()
  for (const name of names as readonly unknown[]) {
    const meant = functions.filter((one) => one.signature === name || one.name === name)
    const [only] = meant
    if (only === undefined) return wrong(`reentrant: the abi has no function ${String(name)}`, 'reentrant')
    if (meant.length > 1)
      return wrong(
        `reentrant: ${String(name)} is ambiguous, use the signature: ${meant.map(({ signature }) => signature).join(' or ')}`,
        'reentrant',
      )
    selectors.add(only.selector)
  }
  return ok([...selectors].sort((a, b) => a - b))
}
