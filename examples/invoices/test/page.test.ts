import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type DevNode, startDevNode } from '@quoin/cli/dev'
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { createClient, http } from 'viem'
import { foundry } from 'viem/chains'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { setUp } from '../scripts/set-up.mjs'
import { artifacts } from './artifacts.ts'
import { temporaryDirectory } from './child.ts'
import { CHROMIUM, hasChromium } from './chromium.ts'
import { buildPage, servePage } from './served-page.ts'

/** Folder for pictures of the page; none are made without it. */
const SCREENSHOTS = process.env['QUOIN_SCREENSHOTS']
const [SUPPLIER, BUYER, CARRIER] = ['Northwind Mills', 'Harbour Bakery', 'Blue Freight'] as const

describe.skipIf(!hasChromium)('the page', () => {
  let node: DevNode
  let directory: string
  let server: Awaited<ReturnType<typeof servePage>>
  let browser: Browser
  const contexts: BrowserContext[] = []
  const pageErrors: Error[] = []

  beforeAll(async () => {
    directory = await temporaryDirectory()
    node = await startDevNode({ port: 0, blockTimeMs: 200, complain: () => undefined })
    const [deployment] = await Promise.all([setUp(node.url, artifacts), buildPage(directory)])
    server = await servePage(directory, () => JSON.stringify({ urls: [node.url], ...deployment }))
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
  })
  afterAll(async () => {
    await browser?.close()
    server?.close()
    await node?.close()
    await rm(directory, { recursive: true, force: true })
  })
  afterEach(async ({ task: { result } }) => {
    if (result?.state === 'fail') for (const page of contexts.flatMap((context) => context.pages())) await picture(page, 'failed')
    for (const context of contexts.splice(0)) await context.close()
    expect(pageErrors.splice(0)).toEqual([])
  })

  async function openContext(options: BrowserContextOptions = {}): Promise<BrowserContext> {
    const context = await browser.newContext(options)
    context.on('weberror', (error) => pageErrors.push(error.error()))
    contexts.push(context)
    return context
  }
  async function openPage(context: BrowserContext): Promise<Page> {
    const page = await context.newPage()
    await page.goto(server.url)
    await page.getByRole('heading', { name: 'Invoices', exact: true }).waitFor()
    return page
  }
  const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })
  const actFor = (page: Page, name: string) =>
    page.getByRole('group', { name: 'You act for' }).getByRole('button', { name }).click()
  const step = (page: Page, order: string, text: string) =>
    page
      .getByRole('list', { name: `Steps of ${order}` })
      .locator('li.done')
      .filter({ hasText: text })
      .waitFor()
  const balance = (page: Page, text: string) => page.getByTestId('balance').filter({ hasText: text }).waitFor()
  const invoice = (page: Page, text: string) => page.locator('tr[data-testid]').filter({ hasText: text })
  const picture = async (page: Page, name: string) => {
    if (SCREENSHOTS === undefined) return
    await mkdir(SCREENSHOTS, { recursive: true })
    await page.screenshot({ path: join(SCREENSHOTS, `invoices-${name}.png`), fullPage: true })
  }

  it('takes an order from its placing to an invoice, which is paid in parts, live in another tab', async () => {
    const context = await openContext({ colorScheme: 'light', viewport: { width: 1280, height: 900 } })
    const page = await openPage(context)
    const other = await openPage(context)
    // A click in a tab behind another one takes seconds.
    await page.bringToFront()
    await balance(page, '100 000.00 EUR')
    await page.getByLabel('Order', { exact: true }).fill('flour-1')
    await button(page, 'Place order').click()
    await step(page, 'flour-1', 'Placed')
    await balance(page, '99 700.00 EUR')
    await picture(page, 'placed')
    await actFor(page, SUPPLIER)
    await button(page, 'Accept: flour-1').click()
    await step(page, 'flour-1', 'Accepted')
    await actFor(page, CARRIER)
    await button(page, 'Ship: flour-1').click()
    await step(other, 'flour-1', 'Shipped')
    await actFor(page, BUYER)
    await button(page, 'Confirm delivery: flour-1').click()
    await step(page, 'flour-1', 'Settled')

    await invoice(other, 'flour-1').filter({ hasText: '700.00' }).filter({ hasText: 'approved' }).waitFor()
    await page.getByLabel('Pay for flour-1').fill('250.5')
    await button(page, 'Pay').click()
    await invoice(other, 'flour-1').filter({ hasText: '449.50 of 700.00' }).filter({ hasText: 'part paid' }).waitFor()
    await balance(other, '99 449.50 EUR')
    await picture(page, 'part-paid')
    await other.bringToFront()
    await actFor(other, SUPPLIER)
    await balance(other, '550.50 EUR')
    await invoice(other, 'flour-1').filter({ hasText: '449.50' }).waitFor()
    await picture(other, 'supplier')
    // The form offers the rest.
    await page.bringToFront()
    await button(page, 'Pay').click()
    await invoice(page, 'flour-1').waitFor({ state: 'detached' })
    await page.getByText('Nothing is unpaid.').waitFor()
    await balance(other, '1 000.00 EUR')
  })

  it('shows the live status of a send, and says in plain words why the ledger refuses', async () => {
    const context = await openContext({
      colorScheme: 'dark',
      viewport: { width: 390, height: 844 },
      isMobile: true,
      hasTouch: true,
    })
    const page = await openPage(context)
    await actFor(page, SUPPLIER)
    await page.getByLabel('Invoice', { exact: true }).fill('R-7')
    await button(page, `Issue to ${BUYER}`).click()
    await page
      .getByRole('status')
      .filter({ hasText: /^Final in block \d+/ })
      .waitFor()
    await actFor(page, BUYER)
    await invoice(page, 'R-7').filter({ hasText: 'issued' }).waitFor()
    await button(page, 'Dispute R-7').click()
    await page.getByText(`${SUPPLIER} must answer the dispute.`).waitFor()
    await actFor(page, SUPPLIER)
    await button(page, 'Keep R-7').click()
    await invoice(page, 'R-7').filter({ hasText: 'issued' }).waitFor()
    await actFor(page, BUYER)
    await button(page, 'Approve R-7').click()
    await page.getByLabel('Pay for R-7').fill('250.01')
    await button(page, 'Pay').click()
    await page.getByRole('status').filter({ hasText: 'Not done. Only 250.00 is open.' }).waitFor()
    await picture(page, 'phone-refused')
    // Nothing is wider than the phone.
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390)
    await page.getByLabel('Pay for R-7').fill('250')
    await button(page, 'Pay').click()
    await invoice(page, 'R-7').waitFor({ state: 'detached' })
  })

  it('lets anybody return the deposit of an order whose deadline has passed', async () => {
    const page = await openPage(await openContext({ viewport: { width: 1280, height: 900 } }))
    await page.getByLabel('Order', { exact: true }).fill('late-1')
    await page.getByLabel('Minutes a step').fill('5')
    await button(page, 'Place order').click()
    await step(page, 'late-1', 'Placed')
    await actFor(page, CARRIER)
    await page.getByTestId('late-1').getByText('min left').waitFor()
    await createClient({ chain: foundry, transport: http(node.url) }).request({
      method: 'evm_increaseTime',
      params: [300],
    } as never)
    await button(page, 'Return the deposit: late-1').click()
    await step(page, 'late-1', 'Compensated')
    await picture(page, 'compensated')
  })
})
