import { randomBytes } from 'node:crypto'
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nobleCrypto } from '@quoin/protocol'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { sealKeystore } from '../keys/keystore.ts'
import { makeGenesis } from './genesis.ts'
import { describeKeys, type InitOptions, init } from './init.ts'

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'quoin-init-'))
})
afterEach(() => rm(root, { recursive: true }))

const options = (name: string): InitOptions => ({
  dataDir: join(root, name),
  genesis: undefined,
  developmentIndex: undefined,
  listen: '/ip4/10.0.0.1/tcp/26656',
  advertise: undefined,
  development: false,
  rpcPort: 8545,
  random: (length) => randomBytes(length),
})

/** Names and contents of the files in a data directory. */
async function filesOf(name: string): Promise<Readonly<Record<string, string>>> {
  const names = (await readdir(join(root, name))).sort()
  return Object.fromEntries(
    await Promise.all(names.map(async (file) => [file, await readFile(join(root, name, file), 'latin1')])),
  )
}

/** Writes a genesis for the node of a data directory. */
async function genesisOf(name: string): Promise<string> {
  const out = join(root, 'genesis.json')
  const { entry } = await describeKeys(join(root, name))
  const settings = { chainId: 4711, timeMs: 1, development: false, parameters: {}, fund: [], force: true }
  await makeGenesis({ ...settings, validator: [JSON.stringify(entry)], validators: undefined, out })
  return out
}

it('creates every file of a data directory, with a copy of the genesis', async () => {
  await init(options('a'))
  const genesis = await genesisOf('a')
  await init({ ...options('b'), genesis })
  expect(Object.keys(await filesOf('a'))).toEqual(['config.toml', 'node-key.json', 'sign-state', 'validator-key.json'])
  const copied = await filesOf('b')
  expect(copied['genesis.json']).toBe(await readFile(genesis, 'utf8'))
})

it('refuses a directory that has one of the files, and changes nothing in it', async () => {
  await init(options('full'))
  const genesis = await genesisOf('full')
  await copyFile(genesis, join(root, 'full', 'genesis.json'))
  for (const file of await readdir(join(root, 'full'))) {
    const dataDir = join(root, `with-${file}`)
    await mkdir(dataDir)
    await writeFile(join(dataDir, file), 'mine')
    await expect(init({ ...options(`with-${file}`), genesis })).rejects.toThrow(`${join(dataDir, file)} already exists`)
    expect(await filesOf(`with-${file}`)).toEqual({ [file]: 'mine' })
  }
})

it('keeps a genesis that is in the directory already', async () => {
  await mkdir(join(root, 'a'))
  await writeFile(join(root, 'a', 'genesis.json'), 'mine')
  await init(options('a'))
  expect((await filesOf('a'))['genesis.json']).toBe('mine')
})

it("describes a node whose validator's key is encrypted, with the file of its password", async () => {
  const keys = await init(options('a'))
  const plain = await describeKeys(join(root, 'a'))
  const cheap = { n: 1_024, r: 8, p: 1 }
  const sealed = await sealKeystore(nobleCrypto, keys.validator.secretKey, 'geheim', (length) => randomBytes(length), cheap)
  await writeFile(join(root, 'a', 'validator-key.json'), sealed)
  await expect(describeKeys(join(root, 'a'))).rejects.toThrow('keys.password-file')
  const password = join(root, 'password')
  const config = join(root, 'a', 'config.toml')
  const settings = await readFile(config, 'utf8')
  const set = settings.replace(/^password-file = ""$/m, `password-file = ${JSON.stringify(password)}`)
  expect(set).not.toBe(settings)
  await writeFile(config, set)
  await writeFile(password, 'geheim\n', { mode: 0o644 })
  if (process.platform !== 'win32') await expect(describeKeys(join(root, 'a'))).rejects.toThrow(`chmod 600 ${password}`)
  await chmod(password, 0o600)
  expect(await describeKeys(join(root, 'a'))).toEqual(plain)
  await writeFile(password, 'falsch')
  await expect(describeKeys(join(root, 'a'))).rejects.toThrow('the password is wrong')
})
