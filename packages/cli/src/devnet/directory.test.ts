import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lockDirectory } from '@quoin/validator/directory'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { holdDirectory } from './directory.ts'

let root: string
let directory: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'quoin-devnet-'))
  directory = join(root, 'devnet')
})
afterEach(() => rm(root, { recursive: true }))

/** Creates files by path. A path that ends with a slash is a directory. */
async function make(...paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const at = join(directory, path)
    await mkdir(path.endsWith('/') ? at : join(at, '..'), { recursive: true })
    if (!path.endsWith('/')) await writeFile(at, path)
  }
}

const CHAIN = ['devnet.json', 'genesis.json', 'validator-1/db/', 'validator-1.log', 'validator-2/db/'] as const
const entries = async () => (await readdir(directory)).sort()

describe('the directory of a devnet', () => {
  it('may be missing, empty, complete or partly created', async () => {
    for (const [paths, isWhole] of [
      [[], false],
      [CHAIN, true],
      [['validator-1/config.toml', 'genesis.json'], false],
      [['lock/LOCK', 'genesis.json'], false],
    ] as const) {
      await make(...paths)
      const held = await holdDirectory(directory, false)
      expect(held.isWhole).toBe(isWhole)
      await held.close()
      await rm(directory, { recursive: true })
    }
  })

  it('loses only files of the devnet when it is cleared', async () => {
    await make(...CHAIN, 'notes.txt', 'validator-old/x')
    const held = await holdDirectory(directory, true)
    await held.clear()
    await held.releaseValidators()
    await held.close()
    expect(await entries()).toEqual(['lock', 'notes.txt', 'validator-old'])
  })

  it.each([false, true])('is not changed if it contains files that no devnet wrote (reset %s)', async (reset) => {
    await make('letters.txt', 'genesis.json')
    await expect(holdDirectory(directory, reset)).rejects.toThrow(
      /has no devnet\.json, but contains letters\.txt\. Nothing was changed/,
    )
    await rm(join(directory, 'letters.txt'))
    await expect(holdDirectory(directory, reset)).rejects.toThrow(/contains genesis\.json/)
    expect(await entries()).toEqual(['genesis.json'])
  })

  it('needs --reset if it contains a chain but no settings', async () => {
    await make(...CHAIN.slice(1))
    await expect(holdDirectory(directory, false)).rejects.toThrow(/its devnet\.json is missing.*add --reset/)
    expect(await entries()).not.toContain('lock')
    const held = await holdDirectory(directory, true)
    await held.clear()
    await held.close()
    expect(await entries()).toEqual(['lock'])
  })

  it.each(['', 'validator-2'])('is refused and not changed while its %j is running', async (running) => {
    await make(...CHAIN)
    const lock = await lockDirectory(join(directory, running))
    expect(lock.ok).toBe(true)
    const before = await entries()
    const what = running === '' ? 'the devnet in' : 'validator-2 in'
    for (const reset of [true, false])
      await expect(holdDirectory(directory, reset)).rejects.toThrow(
        new RegExp(`${what}.*is running \\(process ${process.pid}\\): stop it first`),
      )
    expect((await entries()).filter((name) => name !== 'lock')).toEqual(before.filter((name) => name !== 'lock'))
    if (lock.ok) await lock.value.close()
    const held = await holdDirectory(directory, true)
    await held.close()
  })

  it('releases the locks of the validators and keeps its own', async () => {
    await make(...CHAIN)
    const held = await holdDirectory(directory, false)
    const validator = () => lockDirectory(join(directory, 'validator-1'))
    expect((await validator()).ok).toBe(false)
    await held.releaseValidators()
    const taken = await validator()
    expect(taken.ok).toBe(true)
    expect((await lockDirectory(directory)).ok).toBe(false)
    if (taken.ok) await taken.value.close()
    await held.close()
  })
})
