import { createServer } from 'node:http'
import { Duplex } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PlainRequests, readField } from './plain-request.ts'

const JSON_TYPES = new Set(['application/json', 'application/json-rpc'])
const read = (bytes: Buffer) => new PlainRequests(JSON_TYPES).read(bytes)

interface Parsed {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly version: string
  readonly fields: readonly (string | undefined)[]
  readonly body: string
  readonly isKeptOpen: boolean
}

/** How Node.js reads the bytes: its requests, in order, or `refused` at the first invalid one. */
function nodeRequests(bytes: Buffer): Promise<readonly (Parsed | 'refused')[]> {
  return new Promise((resolve) => {
    const all: (Parsed | 'refused')[] = []
    const server = createServer((request, response) => {
      const { method, url, httpVersion, headers } = request
      const fields = [headers.host, headers['content-type'], headers['x-forwarded-for'] as string | undefined]
      let body = ''
      request.on('data', (chunk: Buffer) => {
        body += chunk.toString('latin1')
      })
      request.on('end', () => {
        all.push({ method, url, version: httpVersion, fields, body, isKeptOpen: response.shouldKeepAlive })
        response.end()
      })
    })
    server.on('checkContinue', () => all.push('refused'))
    server.on('upgrade', () => all.push('refused'))
    server.on('clientError', () => all.push('refused'))
    const socket = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })
    socket.on('error', () => {})
    server.emit('connection', socket)
    socket.push(bytes)
    // Everything is parsed by then, because nothing here waits for a system call.
    setImmediate(() => setImmediate(() => setImmediate(() => resolve(all))))
  })
}

const USUAL = ['Host: 127.0.0.1:8545', 'Content-Type: application/json', 'Content-Length: 2']

const field = fc.oneof(
  fc.constantFrom(
    ...USUAL,
    'content-length:2',
    'Content-Length: +2',
    'Content-Length: 02',
    'Content-Length: 3',
    'Content-Length: 2, 2',
    'Content-Length : 2',
    ' Content-Length: 2',
    'Transfer-Encoding: chunked',
    'Transfer-Encoding: identity',
    'Connection: keep-alive',
    'Connection: Keep-Alive',
    'Connection: close',
    'Connection: keep-alive, close',
    'Connection: upgrade',
    'Upgrade: websocket',
    'Expect: 100-continue',
    'Origin: https://app.example',
    'X-Forwarded-For: 192.0.2.1, 10.0.0.1',
    'Content-Type: application/json; charset=utf-8',
    'Content-Type: text/plain',
    'Host: evil.example',
    'User-Agent: test/1.0 (x; y)',
    'Accept: */*',
    'Accept-Encoding: gzip, br',
    'X: ',
    'X',
    ': x',
    '',
    'X: a\rContent-Length: 9',
    'X: a\nContent-Length: 9',
    'X: \u00e9',
    'X\u0000: 1',
  ),
  fc.string({ unit: 'binary-ascii', maxLength: 12 }),
)
const line = fc.constantFrom(
  'POST / HTTP/1.1',
  'POST / HTTP/1.0',
  'POST /x HTTP/1.1',
  'GET / HTTP/1.1',
  'POST  / HTTP/1.1',
  'POST / HTTP/1.1 ',
)
const mostly = <T>(usual: T, other: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 8, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: other })
const bytesOf = fc
  .tuple(
    mostly('POST / HTTP/1.1', line),
    fc.tuple(...USUAL.map((usual) => mostly(usual, field))),
    fc.array(field, { maxLength: 3 }),
    mostly('\r\n', fc.constantFrom('\n', '\r', '\r\n ')),
    mostly('{}', fc.constantFrom('', '{', '{} ', '{}POST / HTTP/1.1\r\n\r\n')),
  )
  .chain(([first, usual, more, end, body]) =>
    fc.shuffledSubarray([...usual, ...more], { minLength: usual.length }).map((fields) => {
      const text = [first, ...fields, '', body].join('\r\n')
      return Buffer.from(end === '\r\n' ? text : text.replace('\r\n', end), 'latin1')
    }),
  )

