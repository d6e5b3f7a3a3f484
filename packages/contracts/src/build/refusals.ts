/**
 * Globals that contracts do not have; docs/contracts.md lists them. The bundler replaces each free use of such a global with a marker. It knows
 * scopes, so that a local variable or a member with the same name gets no marker. Markers that remain in the bundle after tree shaking are errors.
 */
interface Missing {
  readonly names: readonly string[]
  /** Why it is missing, and what to use. */
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
    reason: 'nothing can run after a call has ended. Compare block.timestamp in a later call',
  },
  {
    names: ['Math.random'],
    reason: 'all validators must compute the same result, and a proposer could predict it. Use commit and reveal',
  },
  {
    names: ['crypto'],
    reason: 'there is no randomness. For hashes and signatures use the library: keccak256, sha256, recoverSigner, ecrecover',
  },
  { names: ['eval', 'Function'], reason: 'contracts cannot run code from text. Import the code into the module' },
  { names: ['WeakRef', 'FinalizationRegistry'], reason: 'it would make garbage collection visible. Use WeakMap or WeakSet' },
  { names: ['SharedArrayBuffer', 'Atomics'], reason: 'a contract has one thread. Use ArrayBuffer' },
  { names: ['WebAssembly'], reason: 'the interpreter can meter only JavaScript' },
  { names: ['console'], reason: 'a contract has no output. Emit an event, or inspect state and traces in a test' },
  {
    names: ['fetch', 'XMLHttpRequest', 'WebSocket', 'EventSource', 'navigator', 'location', 'localStorage', 'sessionStorage'],
    reason: 'a contract cannot access anything outside the chain. Send it external data in a transaction',
  },
  {
    names: ['process', 'Buffer', 'global', 'require', '__dirname', '__filename'],
    reason:
      'contracts do not run in Node.js. For bytes use Uint8Array; the library has encodeHex, decodeHex, concatBytes and others',
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
  { names: ['TextEncoder', 'TextDecoder'], reason: 'it is a platform API. Use encodeUtf8 and decodeUtf8 of the library' },
  { names: ['atob', 'btoa'], reason: 'it is a platform API. Use encodeHex and decodeHex of the library' },
  { names: ['URL', 'URLSearchParams', 'Blob', 'structuredClone'], reason: 'it is a platform API, not part of the language' },
  { names: ['Intl'], reason: 'its results depend on the machine. Format values where they are displayed, not in the contract' },
  { names: ['import.meta'], reason: 'a deployed contract has no file' },
]

/** Members whose result depends on the machine's locale outside of contracts. Any read of them is an error. */
const LOCALE_MEMBERS = ['toLocaleString', 'toLocaleDateString', 'toLocaleTimeString'] as const
const LOCALE_REASON = "its result depends on the machine's locale. Use toString, and format values where they are displayed"

const DYNAMIC_IMPORT =
  'import() is not allowed in contracts: a contract is one module and cannot load others later. Import the module at the top of the file'

const MARKER = '$quoin$missing$'
const USES = new RegExp(
  `${MARKER.replaceAll('$', String.raw`\$`)}(\\d+)|\\.(${LOCALE_MEMBERS.join('|')})\\b|(?<![.\\w$])(import)\\(`,
  'g',
)
/** Globals, ordered by the numbers of their markers. */
const GLOBALS = MISSING.flatMap(({ names, reason }) => names.map((name) => ({ name, reason })))

/** esbuild `define` substitutions: a marker for each global except those in `passed`. */
export function markers(passed: ReadonlySet<string>): Readonly<Record<string, string>> {
  const define: Record<string, string> = {}
  for (const [i, { name }] of GLOBALS.entries()) {
    // `require` is left to the bundler, which replaces it with the required module.
    if (passed.has(name) || name === 'require') continue
    define[name] = `${MARKER}${i}`
    if (name !== 'import.meta') define[`globalThis.${name}`] = `${MARKER}${i}`
  }
  return define
}

/** A use in a bundle of something that contracts do not have. */
export interface Use {
  readonly name: string
  /** Word to search for near the mapped position. */
  readonly word: string
  readonly message: string
  /** Position in the bundle: from 1, columns in UTF-16 units. */
  readonly line: number
  readonly column: number
  /** Tests with `typeof` whether the global exists, or is harmless for another reason. */
  readonly isHarmless: boolean
  readonly asksForType: boolean
}

/**
 * All marked globals, locale members and dynamic imports of a bundle, in order. `import(` may also be part of a string; the caller tells by the
 * source map, which leads to the word `import` only for a real import.
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
      const message = `${member} is not allowed in contracts: ${LOCALE_REASON}.`
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
      message: `${name} is not available in contracts: ${reason}.`,
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
