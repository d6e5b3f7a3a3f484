import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { type DevNode, startDevNode } from '@quoin/cli/dev'
import type { Browser, BrowserContext, BrowserContextOptions, Route } from 'playwright-core'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createProject } from '../../packages/cli/src/create/create.ts'
import { isWithoutBrowser, launch } from '../sdk/chromium.ts'
import { BoardPage } from './dapp/board-page.ts'
import { TestWallet } from './dapp/wallet.ts'
import { attempt, environment, npm } from './npm.ts'
import { freePorts } from './ports.ts'
import { Program, run } from './program.ts'
import { until } from './watch.ts'

const OTHER_CHAIN = 4_711
const DEVELOPMENT_KEY = 'Development key'

let parent: string
let project: string

beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'quoin-dapp-'))
  project = await createProject(join(parent, 'board'), 'dapp')
  const { code, output } = await attempt('npm', ['install', '--ignore-scripts'], project)
  expect(code, output).toBe(0)
})
afterAll(() => rm(parent, { recursive: true, force: true }))

const inProject = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  run(new Program('npm', args, { cwd: project, env: { ...environment, ...env } }))

it('a created DApp passes its own tests and type checks', async () => {
  const { code, output } = await inProject(['test'])
  expect(code, output).toBe(0)
  expect(output).toMatch(/Tests +4 passed/)
})

