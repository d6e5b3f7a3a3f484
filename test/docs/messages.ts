import { scan } from '../tidy/scan.ts'

/** A string or template literal of a source. */
export interface Literal {
  /** Texts of the literal; there is a substitution between two texts. */
  readonly parts: readonly string[]
  /** First line, from 1. */
  readonly line: number
}

/** All string and template literals of a TypeScript source, including those in substitutions, in the order of their ends. */
export function literalsOf(text: string): readonly Literal[] {
  const { code } = scan(text)
  const found: Literal[] = []
  /** Open templates: their texts so far, their start, and the number of open braces in the current substitution. */
  const open: { readonly parts: string[]; readonly start: number; depth: number }[] = []
  const add = (parts: readonly string[], start: number) =>
    found.push({ parts: parts.map(unescaped), line: text.slice(0, start).split('\n').length })
  /** Scans a template's text from after a backtick, or after the brace that ends a substitution. In the scanned code only its delimiters are left. */
  const template = (from: number): number => {
    const current = open.at(-1)!
    let end = from
    while (code[end] !== '`' && code[end] !== '{') end++
    const isLast = code[end] === '`'
    current.parts.push(text.slice(from, isLast ? end : end - 1))
    current.depth = 0
    if (isLast) add(open.pop()!.parts, current.start)
    return end + 1
  }
  for (let at = 0; at < code.length; ) {
    const char = code[at]!
    const current = open.at(-1)
    if (char === "'" || char === '"') {
      const end = code.indexOf(char, at + 1)
      add([text.slice(at + 1, end)], at)
      at = end + 1
    } else if (char === '`') {
      open.push({ parts: [], start: at, depth: 0 })
      at = template(at + 1)
    } else if (char === '}' && current?.depth === 0) at = template(at + 1)
    else {
      if (current && char === '{') current.depth++
      if (current && char === '}') current.depth--
      at++
    }
  }
  return found
}

const unescaped = (text: string): string => text.replace(/\\n/g, '\n').replace(/\\(.)/g, '$1')

/**
 * Error messages of a program that is a string in a source: its literals, joined where it concatenates them. Other programs in strings have no error
 * messages.
 */
export const thrownIn = (program: string): readonly Literal[] =>
  [...program.matchAll(/new \w*Error\((.*?)\)(?=[\n;]|$)/gm)].map(([, sum = '']) => ({
    parts: sum
      .split(' + ')
      .map((term) => (/^'.*'$/.test(term) ? term.slice(1, -1) : '\0'))
      .join('')
      .split('\0'),
    line: 0,
  }))

/** Whether a literal contains prose: two words with a space between them. */
export const isProse = ({ parts }: Literal): boolean => parts.some((part) => /[a-z]{2}[,:;]? [a-z]|^,? [a-z]{2,}/i.test(part))

const squeezed = (text: string): string => text.replace(/\s+/g, ' ')
const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** Pattern for the texts that a literal can produce, with a group for each substitution. The catalogue may write `<n>` for a number in it. */
export function patternOf({ parts }: Literal): string {
  const text = parts.map(squeezed).join('\0').trim()
  return text
    .split('\0')
    .map((part) => escaped(part).replace(/\b\d+\b/g, '(?:$&|<n>)'))
    .join('(.*?)')
}

/** Number of letters of a text outside of placeholders. */
const letters = (text: string): number => text.replace(/<[^<>]*>|[^A-Za-z]/g, '').length

/** Checks whether literals can produce a catalogued text: one literal, with other literals or names in its substitutions. */
export function composer(literals: readonly Literal[]): (text: string) => boolean {
  const patterns = literals
    .filter(({ parts }) => letters(parts.join(' ')) >= LETTERS_MIN)
    .map((literal) => new RegExp(`^(?:\\w+Error: )?${patternOf(literal)}$`))
  const isMade = (text: string, depth: number): boolean =>
    patterns.some((pattern) => {
      const groups = pattern.exec(text)?.slice(1)
      return (
        groups?.every(
          (group) => letters(group) < LETTERS_MIN || (depth > 0 && readings(group).some((reading) => isMade(reading, depth - 1))),
        ) ?? false
      )
    })
  return (text) => isMade(text, 2)
}

/** A literal needs this many letters to be recognised. A substitution with fewer letters need not be a literal. */
const LETTERS_MIN = 5

/** A substitution's text, and the rest of it without placeholders at its ends. */
const readings = (text: string): readonly string[] => {
  const behind = text.replace(/^(?:<[^<>]*>|\s)+/, '')
  return [text, behind, text.replace(/(?:<[^<>]*>|\s)+$/, ''), behind.replace(/(?:<[^<>]*>|\s)+$/, '')]
}

/** A message of the catalogue, with `<…>` as placeholders. */
export interface Catalogued {
  readonly text: string
  readonly heading: string
}

/** The messages in a page's tables: code spans in columns with the heading `message`. */
export function cataloguedIn(page: string): readonly Catalogued[] {
  const found: Catalogued[] = []
  let heading = ''
  let column = -1
  for (const line of page.split('\n')) {
    const title = /^#+ (.*)/.exec(line)?.[1]
    if (title !== undefined) heading = title
    if (!line.startsWith('|')) {
      column = -1
      continue
    }
    const cells = line.split('|').slice(1, -1)
    if (column < 0) column = cells.findIndex((cell) => cell.trim() === 'message')
    else for (const text of codeSpans(cells[column] ?? '')) found.push({ text, heading })
    if (column < 0) column = cells.length
  }
  return found
}

const codeSpans = (text: string): readonly string[] => [...text.matchAll(/(`+)(.+?)\1(?!`)/g)].map(([, , span]) => span!.trim())
