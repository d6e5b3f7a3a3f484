import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'

/** Folder for pictures of the page; none are made without it. */
const SCREENSHOTS = process.env['QUOIN_SCREENSHOTS']

/** What a user does and sees on the page of the template `dapp`. Every wait ends with a failure after Playwright's 30 s. */
export class BoardPage {
  readonly page: Page

  constructor(page: Page) {
    this.page = page
  }

  async open(url: string): Promise<void> {
    await this.page.goto(url)
    await this.page.getByRole('heading', { name: 'Tasks' }).waitFor()
  }

  button(name: string | RegExp) {
    return this.page.getByRole('button', { name })
  }

  /** A task with this text, in the list. */
  task(text: string) {
    return this.page.getByRole('listitem').filter({ has: this.page.getByText(text, { exact: true }) })
  }

  /** An event with this text, among what happens. */
  event(text: string | RegExp) {
    return this.page.getByRole('region', { name: 'What happens' }).getByText(text)
  }

  /** The status of the form's transaction. */
  get status() {
    return this.page.locator('form').getByRole('status')
  }

  get connection() {
    return this.page.getByRole('banner').getByRole('status')
  }

  async add(text: string): Promise<void> {
    await this.page.getByLabel('What is to be done?').fill(text)
    await this.button('Add').click()
  }

  /** Waits until the form's transaction shows this. */
  async shows(words: string | RegExp): Promise<void> {
    await this.status.filter({ hasText: words }).waitFor()
  }

  /** Every status that the form shows from now on, as one text. Read it with `statuses`. */
  async record(): Promise<void> {
    await this.status.evaluate((element) => {
      const page = globalThis as unknown as { statuses: string[] }
      page.statuses = []
      const look = () => void page.statuses.push(element.getAttribute('data-step')!)
      new MutationObserver(look).observe(element, { attributes: true, attributeFilter: ['data-step'] })
    })
  }

  statuses(): Promise<readonly string[]> {
    return this.page.evaluate(() => (globalThis as unknown as { statuses: string[] }).statuses)
  }

  async picture(name: string): Promise<void> {
    if (SCREENSHOTS === undefined) return
    await mkdir(SCREENSHOTS, { recursive: true })
    await this.page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true })
  }
}
