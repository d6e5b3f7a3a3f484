import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bytesToHex, nobleCrypto as crypto, hexToBytes } from '@quoin/protocol'
import { decryptKeystoreJson, encryptKeystoreJson } from 'ethers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { addressInKeystore, openKeystore, parseKeystore, sealKeystore } from './keystore.ts'
import { readPasswordFile, readSecretFile } from './secret-file.ts'

/** Test vectors of the definition (ethereum.org, "Web3 secret storage definition"). */
const SECRET = '0x7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d'
const PASSWORD = 'testpassword'
const PBKDF2 = {
  crypto: {
    cipher: 'aes-128-ctr',
    cipherparams: { iv: '6087dab2f9fdbbfaddc31a909735c1e6' },
    ciphertext: '5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46',
    kdf: 'pbkdf2',
    kdfparams: {
      c: 262_144,
      dklen: 32,
      prf: 'hmac-sha256',
      salt: 'ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd',
    },
    mac: '517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2',
  },
  id: '3198bc9c-6672-5ab3-d995-4942343ae5b6',
  version: 3,
}
const SCRYPT = {
  crypto: {
    cipher: 'aes-128-ctr',
    cipherparams: { iv: '83dbcc02d8ccb40e466191a123791e0e' },
    ciphertext: 'd172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c',
    kdf: 'scrypt',
    kdfparams: {
      dklen: 32,
      n: 262_144,
      p: 8,
      r: 1,
      salt: 'ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19',
    },
    mac: '2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097',
  },
  id: '3198bc9c-6672-5ab3-d995-4942343ae5b6',
  version: 3,
}

const open = (document: object, password = PASSWORD) => openKeystore(crypto, parseKeystore(JSON.stringify(document))!, password)
const VECTOR_MS_MAX = 90_000
const CHEAP = { n: 2 ** 10, r: 8, p: 1 }

describe('keystores', () => {
  it.each([
    ['PBKDF2', PBKDF2],
    ['scrypt', SCRYPT],
    ['PBKDF2, as go-ethereum wrote it once', { ...PBKDF2, crypto: undefined, Crypto: PBKDF2.crypto }],
  ])(
    'open the vector of the definition: %s',
    async (_, document) => {
      const opened = await open(document)
      expect(opened.ok && bytesToHex(opened.value)).toBe(SECRET)
    },
    // OpenSSL refuses the cost of the vector for scrypt, so JavaScript derives it.
    VECTOR_MS_MAX,
  )

  it('refuse a wrong password', async () => {
    expect(await open(PBKDF2, 'testpasswor')).toMatchObject({ ok: false, error: { code: 'wrong-password' } })
  })

  it('ethers opens ours, and we open what ethers makes', async () => {
    const password = 'Straße 7, пароль'
    const text = await sealKeystore(crypto, hexToBytes(SECRET), password, (length) => randomBytes(length))
    const decrypted = await decryptKeystoreJson(text, password)
    expect(decrypted.privateKey).toBe(SECRET)
    expect(addressInKeystore(parseKeystore(text)!)).toBe(decrypted.address.toLowerCase())
    const theirs = await encryptKeystoreJson(decrypted, password, { scrypt: { N: 2 ** 14, r: 8, p: 1 } })
    const opened = await openKeystore(crypto, parseKeystore(theirs)!, password)
    expect(opened.ok && bytesToHex(opened.value)).toBe(SECRET)
  })

  const kdf = (kdfparams: object) => ({
    ...SCRYPT,
    crypto: { ...SCRYPT.crypto, kdfparams: { ...SCRYPT.crypto.kdfparams, ...kdfparams } },
  })
  const crypt = (fields: object) => ({ ...SCRYPT, crypto: { ...SCRYPT.crypto, ...fields } })

  it.each<[string, object, string]>([
    ['more work than a second or four', kdf({ n: 2 ** 21, r: 1 }), 'n · r · p must be at most'],
    ['more memory', kdf({ n: 2 ** 20, r: 4, p: 1 }), '128 · n · r at most'],
    ['a product beyond all numbers', kdf({ n: 2 ** 21, r: 2 ** 21, p: 2 ** 21 }), 'n · r · p must be at most'],
    ['no power of two', kdf({ n: 262_145 }), 'power of two'],
    ['negative blocks', kdf({ r: -1 }), 'at least 1'],
    ['a text for a number', kdf({ p: '8' }), 'at least 1'],
    ['another length', kdf({ dklen: 64 }), 'dklen'],
    ['a long salt', kdf({ salt: 'ab'.repeat(65) }), 'salt'],
    [
      'many rounds',
      { ...PBKDF2, crypto: { ...PBKDF2.crypto, kdfparams: { ...PBKDF2.crypto.kdfparams, c: 10_000_001 } } },
      '"crypto.kdfparams.c"',
    ],
    [
      'another hash',
      { ...PBKDF2, crypto: { ...PBKDF2.crypto, kdfparams: { ...PBKDF2.crypto.kdfparams, prf: 'hmac-md5' } } },
      'prf',
    ],
    ['another cipher', crypt({ cipher: 'aes-256-ctr' }), 'cipher'],
    ['another derivation', crypt({ kdf: 'argon2' }), 'kdf'],
    ['no secret', crypt({ ciphertext: 'ab' }), 'ciphertext'],
    ['a short vector', crypt({ cipherparams: { iv: 'ab' } }), 'iv'],
    ['nothing', { version: 3 }, '"crypto" must be an object'],
    ['the address of another key', { ...PBKDF2, address: 'ab'.repeat(20) }, '"address"'],
  ])('refuses %s', async (_, document, message) => {
    const opened = await open(document)
    expect(opened.ok ? '' : opened.error.message).toContain(message)
  })

  it('knows a keystore by its version alone', () => {
    for (const text of ['', '{', '[]', 'null', '{"version":4}', ' '.repeat(20_000)]) expect(parseKeystore(text)).toBeUndefined()
  })

  it('two keystores of one key share nothing', async () => {
    const seal = () => sealKeystore(crypto, hexToBytes(SECRET), 'x', (length) => randomBytes(length), CHEAP)
    const [a, b] = [JSON.parse(await seal()), JSON.parse(await seal())]
    expect(a.crypto.ciphertext).not.toBe(b.crypto.ciphertext)
    expect(a.crypto.kdfparams.salt).not.toBe(b.crypto.kdfparams.salt)
    expect(a.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  })
})

describe('files with secrets', () => {
  let directory: string
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'quoin-keys-'))
  })
  afterAll(() => rm(directory, { recursive: true }))

  it.skipIf(process.platform === 'win32')('are refused while others may read them, with the line to type', async () => {
    const path = join(directory, 'a key')
    await writeFile(path, 'secret\n', { mode: 0o600 })
    expect(await readPasswordFile(path)).toEqual({ ok: true, value: 'secret' })
    for (const mode of [0o640, 0o604, 0o660]) {
      await chmod(path, mode)
      const read = await readSecretFile(path)
      expect(read.ok ? '' : read.error.message).toContain(`chmod 600 '${path}'`)
      expect((await readSecretFile(path, 'win32')).ok).toBe(true)
    }
  })

  it('are refused when they are too long for a secret', async () => {
    const path = join(directory, 'long')
    await writeFile(path, 'x'.repeat(70_000), { mode: 0o600 })
    expect((await readSecretFile(path)).ok).toBe(false)
  })
})