describe('a plain request', () => {
  it('is read as Node.js reads it, and no other request is taken for one', async () => {
    let taken = 0
    await fc.assert(
      fc.asyncProperty(bytesOf, async (bytes) => {
        const plain = read(bytes)
        if (plain === undefined) return
        taken++
        const { host, forwardedFor } = plain.head
        const body = plain.body.toString('latin1')
        const [request, ...others] = await nodeRequests(bytes)
        expect(others).toEqual([])
        expect(request).toMatchObject({ method: 'POST', url: '/', version: '1.1', body, isKeptOpen: true })
        const [itsHost, itsType, itsClients] = (request as Parsed).fields
        expect([host, forwardedFor]).toEqual([itsHost, itsClients])
        expect(JSON_TYPES).toContain(itsType?.split(';')[0])
      }),
      { numRuns: 5_000 },
    )
    expect(taken).toBeGreaterThan(500)
  })

  it.each([
    [
      'as viem sends it',
      'POST / HTTP/1.1\r\nhost: localhost:8545\r\nconnection: keep-alive\r\nContent-Type: application/json\r\naccept: */*\r\naccept-language: *\r\nsec-fetch-mode: cors\r\nuser-agent: node\r\naccept-encoding: gzip, deflate\r\ncontent-length: 2\r\n\r\n{}',
    ],
    [
      'as ethers sends it',
      'POST / HTTP/1.1\r\naccept-encoding: gzip\r\ncontent-type: application/json\r\ncontent-length: 2\r\nHost: 127.0.0.1:8545\r\nConnection: keep-alive\r\n\r\n{}',
    ],
    [
      'as cast sends it',
      'POST / HTTP/1.1\r\ncontent-type: application/json\r\naccept: */*\r\nhost: 127.0.0.1:8545\r\ncontent-length: 2\r\n\r\n{}',
    ],
  ])('is one %s', (_, text) => {
    expect(read(Buffer.from(text))?.body.toString()).toBe('{}')
  })

  it('is compared with the previous one, and parsed again if it differs', () => {
    const requests = new PlainRequests(JSON_TYPES)
    const ask = (host: string, body: string) =>
      requests.read(
        Buffer.from(
          `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
        ),
      )
    for (const [host, body] of [
      ['a', '{}'],
      ['a', '[]'],
      ['b', '{}'],
      ['a', '[1]'],
      ['a', ''],
    ] as const) {
      const request = ask(host, body)
      expect([request?.head.host, request?.body.toString()]).toEqual([host, body])
    }
    expect(requests.read(Buffer.from('GET / HTTP/1.1\r\n\r\n'))).toBeUndefined()
    expect(ask('a', '{}')?.head.host).toBe('a')
  })

  it('must be exactly one chunk: an incomplete one, or one followed by another, does not count', () => {
    const head = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n'
    for (const rest of ['', '{', '{}{', `{}${head}{}`]) expect(read(Buffer.from(head + rest))).toBeUndefined()
  })
})

describe('a header field', () => {
  /** The definition as one pattern, which takes cubic time in a row of blanks. */
  const DEFINITION = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\x20-\x7e]*?)[ \t]*$/

  it('is a token, and visible characters without the blanks around them', () => {
    const unit = fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom(' ', '\t', ':', 'X', '-', '~', '"') },
      { weight: 1, arbitrary: fc.constantFrom('\r', '\n', '\v', '\u0000', '\u007f', '\u00a0', '\u00e9', '\ufeff') },
    )
    const line = fc
      .tuple(fc.constantFrom('', 'X', 'X:', 'Host: '), fc.string({ unit, maxLength: 12 }))
      .map((parts) => parts.join(''))
    let taken = 0
    fc.assert(
      fc.property(line, (text) => {
        const [, name, value] = DEFINITION.exec(text) ?? []
        expect(readField(text)).toEqual(name === undefined ? undefined : { name, value })
        if (name !== undefined) taken++
      }),
      { numRuns: 20_000 },
    )
    expect(taken).toBeGreaterThan(2_000)
  })
})
