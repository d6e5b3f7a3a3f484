import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { runs } from '../../../../test/long.ts'
import { Bundle, type Child, temporaryDirectory } from '../../test/child.ts'
import { describeStore } from '../../test/store/conformance.ts'
import { fileStore } from './node.ts'

describeStore('fileStore', async () => {
  const directory = await temporaryDirectory()
  return { open: () => fileStore(directory), destroy: () => rm(directory, { recursive: true }) }
})

describe('fileStore and killed processes', () => {
  let directory: string
  let committer: Bundle
  let owner: Bundle
  let children: Child[]
  const start = (bundle: Bundle, name: string): Child => {
    const child = bundle.start([directory, name])
    children.push(child)
    return child
  }
  beforeAll(async () => {
    committer = await Bundle.make(new URL('../../test/store/committer.ts', import.meta.url))
    owner = await Bundle.make(new URL('../../test/store/owner.ts', import.meta.url))
  })
  afterAll(() => Promise.all([committer.remove(), owner.remove()]))
  beforeEach(async () => {
    directory = await temporaryDirectory()
    children = []
  })
  afterEach(async () => {
    await Promise.all(children.map((child) => child.end()))
    await rm(directory, { recursive: true })
  })

  it('keeps every commit that was reported, whole, whoever is killed when', { timeout: runs(60_000) }, async () => {
    const names = ['a', 'b', 'c']
    /** The last commit that a process of this name reported. */
    const reported = new Map(names.map((name) => [name, 0]))
    const live = async (name: string): Promise<void> => {
      for (let life = 0; life < runs(5); life++) {
        const child = start(committer, name)
        // The number of commits differs, so that processes die at different steps.
        const goal = 7 + ((life * 31 + name.charCodeAt(0) * 17) % 60)
        await child.until(`${goal} commits`, (lines) => lines.length >= goal)
        await child.end('SIGKILL')
        expect(child.errors).toBe('')
        reported.set(name, Number(child.lines.at(-1)))
        // An interrupted commit is there or not, but never counted twice.
        expect(Number(child.lines[0])).toBeGreaterThan(0)
        const numbers = child.lines.map(Number)
        expect(numbers).toEqual(numbers.map((_, i) => numbers[0]! + i))
      }
    }
    await Promise.all(names.map(live))
    const store = await fileStore(directory)
    const counts = await Promise.all(names.map(async (name) => Number(await store.get(`count/${name}`))))
    for (const [i, name] of names.entries()) expect([0, 1]).toContain(counts[i]! - reported.get(name)!)
    expect(Number(await store.get('total'))).toBe(counts.reduce((a, b) => a + b))
    // The log was replaced more than once, and old parts are gone.
    const segments = (await readdir(directory)).filter((name) => name.startsWith('log-'))
    expect(segments.length).toBeLessThanOrEqual(2)
    expect(Math.max(...segments.map((name) => Number(name.split('-')[1])))).toBeGreaterThan(1)
    await store.close()
  })

  it('gives the name of a killed process to the next at once', async () => {
    const first = start(owner, 'key')
    await first.until('ownership', (lines) => lines.includes('owner'))
    const second = start(owner, 'key')
    const store = await fileStore(directory)
    expect(await store.own('key', async () => 'mine', { ifAvailable: true })).toBeUndefined()
    const begun = performance.now()
    await first.end('SIGKILL')
    await second.until('ownership', (lines) => lines.includes('owner'))
    console.log(`takeover after ${Math.round(performance.now() - begun)} ms`)
    await second.end('SIGKILL')
    // Also for a caller who does not wait.
    expect(await store.own('key', async () => 'mine', { ifAvailable: true })).toBe('mine')
    await store.close()
  })

  it('takes a name from a stopped process, which hears of it when it goes on', { timeout: 60_000 }, async () => {
    const first = start(owner, 'key')
    await first.until('ownership', (lines) => lines.includes('owner'))
    first.signal('SIGSTOP')
    const store = await fileStore(directory)
    await store.own('key', async () => {
      first.signal('SIGCONT')
      await first.until('loss', (lines) => lines.includes('lost'))
    })
    await store.close()
  })

  it('says which file is damaged', async () => {
    const store = await fileStore(directory)
    await store.commit([{ key: 'x', value: '1' }])
    await store.close()
    const segment = (await readdir(directory)).find((name) => name.startsWith('log-'))!
    await writeFile(join(directory, segment, '1'), '{"chan')
    const again = await fileStore(directory)
    await expect(again.get('x')).rejects.toMatchObject({
      reason: 'damaged',
      shortMessage: expect.stringContaining(`${segment}/1`) as string,
    })
    await again.close()
  })

  it('says what it cannot do', async () => {
    await writeFile(join(directory, 'file'), '')
    await expect(fileStore(join(directory, 'file'))).rejects.toMatchObject({ name: 'StoreError', reason: 'unavailable' })
  })
})
