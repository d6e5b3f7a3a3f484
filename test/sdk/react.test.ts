import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { toHex } from 'viem'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { streamBlocks } from '../../packages/sdk/src/index.ts'
import { account } from '../e2e/harness.ts'
import { holds, until } from '../e2e/watch.ts'
import { isWithoutBrowser, launch, type PageServer, servePage } from './chromium.ts'
import { abi, type Counter, counter } from './counter.ts'
import type { NodeProxy } from './proxy.ts'
import type { Shown } from './react-app.ts'
import type { ReactPage, Task } from './react-page.ts'
import { type Rendered, renderFor } from './react-server.ts'
import { stage } from './stage.ts'

const key = toHex(account(3).getHdKey().privateKey!)

describe.skipIf(isWithoutBrowser)('hooks in a real browser, under StrictMode', () => {
  const { direct, url, nodes, mine } = stage()
  let server: PageServer
  let browser: Browser
  let page: Page
  let counted: Counter
  /** What a server rendered into the page. */
  let served = ''

  beforeAll(async () => {
    const entryPoints = [fileURLToPath(new URL('./react-page.ts', import.meta.url))]
    server = await servePage({ entryPoints }, () => served)
    browser = await launch()
    counted = await counter({ direct, url })
  })
  afterEach(async () => {
    expect(await page.evaluate('page.uncaught')).toEqual([])
    await page.close()
  })
  afterAll(async () => {
    await browser?.close()
    server?.close()
  })

  const inPage = <T, A>(ask: (page: ReactPage, argument: A) => Promise<T> | T, argument: A): Promise<T> =>
    page.evaluate(`(${ask.toString()})(globalThis.page, ${JSON.stringify(argument)})`) as Promise<T>
  const change = (shown: Partial<Shown>) => inPage((it, part) => it.change(part as Partial<Shown>), shown as object)
  const story = () => inPage((it) => it.story(), null)
  const textOf = (id: string) => page.locator(`#${id}`).innerText()
  /** Waits until an output reads so. */
  async function reads(id: string, text: string | RegExp): Promise<void> {
    let last = ''
    const matches = async () => {
      last = await textOf(id)
      return typeof text === 'string' ? last.startsWith(text) : text.test(last)
    }
    await until(`#${id} reads ${text}`, matches, { deadlineMs: 30_000, report: () => `it reads: ${last}` })
  }

  async function openPage(): Promise<void> {
    page = await browser.newPage()
    await page.goto(server.origin)
    await page.waitForFunction(() => 'page' in globalThis)
  }

  /** Opens the page over a cluster of the given nodes. */
  async function mount(over: readonly NodeProxy[], shown: Partial<Shown>, more: object = {}): Promise<void> {
    await openPage()
    const all: Shown = { counter: counted.address, above: [], isEnabled: true, isSending: false, ...shown }
    await inPage((it, given) => it.mount(given as never), { urls: over.map((one) => one.url), shown: all, ...more } as object)
  }
  const total = () => direct().readContract({ address: counted.address, abi, functionName: 'total' })
  const reached = (over: readonly NodeProxy[], method: string) => over.reduce((sum, node) => sum + node.count(method), 0)

  describe('useContractState', () => {
    it('shows a value and each change of it, in one call for all components', async () => {
      const over = await nodes(1)
      const before = await total()
      await mount(over, { above: ['0', '0', '1'] })
      await counted.emit(1)
      await reads('above-0', `success ${before + 1n} at block`)
      const calls = reached(over, 'eth_call')
      const blocks = await direct().getBlockNumber()
      await counted.emit(2)
      await reads('above-0', `success ${before + 3n} at block`)
      await reads('above-1', `success ${before + 3n} at block`)
      await reads('above-2', `success ${before + 2n} at block`)
      // At most one call for each new block.
      const later = await direct().getBlockNumber()
      expect(reached(over, 'eth_call') - calls).toBeLessThanOrEqual(Number(later - blocks))
    })

    it('asks nothing any more when its components are gone', async () => {
      const over = await nodes(1)
      await mount(over, { above: ['0', '1'] })
      await reads('above-1', 'success')
      await inPage((it) => it.unmount(), null)
      const asked = () => reached(over, 'eth_call') + reached(over, 'quoin_getStream')
      // A request that had left may still arrive.
      await holds('nothing is asked', 300, async () => true)
      const before = asked()
      await counted.emit(1)
      await mine(3)
      await holds('nothing is asked', 1_000, async () => asked() === before)
    })

    it('never shows the value of earlier arguments', async () => {
      const over = await nodes(1)
      await counted.emit(1)
      const now = await total()
      await mount(over, { above: ['0'] })
      await reads('above-0', `success ${now}`)
      await change({ above: ['1'] })
      await reads('above-0', `success ${now - 1n}`)
      await change({ above: ['0'] })
      await reads('above-0', `success ${now}`)
      const { renderings } = await story()
      expect(renderings).toContain('1 pending undefined')
      const values = (argument: string) => new Set(renderings.filter((line) => line.startsWith(`${argument} success`)))
      expect(values('0')).toEqual(new Set([`0 success ${now}`]))
      expect(values('1')).toEqual(new Set([`1 success ${now - 1n}`]))
    })

    it("shows a contract's refusal, and the value when there is one again", async () => {
      const over = await nodes(1)
      const now = await total()
      await mount(over, { above: [String(now + 1n)] })
      await reads('above-0', /^error undefined at none .*TooFew/s)
      await counted.emit(1)
      await reads('above-0', 'success 0 at block')
    })

    it('survives that queries are invalidated or reset', async () => {
      const over = await nodes(1)
      const now = await total()
      await mount(over, { above: ['0'] })
      await reads('above-0', `success ${now}`)
      await inPage((it) => it.invalidate(), null)
      await reads('above-0', `success ${now}`)
      await inPage((it) => it.resetQueries(), null)
      await reads('above-0', `success ${now}`)
      await counted.emit(1)
      await reads('above-0', `success ${now + 1n}`)
    })

    it('goes on at another node when its node dies', async () => {
      const over = await nodes(2)
      await mount(over, { above: ['0'] })
      await reads('above-0', 'success')
      await over[0]!.stop()
      await counted.emit(1)
      await reads('above-0', `success ${await total()}`)
      await over[0]!.listen()
      await over[1]!.stop()
      await counted.emit(1)
      await reads('above-0', `success ${await total()}`)
    })

    it('says that no node answers, and shows the value as soon as one does', async () => {
      const [node] = await nodes(1)
      await node!.stop()
      await mount([node!], { above: ['0'] })
      await reads('above-0', /^error .*No node has answered/)
      await node!.listen()
      await reads('above-0', `success ${await total()}`)
    })

    it('goes back with a development chain that was reset', async () => {
      const over = await nodes(1)
      const now = await total()
      await mine(1)
      const snapshot = await direct().request({ method: 'evm_snapshot' } as never)
      // A cluster would not show a height below one that was seen.
      await mount(over, { above: ['0'] }, { isPlain: true })
      await counted.emit(1)
      await mine(2)
      await reads('above-0', `success ${now + 1n}`)
      await direct().request({ method: 'evm_revert', params: [snapshot] } as never)
      await reads('above-0', `success ${now}`)
    })

    it('reads nothing while it is not enabled, and says that a chain is missing', async () => {
      const over = await nodes(1)
      await mount(over, { above: ['0'], isEnabled: false })
      await reads('above-0', 'pending undefined at none')
      expect(over[0]!.arrived).toEqual([])
      await change({ chainId: 5, isEnabled: true })
      await reads('above-0', /^error .*no chain 5/)
    })
  })

  describe('useStream', () => {
    it('shows each item once, the newest ones, and clears', async () => {
      const over = await nodes(1)
      await counted.emit(3)
      const first = await total()
      const all = (to: bigint, count: bigint) =>
        Array.from({ length: Number(count) }, (_, i) => to - count + 1n + BigInt(i)).join()
      await mount(over, { stream: { key: 'a', from: { block: 0 } } })
      await reads('counted', `live ${all(first, first)} head`)
      await counted.emit(2)
      await reads('counted', `live ${all(first + 2n, first + 2n)} head`)
      await change({ stream: { key: 'a', from: 'now', limit: 2 } })
      await reads('counted', `live ${all(first + 2n, 2n)} head`)
      await inPage((it) => it.clear(), null)
      await reads('counted', 'live head')
      await counted.emit(1)
      await reads('counted', `live ${first + 3n} head`)
      // StrictMode opens it twice, and the first one is aborted.
      expect(await story()).toMatchObject({ streams: 2, openStreams: 1 })
    })

    it('shows nothing of another stream, and closes the one before', async () => {
      const over = await nodes(1)
      await counted.emit(1)
      await mount(over, { stream: { key: 'a', from: { block: 0 } } })
      await reads('counted', /^live .*1,2/)
      await change({ stream: { key: 'b', from: 'now' } })
      await reads('counted', 'live head')
      const { renderings, openStreams } = await story()
      expect(openStreams).toBe(1)
      expect(new Set(renderings.filter((line) => line.startsWith('stream b')))).toEqual(new Set(['stream b ']))
      await change({ isEnabled: false })
      await reads('counted', 'pending')
      expect(await story()).toMatchObject({ openStreams: 0 })
      await inPage((it) => it.unmount(), null)
      expect(await story()).toMatchObject({ openStreams: 0 })
    })

    it('loses and repeats nothing when nodes die', async () => {
      const over = await nodes(2)
      await mount(over, { stream: { key: 'a', from: 'now' } })
      await reads('counted', 'live')
      const first = (await total()) + 1n
      for (const node of over) {
        await counted.emit(1)
        await node.stop()
        await counted.emit(2)
        await node.listen()
      }
      await reads('counted', `live ${Array.from({ length: 6 }, (_, i) => first + BigInt(i)).join()} head`)
    })

    it('goes on behind what was shown, where it has a cursor', async () => {
      const over = await nodes(1)
      await counted.emit(1)
      const first = await total()
      await mount(over, { stream: { key: 'a', from: { block: 0 }, hasCursor: true } })
      await reads('counted', new RegExp(`^live 1,.*\\b${first} head`))
      await change({ isEnabled: false })
      await reads('counted', 'pending')
      await counted.emit(2)
      await change({ isEnabled: true })
      await reads('counted', `live ${first + 1n},${first + 2n} head`)
    })

    it('says why it ended', async () => {
      // A cursor of blocks that the development chain has forgotten.
      const snapshot = await direct().request({ method: 'evm_snapshot' } as never)
      await mine(2)
      const reading = streamBlocks(direct(), { from: 'now' }).batches({ includeEmpty: true })
      const { cursor } = (await reading.next()).value!
      await reading.return()
      await direct().request({ method: 'evm_revert', params: [snapshot] } as never)
      await mount(await nodes(1), { stream: { key: 'a', from: { cursor } } })
      await reads('counted', /^error .*CursorUnknownError/)
      await change({ chainId: 5, stream: { key: 'a', from: 'now' } })
      await reads('counted', /^error .*QuoinError/)
    })
  })

  describe('useSend', () => {
    const send = (task: Task) => inPage((it, given) => it.send(given as Task), task as object)
    const statuses = ['pending queued', 'pending signed', 'pending sent', 'pending included', 'success included']

    it('shows every status of a send', async () => {
      await mount(await nodes(1), { isSending: true }, { key })
      await reads('count', 'idle none')
      const before = await total()
      expect(await send({ count: '2' })).toBe('success')
      await reads('count', 'success included success')
      expect(await total()).toBe(before + 2n)
      // Two of them may be rendered as one.
      const { sends } = await story()
      expect(sends[0]).toBe('idle none')
      expect(sends.slice(1)).toEqual(statuses.filter((status) => sends.includes(status)))
      expect(sends).toEqual(expect.arrayContaining(['pending queued', 'pending sent', 'success included']))
      await inPage((it) => it.reset(), null)
      await reads('count', 'idle none')
      expect(await send({ count: '1', isForgotten: true })).toBe('forgotten')
      await reads('count', 'success included')
    })

    it('shows the newest of several sends, and each ends for its caller', async () => {
      const over = await nodes(1)
      await mount(over, { isSending: true }, { key })
      const before = await total()
      // All begin at once. Of the first two, one of which fails, nothing is shown.
      const tasks: readonly Task[] = [{ count: '1', gas: '21000' }, { count: '1' }, { count: '2' }]
      const results = await inPage((it, given) => Promise.all(given.map((task) => it.send(task))), tasks)
      expect(results).toEqual([expect.stringMatching(/^(refused|reverted)$/), 'success', 'success'])
      await reads('count', 'success included')
      expect(await total()).toBe(before + 3n)
      const { sends } = await story()
      expect(sends).toEqual(['idle none', ...statuses.filter((status) => sends.includes(status))])
    })

    it('says why a send failed', async () => {
      await mount(await nodes(1), { isSending: true }, { key })
      expect(await send({ count: '-1' })).toBe('invalid')
      await reads('count', 'error failed invalid')
      expect(await send({ count: '1' })).toBe('success')
      await reads('count', 'success included')
    })

    it('cancels a send that is not signed, and no other', async () => {
      const [node] = await nodes(1)
      await mount([node!], { isSending: true }, { key })
      expect(await inPage((it) => it.cancel(), null)).toBe(false)
      expect(await send({ count: '1' })).toBe('success')
      expect(await inPage((it) => it.cancel(), null)).toBe(false)
      await node!.stop()
      const ended = send({ count: '1' })
      await reads('count', 'pending queued')
      expect(await inPage((it) => it.cancel(), null)).toBe(true)
      expect(await ended).toBe('cancelled')
      await reads('count', 'error failed cancelled')
      await node!.listen()
    })

    it('goes on when its component is gone, and when its node dies', async () => {
      const over = await nodes(2)
      await mount(over, { isSending: true }, { key })
      const before = await total()
      await over[0]!.stop()
      const ended = send({ count: '1' })
      await inPage((it) => it.unmount(), null)
      expect(await ended).toBe('success')
      expect(await total()).toBe(before + 1n)
    })

    it('refuses until its sends are there', async () => {
      await mount(await nodes(1), { isSending: true })
      expect(await send({ count: '1' })).toContain('The sends are not there yet')
      await reads('count', 'idle none')
    })
  })

  describe('what a server rendered', () => {
    const shown = () => ({ counter: counted.address, above: ['0', '0'], isEnabled: true, isSending: false })

    /** Opens the page that a server rendered; the hooks take it over. */
    async function open(node: NodeProxy, { html, state }: Rendered, look: () => Promise<void>): Promise<void> {
      served = html
      await openPage()
      await look()
      await inPage((it, given) => it.mount(given as never), { urls: [node.url], shown: shown(), state } as object)
    }
    afterEach(() => {
      served = ''
    })

    it('is shown at once, and then kept fresh', async () => {
      const [node] = await nodes(1)
      const now = await total()
      const rendered = await renderFor([node!.url], shown())
      await open(node!, rendered, async () => expect(await textOf('above-0')).toContain(`success ${now} at block`))
      await counted.emit(1)
      await reads('above-1', `success ${now + 1n}`)
      const { renderings } = await story()
      expect(renderings[0]).toBe(`0 success ${now}`)
      expect(renderings.filter((line) => !line.includes('success'))).toEqual([])
    })

    it('stays until the nodes of the page are as far as those of the server', async () => {
      const [node] = await nodes(1)
      const now = await total()
      const ahead = (await direct().getBlockNumber()) + 2n
      const rendered = await renderFor([node!.url], shown(), { value: 999n, blockNumber: ahead })
      await open(node!, rendered, async () => expect(await textOf('above-0')).toContain('success 999'))
      await until('the page reads', async () => node!.count('eth_call') > 0)
      await counted.emit(1)
      await counted.emit(1)
      await reads('above-1', `success ${now + 2n}`)
      expect(new Set((await story()).renderings)).toEqual(new Set(['0 success 999', `0 success ${now + 2n}`]))
    })
  })
})
