import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type BuildOptions, build } from 'esbuild'
import { type Browser, chromium } from 'playwright-core'

const PATH = process.env['QUOIN_TEST_CHROMIUM'] ?? '/usr/bin/chromium'
const isInstalled = existsSync(PATH)
const isRequired = process.env['QUOIN_TEST_BROWSER'] === 'required'
const MISSING = `No browser at ${PATH}. Debian: apt-get install --no-install-recommends chromium. Or set QUOIN_TEST_CHROMIUM to the path of a Chromium.`

/** Whether to leave out the tests that need a browser. Where one is required, they run and fail without it. */
export const isWithoutBrowser = !isInstalled && !isRequired
if (isWithoutBrowser) console.log(`${MISSING} Its tests are left out.`)

/** Starts a headless Chromium; the caller closes it. */
export function launch(args: readonly string[] = []): Promise<Browser> {
  if (!isInstalled) throw new Error(MISSING)
  // A root user, as in a container, has no sandbox.
  return chromium.launch({ executablePath: PATH, args: ['--no-sandbox', ...args] })
}

/** A web server that has one page. */
export interface PageServer {
  readonly origin: string
  close(): void
}

/** What esbuild needs to bundle a program for a page; `jsx` is React's. */
export const FOR_PAGES = {
  bundle: true,
  write: false,
  format: 'esm',
  platform: 'browser',
  target: 'es2022',
  jsx: 'automatic',
  conditions: ['@quoin/source'],
  logLevel: 'error',
} as const satisfies BuildOptions

/** Serves a page that runs a program. It may use `<div id="root">`, whose content `html` gives. */
export async function servePage(program: BuildOptions, html: () => string = () => ''): Promise<PageServer> {
  const { outputFiles } = await build({ ...FOR_PAGES, ...program, write: false })
  const server = createServer(({ url }, response) => {
    const isScript = url === '/page.js'
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
    const page = `<!doctype html><meta charset="utf-8"><div id="root">${html()}</div><script type="module" src="/page.js"></script>`
    response.end(isScript ? outputFiles[0]!.text : page)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
