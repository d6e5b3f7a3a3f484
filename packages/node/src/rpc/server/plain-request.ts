/** The relevant header fields of a plain request. */
export interface PlainHead {
  readonly host: string
  readonly forwardedFor: string | undefined
  readonly authorization: string | undefined
  readonly bodyBytes: number
}

/** Requests with longer headers are left to Node's parser. */
export const PLAIN_HEAD_BYTES_MAX = 2_048

const END = '\r\n\r\n'
const REQUEST_LINE = 'POST / HTTP/1.1\r\n'
/** A token, and blanks and visible ASCII characters. The two repeated sets are apart, so that no line takes more than linear time. */
const FIELD = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([\t\x20-\x7e]*)$/

/** Fields that change how the request is read, or need more than a body in the response. Such requests are left to Node's parser. */
const OTHER_WAYS: ReadonlySet<string> = new Set([
  'transfer-encoding',
  'expect',
  'upgrade',
  'trailer',
  'te',
  'content-encoding',
  'origin',
])
const READ_FIELDS: ReadonlySet<string> = new Set([
  'host',
  'content-type',
  'content-length',
  'connection',
  'x-forwarded-for',
  'authorization',
])

/**
 * Reads a header field: a token, and visible ASCII characters without the blanks around them (RFC 9110, 5.1 and 5.5).
 *
 * @returns Undefined for any other line, which is left to Node's parser.
 */
export function readField(line: string): { readonly name: string; readonly value: string } | undefined {
  const [, name, padded] = FIELD.exec(line) ?? []
  if (name === undefined || padded === undefined) return undefined
  const value = padded.trim()
  return value.includes('\t') ? undefined : { name, value }
}

/**
 * Reads the headers of a request as nearly every JSON-RPC client sends it: `POST /` in HTTP/1.1 with a length, JSON, and nothing that changes
 * how the body is read or whether the connection stays open (RFC 9112, 6.3).
 *
 * @param text - Request line and headers, including the empty line.
 * @returns Undefined for any other request. It may still be valid: Node's parser decides.
 */
export function readPlainHead(text: string, jsonTypes: ReadonlySet<string>): PlainHead | undefined {
  if (!text.startsWith(REQUEST_LINE)) return undefined
  const fields = new Map<string, string>()
  for (const line of text.slice(REQUEST_LINE.length, -END.length).split('\r\n')) {
    const field = readField(line)
    if (field === undefined) return undefined
    const key = field.name.toLowerCase()
    if (OTHER_WAYS.has(key) || (READ_FIELDS.has(key) && fields.has(key))) return undefined
    fields.set(key, field.value)
  }
  const host = fields.get('host')
  const type = fields.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase()
  const length = fields.get('content-length')
  if (host === undefined || type === undefined || length === undefined) return undefined
  if (!jsonTypes.has(type) || !/^[0-9]{1,7}$/.test(length)) return undefined
  if ((fields.get('connection') ?? 'keep-alive').toLowerCase() !== 'keep-alive') return undefined
  return {
    host,
    forwardedFor: fields.get('x-forwarded-for'),
    authorization: fields.get('authorization'),
    bodyBytes: Number(length),
  }
}

/** A plain request that arrived complete and alone in one read of a socket. */
export interface PlainRequest {
  readonly head: PlainHead
  readonly body: Buffer
}

/** Reads the requests of one connection. Clients send nearly the same headers each time, so the last ones are cached and compared. */
export class PlainRequests {
  readonly #jsonTypes: ReadonlySet<string>
  #bytes: Buffer | undefined
  #head: PlainHead | undefined

  constructor(jsonTypes: ReadonlySet<string>) {
    this.#jsonTypes = jsonTypes
  }

  /** Undefined unless the chunk is exactly one plain request. */
  read(chunk: Buffer): PlainRequest | undefined {
    const head = this.#headOf(chunk)
    const bodyAt = this.#bytes?.length
    if (head === undefined || bodyAt === undefined || chunk.length !== bodyAt + head.bodyBytes) return undefined
    return { head, body: chunk.subarray(bodyAt) }
  }

  #headOf(chunk: Buffer): PlainHead | undefined {
    const last = this.#bytes
    if (last !== undefined && chunk.length >= last.length && last.compare(chunk, 0, last.length) === 0) return this.#head
    const end = chunk.subarray(0, PLAIN_HEAD_BYTES_MAX).indexOf(END)
    if (end < 0) return undefined
    const text = chunk.toString('latin1', 0, end + END.length)
    this.#head = readPlainHead(text, this.#jsonTypes)
    this.#bytes = Buffer.from(text, 'latin1')
    return this.#head
  }
}