describe.skipIf(isWithoutBrowser)('the page', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launch()
  })
  afterAll(() => browser?.close())

  const contexts: BrowserContext[] = []
  /** A browser of its own user: other tabs share nothing with it. Errors in the page's scripts fail the test. */
  async function openContext(options: BrowserContextOptions = {}): Promise<BrowserContext> {
    const context = await browser.newContext(options)
    // A busy machine builds and deploys for a minute.
    context.setDefaultTimeout(90_000)
    context.on('weberror', (error) => pageErrors.push(error.error()))
    contexts.push(context)
    return context
  }
  const pageErrors: Error[] = []
  afterEach(async () => {
    for (const context of contexts.splice(0)) await context.close()
    expect(pageErrors.splice(0)).toEqual([])
  })

  describe('of npm run dev', () => {
    let dev: Program
    let url: string
    let rpcUrl: string

    beforeAll(async () => {
      const [rpcPort, port] = [await freePorts(1), await freePorts(1)]
      dev = npm(['run', 'dev'], project, { group: true, env: { RPC_PORT: String(rpcPort), PORT: String(port) } })
      rpcUrl = `http://127.0.0.1:${rpcPort}`
      url = (await dev.shows(/http:\/\/localhost:\d+\//))[0]
    })
    afterAll(async () => {
      // As ctrl-c in a terminal: npm, the script and the chain all get it.
      await dev.end('SIGINT')
      for (const gone of [url, rpcUrl]) await expect(fetch(gone), dev.tail).rejects.toThrow('fetch failed')
    })

    it('logs in with a local key, sends with a live status, and shows the event in another tab', async () => {
      const context = await openContext({ colorScheme: 'light', viewport: { width: 1280, height: 800 } })
      const first = new BoardPage(await context.newPage())
      const second = new BoardPage(await context.newPage())
      await first.open(url)
      await first.picture('desktop-before-log-in')
      await first.button(DEVELOPMENT_KEY).click()
      await second.open(url)
      // The other tab has the same key.
      await second.button('Log out').waitFor()

      await first.record()
      await first.add('Water the plants')
      await first.shows(/^Final in block \d+/)
      const statuses = await first.statuses()
      expect(statuses[0]).toBe('queued')
      expect(statuses.at(-1)).toBe('included')
      expect(statuses).not.toContain('failed')

      await second.event(/added “Water the plants”/).waitFor()
      await second.task('Water the plants').waitFor()
      await second.button('Finish: Water the plants').click()
      await first.task('Water the plants').getByText('finished by you').waitFor()
      await first.add('Write to Grandma')
      await first.event(/added “Write to Grandma”/).waitFor()
      await first.picture('desktop-after-log-in')
    })

    it('says in plain words why the contract refuses', async () => {
      const context = await openContext({
        colorScheme: 'dark',
        viewport: { width: 390, height: 844 },
        isMobile: true,
        hasTouch: true,
      })
      const board = new BoardPage(await context.newPage())
      await board.open(url)
      await board.button(DEVELOPMENT_KEY).click()
      await board.picture('phone-after-log-in')
      await board.add('x'.repeat(81))
      await board.shows('Not done. The text has 81 characters. At most 80 fit.')
      await board.picture('phone-after-failed-send')
      await board.add(' ')
      await board.shows('Not done. Write what there is to do.')
      // The same form works afterwards.
      await board.add('Buy a shorter pencil')
      await board.shows(/^Final in block/)
      // Nothing is wider than the phone.
      expect(await board.page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390)
    })

    it('logs in with a wallet, which signs with its own key on its own connection', async () => {
      const context = await openContext()
      const wallet = new TestWallet(privateKeyToAccount(generatePrivateKey()), rpcUrl)
      await wallet.installIn(context)
      const board = new BoardPage(await context.newPage())
      await board.open(url)
      wallet.declinesNext = true
      await board.button('Test Wallet').click()
      await board.page.getByRole('alert').filter({ hasText: 'You declined it in the wallet.' }).waitFor()
      await board.button('Test Wallet').click()
      await board.button('Change to chain 31337').click()
      await board.button('Change to chain 31337').waitFor({ state: 'detached' })

      await board.add('Sign with a wallet')
      await board.shows(/^Final in block/)
      await board.event(/added “Sign with a wallet”/).waitFor()
      await board.task('Sign with a wallet').getByText('added by you').waitFor()
      // What the contract would refuse does not come to the wallet.
      await board.add('')
      await board.shows('Not done. Write what there is to do.')
      wallet.declinesNext = true
      await board.add('Think again')
      await board.shows('Not done. You declined it in the wallet.')
      await board.picture('wallet-declined')
    })

    it('finishes after a reload what it had signed before', async () => {
      const context = await openContext()
      const board = new BoardPage(await context.newPage())
      await board.open(url)
      await board.button(DEVELOPMENT_KEY).click()
      // Transactions do not get through, everything else does.
      await context.route(`${rpcUrl}/**`, (route) =>
        methodOf(route) === 'eth_sendRawTransaction' ? route.abort() : route.continue(),
      )
      await board.add('Come back')
      await board.shows('Signed and stored')
      await board.page.reload()
      await board.button('Log out').waitFor()
      expect(await board.task('Come back').count()).toBe(0)
      await context.unrouteAll({ behavior: 'wait' })
      await board.task('Come back').getByText('added by you').waitFor()
    })

    it('has no local key at a node that is not quoin dev, whatever its chain id', async () => {
      const context = await openContext()
      await context.route(`${rpcUrl}/**`, async (route) => {
        if (methodOf(route) !== 'web3_clientVersion') return route.continue()
        const response = await route.fetch()
        return route.fulfill({ response, json: { ...(await response.json()), result: 'quoin/0.1.0' } })
      })
      const board = new BoardPage(await context.newPage())
      await board.open(url)
      await board.page.getByText('No wallet was found in this browser.').waitFor()
      expect(await board.button(DEVELOPMENT_KEY).count()).toBe(0)
    })

    it('has the new contract soon after its source changes', { timeout: 300_000 }, async () => {
      const board = new BoardPage(await (await openContext()).newPage())
      await board.open(url)
      await board.button(DEVELOPMENT_KEY).click()
      const deployments = dev.output.match(/Deployed the board/g)!.length
      const source = join(project, 'contracts', 'board.ts')
      const text = await readFile(source, 'utf8')
      await writeFile(source, text.replace('TEXT_LENGTH_MAX = 80n', 'TEXT_LENGTH_MAX = 5n'))
      await board.page.getByText('Nothing to do yet.').waitFor()
      await board.add('Sixths')
      await board.shows('At most 5 fit.')
      await writeFile(source, text)
      // Once the old contract is back, the same text is short enough.
      await dev.shows(new RegExp(`(Deployed the board[^]*){${deployments + 2}}`))
      // The page may still send to the contract before, or be renewed while it does.
      await until('the contract of before takes it', async () => {
        await board.add('Sixths')
        const end = board.status.filter({ hasText: /^Final in block|fit\.$/ })
        const hasEnded = await end.waitFor({ timeout: 10_000 }).then(
          () => true,
          () => false,
        )
        return hasEnded && (await board.status.innerText()).startsWith('Final')
      })
    })
  })

  describe('that was built for another chain', () => {
    let node: DevNode
    let server: Server
    let url: string

    beforeAll(async () => {
      node = await startDevNode({ port: 0, chainId: OTHER_CHAIN, complain: () => undefined })
      const deployed = await inProject(['run', 'deploy'], { RPC_URL: node.url })
      expect(deployed.code, deployed.output).toBe(0)
      const built = await inProject(['run', 'build'], { VITE_RPC_URLS: node.url })
      expect(built.code, built.output).toBe(0)
      server = await serve(join(project, 'dist'))
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    })
    afterAll(async () => {
      server.closeAllConnections()
      server.close()
      await node.close()
    })

    it('has no local key, also not one that this browser had before, and works with a wallet', async () => {
      const context = await openContext()
      await context.addInitScript((key) => {
        if (location.protocol === 'http:') localStorage.setItem('development-key', key)
      }, generatePrivateKey())
      const wallet = new TestWallet(privateKeyToAccount(generatePrivateKey()), node.url)
      wallet.chainId = OTHER_CHAIN
      await wallet.installIn(context)
      const board = new BoardPage(await context.newPage())
      await board.open(url)
      await board.button('Test Wallet').waitFor()
      expect(await board.button(DEVELOPMENT_KEY).count()).toBe(0)
      expect(await board.button('Log out').count()).toBe(0)
      await board.button('Test Wallet').click()
      await board.add('Far away')
      await board.shows(/^Final in block/)
      await board.event(/added “Far away”/).waitFor()
    })

    it('says that no node answers when the node is gone', async () => {
      const board = new BoardPage(await (await openContext()).newPage())
      await board.open(url)
      await board.connection.filter({ hasText: 'Connected' }).waitFor()
      await node.close()
      await board.connection.filter({ hasText: 'No node answers.' }).waitFor()
      await board.picture('no-node')
    })
  })
})

/** The method that a page asks a node for. */
const methodOf = (route: Route): string | undefined =>
  (route.request().postDataJSON() as { readonly method: string } | null)?.method

const TYPES: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' }

/** A static server, as the built page needs one. */
async function serve(folder: string): Promise<Server> {
  const server = createServer((request, response) => {
    const path = request.url === '/' ? '/index.html' : request.url!
    readFile(join(folder, path)).then(
      (content) => response.setHeader('content-type', TYPES[extname(path)] ?? 'application/octet-stream').end(content),
      () => response.writeHead(404).end(),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}
