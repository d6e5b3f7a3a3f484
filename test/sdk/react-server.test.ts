import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { QueryClient } from '@tanstack/react-query'
import { build } from 'esbuild'
import { renderToString } from 'react-dom/server'
import { describe, expect, it } from 'vitest'
import { Program, ROOT, run } from '../e2e/program.ts'
import { holds } from '../e2e/watch.ts'
import { counter } from './counter.ts'
import { app, configOf, newStory, type Shown } from './react-app.ts'
import { renderFor } from './react-server.ts'
import { chain, stage } from './stage.ts'

const first = stage()
const second = stage()
const shownOf = (address: Shown['counter'], rest: Partial<Shown> = {}): Shown => ({
  ...{ counter: address, above: ['0'], isEnabled: true, isSending: true, ...rest },
})

describe('on a server', () => {
  it('two users at once see their own values, also where all names are equal', async () => {
    const [[one], [other]] = await Promise.all([first.nodes(1), second.nodes(1)])
    const counters = await Promise.all([counter(first), counter(second)])
    // Two chains of the same id, with a contract at the same address: whatever is shared would show.
    expect(counters[0].address).toBe(counters[1].address)
    await Promise.all([counters[0].emit(3), counters[1].emit(7)])
    const shown = shownOf(counters[0].address)
    const pages = await Promise.all([one!, other!, one!, other!].map(({ url }) => renderFor([url], shown)))
    expect(pages.map(({ html }) => /success \d+/.exec(html)?.[0])).toEqual(['success 3', 'success 7', 'success 3', 'success 7'])
    expect(pages[0]!.state).not.toBe(pages[1]!.state)
  })

  it('renders pending without a prefetched value, asks no node, and opens no stream', async () => {
    const [node] = await first.nodes(1)
    const story = newStory()
    const shown = shownOf('0x0000000000000000000000000000000000000001', { stream: { key: 'a', from: 'now' } })
    const config = configOf(chain, [node!.url])
    const html = renderToString(app({ ...shown, config, queryClient: new QueryClient(), story }))
    expect(html).toContain('pending undefined at none')
    expect(html).toContain('idle none')
    await holds('nothing is asked', 300, async () => node!.connections === 0)
    expect(story.signals).toEqual([])
  })
})

describe('the package', () => {
  const folder = join(ROOT, 'packages', 'sdk', 'dist', 'react')

  it('marks each module that has a hook for bundlers with server components, and no other', async () => {
    const files = (await readdir(folder)).filter((file) => file.endsWith('.js'))
    expect(files).toContain('use-stream.js')
    for (const file of files) {
      const text = await readFile(join(folder, file), 'utf8')
      expect([file, text.startsWith("'use client';")]).toEqual([file, file.startsWith('use-')])
      expect([file, /^export function use/m.test(text)]).toEqual([file, file.startsWith('use-')])
    }
  })

  it('changes no global when it is imported, also twice, and keeps no process alive', async () => {
    // One file inside the repository, so that its packages are found and all of it is loaded twice.
    const outfile = join(ROOT, 'node_modules', '.cache', 'quoin', `react-${process.pid}.mjs`)
    try {
      await build({ entryPoints: [join(folder, 'index.js')], outfile, bundle: true, packages: 'external', format: 'esm' })
      const ran = await run(new Program(process.execPath, ['--input-type=module', '--eval', IMPORTS, outfile]))
      expect(ran).toMatchObject({ code: 0, output: 'unchanged\n' })
    } finally {
      await rm(outfile, { force: true })
    }
  })
})

/** Compares every global with what was there before. The peers come first: what they do is theirs. */
const IMPORTS = `
import { pathToFileURL } from 'node:url'
await Promise.all(['react', 'wagmi', '@tanstack/react-query', 'viem', 'viem/actions', 'viem/utils'].map((name) => import(name)))
const url = pathToFileURL(process.argv[1]).href
const snapshot = () => new Map(Reflect.ownKeys(globalThis).map((name) => [name, Reflect.getOwnPropertyDescriptor(globalThis, name)]))
const same = (a, b) => Object.is(a?.value, b?.value) && a?.get === b?.get && a?.set === b?.set
const before = snapshot()
const one = await import(url)
const two = await import(url + '?again')
const after = snapshot()
const changed = [...new Set([...before.keys(), ...after.keys()])].filter((name) => !same(before.get(name), after.get(name)))
if (one.useSend === undefined || one.useSend === two.useSend) changed.push('the module')
console.log(changed.length === 0 ? 'unchanged' : 'changed: ' + changed.map(String).join())
`
