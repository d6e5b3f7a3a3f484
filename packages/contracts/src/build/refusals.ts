/**
 * What no contract has, as docs/contracts.md lists it. The bundler puts a marker in place of each free use of a global (it knows scopes, so
 * that a local variable or a member of the same name is none); markers that are left in the bundle, when what is never used is gone, are
 * refused.
 */
interface Missing {
  readonly names: readonly string[]
  /** Why it is missing and what to use. */
  readonly reason: string
}

const MISSING: readonly Missing[] = [
  {
    names: ['Date', 'performance'],
    reason: 'validators have no common clock. Use block.timestamp (seconds) or block.milliseconds',
  },
  {
    names: [
      'setTimeout',
      'setInterval',
      'setImmediate',
      'clearTimeout',
      'clearInterval',
      'clearImmediate',
      'queueMicrotask',
      'requestAnimationFrame',
    ],
    reason: 'a call ends where it began, nothing of it runs later. Compare block.timestamp in a later call',
  },
  {
    names: ['Math.random'],
    reason:
      'all validators must come to the same result, and whatever a block holds is known to its proposer first: no randomness fit for stakes',
  },
  {
    names: ['crypto'],
    reason: 'there is no randomness. For hashes and signatures use the library: keccak256, sha256, recoverSigner, ecrecover',
  },
  { names: ['eval', 'Function'], reason: 'code cannot be made from text. Bundle what you need into the module' },
  { names: ['WeakRef', 'FinalizationRegistry'], reason: 'it would show when memory is collected. WeakMap and WeakSet are there' },
  { names: ['SharedArrayBuffer', 'Atomics'], reason: 'a contract has one thread. Use ArrayBuffer' },
  { names: ['WebAssembly'], reason: 'contracts are JavaScript, which is what the interpreter can meter' },
  { names: ['console'], reason: 'a contract has no output. Emit an event, or look at state and traces in a test' },
  {
    names: ['fetch', 'XMLHttpRequest', 'WebSocket', 'EventSource', 'navigator', 'location', 'localStorage', 'sessionStorage'],
    reason: 'a contract reaches nothing outside of the chain. Have someone send in what it needs to know',
  },
  {
    names: ['process', 'Buffer', 'global', 'require', '__dirname', '__filename'],
    reason: 'contracts do not run in Node. Bytes are Uint8Array; the library has encodeHex, decodeHex, concatBytes and others',
  },
  {
    names: [
      'window',
      'self',
      'document',
      'Worker',
      'MessageChannel',
      'BroadcastChannel',
      'AbortController',
      'AbortSignal',
      'EventTarget',
    ],
    reason: 'contracts do not run in a browser',
  },
  { names: ['TextEncoder', 'TextDecoder'], reason: 'it belongs to the platform. Use encodeUtf8 and decodeUtf8 of the library' },
  { names: ['atob', 'btoa'], reason: 'it belongs to the platform. Use encodeHex and decodeHex of the library' },
  { names: ['URL', 'URLSearchParams', 'Blob', 'structuredClone'], reason: 'it belongs to the platform, not to the language' },
  { names: ['Intl'], reason: 'what it answers depends on the machine. Format where values are shown, not in the contract' },
  { names: ['import.meta'], reason: 'a deployed contract has no file' },
]

/** Members whose answer elsewhere depends on the machine's locale, wherever they are read. */
const LOCALE_MEMBERS = ['toLocaleString', 'toLocaleDateString', 'toLocaleTimeString'] as const
const LOCALE_REASON =
  'there are no locales in a contract, what it answers elsewhere depends on the machine. Use toString, and format where values are shown'

const DYNAMIC_IMPORT =
  'import() is refused: a contract is one module, there is nothing that it could load later. Import it at the top of the file'

const MARKER = '$quoin$missing$'
const USES = new RegExp(
  `${MARKER.replaceAll('$', String.raw`\$`)}(\\d+)|\\.(${LOCALE_MEMBERS.join('|')})\\b|(?<![.\\w$])(import)\\(`,
  'g',
)
/** Globals in the order of their markers' numbers. */
const GLOBALS = MISSING.flatMap(({ names, reason }) => names.map((name) => ({ name, reason })))

/** Substitutions for the bundler: a marker for each global but those in `passed`. */
export function markers(passed: ReadonlySet<string>): Readonly<Record<string, string>> {
  const define: Record<string, string> = {}
  for (const [i, { name }] of GLOBALS.entries()) {
    // Left to the bundler, which turns it into the module that is required.
    if (passed.has(name) || name === 'require') continue
    define[name] = `${MARKER}${i}`
    if (name !== 'import.meta') define[`globalThis.${name}`] = `${MARKER}${i}`
  }
  return define
}

/** Something in a bundle that no contract has. */
export interface Use {
  readonly name: string
  /** Word to look for near the mapped position. */
  readonly word: string
  readonly message: string
  /** Where in the bundle, from 1, in UTF-16 units. */
  readonly line: number
  readonly column: number
  /** Asks whether there is such a thing, or is otherwise harmless. */
  readonly isHarmless: boolean
  readonly asksForType: boolean
}

/**
 * All marked globals, locale members and dynamic imports of a bundle, in order. `import(` may stand in a text too: the map tells, which leads
 * to the word itself where it is none.
 */
export function usesIn(bundle: string): readonly Use[] {
  const uses: Use[] = []
  for (const match of bundle.matchAll(USES)) {
    const place = placeOf(bundle, match.index)
    const member = match[2]
    if (match[3] !== undefined) {
      uses.push({ name: 'import()', word: 'import', message: DYNAMIC_IMPORT, ...place, isHarmless: false, asksForType: false })
      continue
    }
    if (member !== undefined) {
      const message = `${member} is refused: ${LOCALE_REASON}.`
      uses.push({ name: member, word: member, message, ...place, isHarmless: false, asksForType: false })
      continue
    }
    const { name, reason } = GLOBALS[Number(match[1])]!
    const before = bundle.slice(Math.max(0, match.index - 16), match.index)
    const after = bundle.slice(match.index + match[0].length, match.index + match[0].length + 1)
    const asksForType = /\btypeof\s*\(?$/.test(before)
    uses.push({
      name,
      word: name.slice(name.lastIndexOf('.') + 1),
      message: `${name} is not there: ${reason}.`,
      ...place,
      isHarmless: asksForType || (name === 'Function' && !/\bnew\s+$/.test(before) && after !== '('),
      asksForType,
    })
  }
  return uses
}

function placeOf(text: string, index: number): { readonly line: number; readonly column: number } {
  let line = 1
  let start = 0
  for (let at = text.indexOf('\n'); at !== -1 && at < index; at = text.indexOf('\n', at + 1)) {
    line++
    start = at + 1
  }
  return { line, column: index - start + 1 }
}
