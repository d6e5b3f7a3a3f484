import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { unwrap } from '@quoin/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ecPair, pemOf, secretText } from '../../test/tokens.ts'
import { loadConfig } from '../config/index.ts'
import { dataDir } from '../keys/data-dir.ts'
import { IDENTITY_LIMITS } from '../rpc/identity/limits.ts'
import { CommandError } from './failure.ts'
import { describeCertificate, readRpcFiles } from './rpc-files.ts'
import { checkRpcFiles } from './rpc-files-check.ts'
import { rpcSettingsOf } from './rpc-settings.ts'

const pem = (name: string) => readFile(new URL(`../../test/tls/${name}.pem`, import.meta.url), 'utf8')

let root: string
const write = async (name: string, text: string, mode = 0o600) => {
  await writeFile(join(root, name), text)
  await chmod(join(root, name), mode)
}
const toml = (fields: Readonly<Record<string, unknown>>) =>
  `[rpc]\n${Object.entries(fields)
    .map(([name, value]) => `${name} = ${JSON.stringify(value)}\n`)
    .join('')}`
const settingsFor = async (fields: Readonly<Record<string, unknown>>) => {
  const config = unwrap(loadConfig({ file: { name: 'config.toml', text: toml(fields) }, env: {}, flags: {} }))
  return rpcSettingsOf(config, await readRpcFiles(config, root))
}

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'quoin-rpc-files-'))
  await write('secret', secretText())
  await write('keys.pem', pemOf(ecPair.publicKey), 0o644)
  await write('cert.pem', await pem('cert'), 0o644)
  await write('key.pem', await pem('key'))
})
afterEach(() => rm(root, { recursive: true }))

const ALL = { 'tls-cert': 'cert.pem', 'tls-key': 'key.pem', 'token-secret': 'secret', 'token-keys': ['keys.pem'] }

it('without settings there are no tokens and no TLS, and the chain decides who reads', async () => {
  const { identity, tls } = await settingsFor({})
  expect(tls).toBeUndefined()
  expect(identity).toMatchObject({ tokens: undefined, methodRules: [] })
  expect(identity?.openMethods).toContain('eth_sendRawTransaction')
})

it('files are named from the data directory on, or with a whole path', async () => {
  const { identity, tls } = await settingsFor({ ...ALL, 'token-keys': [join(root, 'keys.pem')], 'token-audience': 'chain' })
  expect(identity?.tokens).toMatchObject({ audience: 'chain', issuer: undefined, lifetimeS: 86_400 })
  expect(identity?.tokens?.keys).toHaveLength(1)
  expect(tls?.key).toBe(await pem('key'))
})

describe('refused are', () => {
  it.each<readonly [string, Readonly<Record<string, unknown>>, string]>([
    ['a file that does not exist', { 'token-secret': 'nothing' }, 'nothing does not exist'],
    ['a certificate without a key', { 'tls-cert': 'cert.pem' }, 'set rpc.tls-key too'],
    ['a key without a certificate', { 'tls-key': 'key.pem' }, 'set rpc.tls-cert too'],
    ['a key of another certificate', { ...ALL, 'tls-key': 'other.pem' }, 'rpc.tls-key other.pem: '],
    ['a public key as the secret', { 'token-secret': 'hidden.pem' }, 'hex digits'],
    ['a secret as a public key', { 'token-keys': ['secret'] }, 'no PUBLIC KEY'],
    ['a secret that others may read', { 'token-secret': 'shown' }, 'chmod 600'],
    ['a key that others may read', { ...ALL, 'tls-key': 'shown-key' }, 'chmod 600'],
    ['a file that is too long', { 'token-keys': ['long'] }, `${IDENTITY_LIMITS.fileBytesMax + 1} bytes`],
    ['a rule that is none', { methods: ['debug_*'] }, 'rpc.methods: debug_* is not a rule'],
    ['a pattern that is none', { 'open-methods': ['*_x'] }, 'rpc.open-methods'],
  ])('%s', async (_, fields, problem) => {
    await write('other.pem', await pem('other-key'))
    await write('hidden.pem', pemOf(ecPair.publicKey))
    await write('shown', secretText(), 0o640)
    await write('shown-key', await pem('key'), 0o604)
    await write('long', 'x'.repeat(IDENTITY_LIMITS.fileBytesMax + 1))
    const refused = settingsFor(fields)
    await expect(refused).rejects.toThrow(CommandError)
    await expect(refused).rejects.toThrow(problem)
  })
})

it('quoin doctor says what it found, and refuses a certificate that has expired', async () => {
  await writeFile(dataDir(root).config, toml(ALL))
  const lines: string[] = []
  await checkRpcFiles(dataDir(root), (line) => lines.push(line))
  expect(lines).toEqual([
    'tokens: 2 keys (HS256, ES256)',
    expect.stringMatching(
      /^tls: certificate for DNS:localhost, IP Address:127\.0\.0\.1, valid until .*GMT, and its key fit together$/,
    ),
  ])
  const tls = { cert: await pem('cert'), key: await pem('key') }
  expect(() => describeCertificate(tls, Date.parse('2200-01-01'))).toThrow(/has expired/)
  expect(() => describeCertificate(tls, Date.parse('2000-01-01'))).toThrow(/holds from/)
  await chmod(join(root, 'key.pem'), 0o644)
  await expect(checkRpcFiles(dataDir(root), () => {})).rejects.toThrow('chmod 600')
})
