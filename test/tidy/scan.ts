/** Views of a source text with the same length and lines. Parts that a rule must not see are blank. */
export interface Scanned {
  /** Only code: comments and the contents of strings, templates and regular expressions are blank. */
  readonly code: string
  /** Only the comments. */
  readonly comments: string
  /** The unchanged text. */
  readonly text: string
}

const regexAfterWord = /(?:^|[^\w$.])(?:return|typeof|case|in|of|do|else|void|delete|throw|new|await|yield|instanceof)$/

/**
 * Separates code, comments and literals of TypeScript. A small scanner, not a parser: like editors, it decides from the preceding text whether a slash
 * is a division or begins a regular expression.
 */
export function scan(text: string): Scanned {
  const code = [...blank(text)]
  const comments = [...blank(text)]
  /** For every open template substitution: the number of open braces in it. */
  const substitutions: number[] = []
  let at = text.startsWith('#!') ? endOfLine(text, 0) : 0

  const show = (target: string[], from: number, to: number) => {
    for (let i = from; i < to; i++) target[i] = text.charAt(i)
  }
  /** Scans a template's text from the opening backtick, or from the brace that ends a substitution, to the closing backtick or the next substitution. */
  const template = (from: number): number => {
    for (let i = from + 1; i < text.length; i++) {
      const char = text.charAt(i)
      if (char === '\\') i++
      else if (char === '`') return i + 1
      else if (char === '$' && text.charAt(i + 1) === '{') {
        substitutions.push(0)
        return i + 2
      }
    }
    return text.length
  }
  const literal = (from: number, to: number) => {
    show(code, from, from + 1)
    show(code, to - 1, to)
    at = to
  }

  while (at < text.length) {
    const char = text.charAt(at)
    const pair = text.slice(at, at + 2)
    const open = substitutions.length - 1
    if (pair === '//' || pair === '/*') {
      const close = pair === '//' ? endOfLine(text, at) : after(text, '*/', at + 2)
      show(comments, at, close)
      at = close
    } else if (char === "'" || char === '"') literal(at, closing(text, at, char))
    else if (char === '`') literal(at, template(at))
    else if (char === '}' && substitutions[open] === 0) {
      substitutions.pop()
      literal(at, template(at))
    } else if (char === '/' && opensRegex(code, at)) literal(at, closingRegex(text, at))
    else {
      if (open >= 0 && char === '{') substitutions[open] = (substitutions[open] ?? 0) + 1
      if (open >= 0 && char === '}') substitutions[open] = (substitutions[open] ?? 0) - 1
      show(code, at, at + 1)
      at++
    }
  }
  return { code: code.join(''), comments: comments.join(''), text }
}

const blank = (text: string): string[] => text.split('').map((char) => (char === '\n' ? char : ' '))

function after(text: string, mark: string, from: number): number {
  const found = text.indexOf(mark, from)
  return found < 0 ? text.length : found + mark.length
}

function endOfLine(text: string, from: number): number {
  const found = text.indexOf('\n', from)
  return found < 0 ? text.length : found
}

function closing(text: string, from: number, quote: string): number {
  for (let i = from + 1; i < text.length; i++) {
    if (text.charAt(i) === '\\') i++
    else if (text.charAt(i) === quote || text.charAt(i) === '\n') return i + 1
  }
  return text.length
}

function closingRegex(text: string, from: number): number {
  let inClass = false
  for (let i = from + 1; i < text.length; i++) {
    const char = text.charAt(i)
    if (char === '\\') i++
    else if (char === '[') inClass = true
    else if (char === ']') inClass = false
    else if ((char === '/' && !inClass) || char === '\n') return i + 1
  }
  return text.length
}

/** Whether a slash begins a regular expression: it does where an operand is expected. */
function opensRegex(code: readonly string[], at: number): boolean {
  const before = code
    .slice(Math.max(0, at - 40), at)
    .join('')
    .trimEnd()
  if (before === '') return true
  return /[([{,;=:?!&|+\-*%<>~^]$/.test(before) || regexAfterWord.test(before)
}
