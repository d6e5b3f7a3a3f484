import { fileURLToPath } from 'node:url'
import { type DevNode, startDevNode } from '@quoin/cli/dev'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { account, publicClient } from '../e2e/harness.ts'
import { until } from '../e2e/watch.ts'
import { isWithoutBrowser, launch, type PageServer, servePage } from './chromium.ts'
import { includedSends } from './included.ts'
import type { Tab } from './tab.ts'

const SINK = '0x00000000000000000000000000000000dead0001'
const key = `0x${Buffer.from(account(0).getHdKey().privateKey!).toString('hex')}` as const

describe.skipIf(isWithoutBrowser)('tabs of a real browser', () => {
  let node: DevNode
  let server: PageServer
  let browser: Browser
  let context: BrowserContext

  beforeAll(async () => {
    node = await startDevNode({ port: 0, blockTimeMs: 200, complain: () => undefined })
    server = await servePage({ entryPoints: [fileURLToPath(new URL('./tab.ts', import.meta.url))] })
    browser = await launch(['--site-per-process'])
    context = await browser.newContext()
  })
  afterAll(async () => {
    await browser?.close()
    server?.close()
    await node?.close()
  })

  async function openTab(): Promise<Page> {
    const page = await context.newPage()
    await page.goto(server.origin)
    await page.waitForFunction(() => 'tab' in globalThis)
    return page
  }
  const inTab = <T, A>(page: Page, ask: (tab: Tab, argument: A) => Promise<T> | T, argument: A): Promise<T> =>
    page.evaluate(`(${ask.toString()})(globalThis.tab, ${JSON.stringify(argument)})`) as Promise<T>

  it('commit to one store without losing anything', async () => {
    const tabs = await Promise.all([openTab(), openTab(), openTab()])
    for (const page of tabs) expect(await inTab(page, (tab, name) => tab.open(name), 'counts')).toBe('device')
    await Promise.all(tabs.map((page) => inTab(page, (tab, times) => tab.count(times), 20)))
    expect(await inTab(tabs[0]!, (tab, times) => tab.count(times), 0)).toBe('60')
    await Promise.all(tabs.map((page) => page.close()))
  })

  it('send with one key, and go on when the tab that owned it dies', async () => {
    const tabs = await Promise.all([openTab(), openTab(), openTab()])
    const [owner, second, third] = tabs as [Page, Page, Page]
    for (const page of tabs) expect(await inTab(page, (tab, name) => tab.open(name), 'sends')).toBe('device')
    const task = { url: node.url, key, count: 10 }
    const run = (page: Page, first: number, count = task.count) =>
      inTab(page, (tab, given) => tab.send(given), { ...task, first, count })
    // The first one to send owns the key.
    await run(owner, 1, 1)
    const rest = [run(second, 101), run(third, 201)]
    const lost = run(owner, 301).catch((failure: unknown) => String(failure))
    const isUnderWay = async () => (await inTab(owner, (tab) => tab.statuses(), null)).some((status) => status === 'included')
    await until('sends are under way', isUnderWay)
    // Kills the process of the tab; nothing in it gets a chance to say goodbye.
    const session = await context.newCDPSession(owner)
    await Promise.race([session.send('Page.crash'), owner.waitForEvent('crash')]).catch((failure: unknown) =>
      expect(failure).toBeDefined(),
    )
    for (const hashes of await Promise.all(rest)) for (const hash of hashes) expect(hash).toMatch(/^0x[0-9a-f]{64}$/)
    void lost
    // What the dead tab had handed out is known to the others: the same ids are the same sends.
    const again = await run(second, 301)
    const included = await includedSends(publicClient(node.url), SINK)
    for (const value of [1, ...[101, 201, 301].flatMap((first) => Array.from({ length: 10 }, (_, i) => first + i))]) {
      const hashes = included.get(`${account(0).address.toLowerCase()} ${value}`) ?? []
      expect([value, hashes.length]).toEqual([value, 1])
      if (value > 300) expect(again[value - 301]).toBe(hashes[0])
    }
  })
})
