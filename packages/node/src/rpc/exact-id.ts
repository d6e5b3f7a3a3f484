/**
 * The id of a request that is a number, in the text in which the client wrote it. JSON.parse rounds integers beyond 2^53 and forgets how a
 * number was written, but a client compares the id of a response with its own (JSON-RPC 2.0, section 5).
 */
export class ExactNumber {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** The JSON text of an id. */
export const idText = (id: unknown): string => (id instanceof ExactNumber ? id.text : JSON.stringify(id))

/**
 * A member `id` whose number may have another text than JSON.stringify gives it: all but integers of at most 15 digits. The name may have
 * escapes. It may be a member of a parameter, so this only decides whether `keepIdTexts` has to look.
 */
const UNUSUAL_ID = /"(?:i|\\u0069)(?:d|\\u0064)"\s*:\s*(?!(?:0|-?[1-9][0-9]{0,14})\s*[,}])[-0-9]/

/**
 * Replaces each id that is a number by an `ExactNumber`, if its text may matter.
 *
 * @param text - The valid JSON text of a request or batch.
 * @param parsed - Its value, which is changed.
 */
export function keepIdTexts(text: string, parsed: unknown): void {
  if (!UNUSUAL_ID.test(text)) return
  const requests: readonly unknown[] = Array.isArray(parsed) ? parsed : [parsed]
  for (const [item, number] of idNumbers(text, Array.isArray(parsed))) {
    const request = requests[item] as { id?: unknown }
    if (typeof request.id === 'number') request.id = new ExactNumber(number)
  }
}

const NUMBER = /[-+.0-9eE]+/y

/** The last number named `id` of each request, by the request's index in the batch. */
function idNumbers(text: string, isBatch: boolean): ReadonlyMap<number, string> {
  const found = new Map<number, string>()
  /** Depth inside the object of a request. */
  const inside = isBatch ? 2 : 1
  let depth = 0
  let item = 0
  let isObject = false
  let isNameNext = false
  let isId = false
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!
    if (char === '"') {
      const end = endOfString(text, at)
      if (depth === inside && isNameNext) isId = isIdName(text.slice(at, end))
      else if (depth === inside) isId = false
      isNameNext = false
      at = end - 1
    } else if (char === '{' || char === '[') {
      depth++
      if (depth === inside) isObject = char === '{'
      isNameNext = depth === inside && isObject
    } else if (char === '}' || char === ']') {
      depth--
    } else if (char === ',') {
      if (isBatch && depth === 1) item++
      isNameNext = depth === inside && isObject
    } else if (depth === inside && isId && isNumberStart(char)) {
      NUMBER.lastIndex = at
      const number = NUMBER.exec(text)![0]
      found.set(item, number)
      isId = false
      at += number.length - 1
    }
  }
  return found
}

const isNumberStart = (char: string): boolean => char === '-' || (char >= '0' && char <= '9')

/** The index after a JSON string that begins at `from`. */
function endOfString(text: string, from: number): number {
  let at = from + 1
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at + 1
}

/** Length of the longest spelling of the name: a quote, two escapes, a quote. */
const NAME_CHARS_MAX = 14

const isIdName = (json: string): boolean => json.length <= NAME_CHARS_MAX && JSON.parse(json) === 'id'
