import { createServer } from 'node:http'
import { CommandError } from '@quoin/node/process'
import { idOfName } from '@quoin/protocol'
import { describe, expect, it } from 'vitest'
import { evidenceText } from './evidence.ts'

/** Runs with the URL of a server that answers each request with the next result, and reports what it was asked. */
async function withNode(
  results: readonly unknown[],
  use: (url: string, asked: readonly unknown[]) => Promise<void>,
): Promise<void> {
  const asked: unknown[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      const { method, params } = JSON.parse(body) as { readonly method: string; readonly params: readonly unknown[] }
      asked.push([method, ...params])
      response.end(JSON.stringify({ jsonrpc: '2.0', id: 1, result: results[Math.min(asked.length, results.length) - 1] }))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { readonly port: number }
  try {
    await use(`http://127.0.0.1:${port}`, asked)
  } finally {
    await new Promise((resolve) => server.close(resolve))
  }
}

const hash = (byte: string) => `0x${byte.repeat(32)}`
const place = { id: idOfName('bank-a')!, height: '0x10', round: '0x0', kind: 'prevote' }
const piece = (byte: string, isReported = false) => ({
  ...{ hash: hash(byte), ...place, validator: `0x${'11'.repeat(20)}`, evidence: '0x', isReported },
  call: { to: '0xc0', data: `0xda${byte}` },
})

describe('quoin evidence', () => {
  it('prints every page, the call that reports each piece, and what is on the chain', async () => {
    const onChain = [{ ...place, hash: hash('cc'), takenAt: '0x12', reporter: '0xrep' }]
    const pages = [
      { evidence: [piece('aa')], next: hash('aa'), onChain },
      { evidence: [piece('bb', true)], next: null, onChain },
    ]
    await withNode(pages, async (url, asked) => {
      const text = await evidenceText(url)
      expect(text.split('\n')).toEqual([
        `${hash('aa')}: validator bank-a signed two different prevotes at height 16, round 0, key 0x${'11'.repeat(20)}: not on the chain. Report it with a transaction to 0xc0 with the data`,
        '0xdaaa',
        `${hash('bb')}: validator bank-a signed two different prevotes at height 16, round 0, key 0x${'11'.repeat(20)}: the validator is on the chain already`,
        `${hash('cc')}: validator bank-a signed two different prevotes at height 16, round 0: on the chain since block 18, reported by 0xrep`,
      ])
      expect(asked).toEqual([['quoin_evidence'], ['quoin_evidence', hash('aa')]])
    })
  })

  it('says that there is none', async () => {
    await withNode([{ evidence: [], next: null, onChain: [] }], async (url) => {
      expect(await evidenceText(url)).toBe(
        'This node has no evidence that is not on the chain.\nNo validator of the chain has equivocated.',
      )
    })
  })

  it('asks a node that always has more a bounded number of times, and prints no control characters', async () => {
    await withNode(
      [{ evidence: [{ ...piece('aa'), kind: '\u001b[31m' }], next: hash('aa'), onChain: [] }],
      async (url, asked) => {
        expect(await evidenceText(url)).not.toContain('\u001b')
        expect(asked).toHaveLength(32)
      },
    )
  })

  it('refuses an answer that is none', async () => {
    await withNode([7], async (url) => {
      await expect(evidenceText(url)).rejects.toThrow(CommandError)
    })
  })
})
