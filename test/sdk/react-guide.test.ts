import type { Browser } from 'playwright-core'
import { toHex } from 'viem'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { account } from '../e2e/harness.ts'
import { ROOT } from '../e2e/program.ts'
import { until } from '../e2e/watch.ts'
import { isWithoutBrowser, launch, servePage } from './chromium.ts'
import { type Counter, counter } from './counter.ts'
import { checkTypes, codeOf, runCode } from './guide.ts'
import { stage } from './stage.ts'

const { nodes, direct, url } = stage()
let counted: Counter

beforeAll(async () => {
  counted = await counter({ direct, url })
})

/** What the guide leaves open, for a cluster of two nodes. */
async function names() {
  const [a, b] = await nodes(2)
  return { 'https://a.example': a!.url, 'https://b.example': b!.url, '0xcontract': counted.address }
}

const key = toHex(account(4).getHdKey().privateKey!)

/** Names that only the page has. */
async function pageNames() {
  const { hash } = await direct().getBlock({ blockNumber: 0n })
  return { ...(await names()), '0x…': hash, '0xkey': key }
}

it('the code of the guide for pages compiles', async () => {
  const code = await codeOf('react', 'tsx', await pageNames())
  await checkTypes(code, 'tsx', ['--jsx', 'react-jsx', '--lib', 'es2023,dom,dom.iterable', '--types', ''])
})

it('the code of the guide for servers compiles, and reads a value', async () => {
  await counted.emit(1)
  const code = await codeOf('react', 'ts', await names())
  await checkTypes(code, 'mts', ['--lib', 'es2023', '--types', 'node'])
  const { queries } = JSON.parse(await runCode(code)) as { queries: readonly { readonly state: { readonly status: string } }[] }
  expect(queries.map(({ state }) => state.status)).toEqual(['success'])
})

describe.skipIf(isWithoutBrowser)('in a browser', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launch()
  })
  afterAll(() => browser?.close())

  it('the code of the guide runs as one page', async () => {
    await counted.emit(1)
    const contents = await codeOf('react', 'tsx', await pageNames())
    const server = await servePage({ stdin: { contents, resolveDir: ROOT, loader: 'tsx' } })
    const page = await browser.newPage()
    const uncaught: string[] = []
    page.on('pageerror', (error) => uncaught.push(String(error)))
    const reads = async (id: string, text: RegExp): Promise<void> => {
      let last = ''
      const matches = async () => text.test((last = await page.locator(`#${id}`).innerText()))
      await until(`#${id} reads ${text}`, matches, { report: () => `${last}\n${uncaught.join('\n')}` })
    }
    try {
      await page.goto(server.origin)
      await reads('counted', /^1\b/)
      const total = (await page.locator('#counted').innerText()).split('\n').length
      await reads('above', new RegExp(`^${total - 1} above 1 after block`))
      await reads('status', /^not sent$/)
      await page.locator('#count').click()
      await reads('status', /^success in block \d+$/)
      await reads('above', new RegExp(`^${total + 1} above 1`))
      await reads('counted', new RegExp(`\\b${total + 2}$`))
      expect(uncaught).toEqual([])
    } finally {
      await page.close()
      server.close()
    }
  })
})
