import { createCipheriv, createDecipheriv, pbkdf2, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import {
  addressOfPublicKey,
  bytesToHex,
  type Crypto,
  concatBytes,
  err,
  ok,
  parseHex,
  publicKeyOf,
  type Result,
  utf8ToBytes,
} from '@quoin/protocol'
import { type ScryptCost, scryptKey } from '../crypto/scrypt.ts'

/*
 * Web3 Secret Storage, version 3 (ethereum.org, "Web3 secret storage definition"): the encrypted key files of go-ethereum, ethers, Foundry and
 * MyEtherWallet. Over node:crypto, because ox and ethers derive the key in JavaScript, which takes seconds, and bound nothing.
 */

/** Bounds of what a file may ask of the machine, so that a hostile one cannot stall it. go-ethereum's files reach them. */
export const KEYSTORE_LIMITS = {
  textCharsMax: 16 * 1024,
  /** N · r · p of scrypt: about two seconds, and ten times as long for costs that OpenSSL refuses (`crypto/scrypt.ts`). */
  scryptWorkMax: 2 ** 21,
  /** 128 · N · r bytes of scrypt. */
  scryptBytesMax: 256 * 1024 * 1024,
  /** Iterations of PBKDF2: about five seconds. */
  pbkdf2RoundsMax: 10_000_000,
  saltBytesMax: 64,
  passwordBytesMax: 4_096,
} as const

/** Cost of new files: as ethers, and OWASP's recommendation. Takes 128 MiB and about 0.4 s. */
const NEW_SCRYPT = { n: 2 ** 17, r: 8, p: 1 } as const

const DERIVED_BYTES = 32
const SECRET_BYTES = 32
const CIPHER = 'aes-128-ctr'

export interface KeystoreError {
  readonly code: 'invalid-keystore' | 'wrong-password'
  readonly message: string
}

const refuse = (message: string): Result<never, KeystoreError> => err({ code: 'invalid-keystore', message })

type Json = Readonly<Record<string, unknown>>
const object = (value: unknown): Json | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined

/** The keystore in a file's text; undefined if the text is no JSON with `"version": 3`. */
export function parseKeystore(text: string): Json | undefined {
  if (text.length > KEYSTORE_LIMITS.textCharsMax) return undefined
  try {
    const document = object(JSON.parse(text))
    return document?.['version'] === 3 ? document : undefined
  } catch {
    return undefined
  }
}

/** The address that a keystore names, in lower case; undefined if it names none. Nothing proves it without the password. */
export function addressInKeystore(keystore: Json): string | undefined {
  const { address } = keystore
  const digits = typeof address === 'string' ? address.toLowerCase().replace(/^0x/, '') : ''
  return /^[0-9a-f]{40}$/.test(digits) ? `0x${digits}` : undefined
}

/** Hex with or without 0x, of a length. */
function bytesIn(value: unknown, min: number, max: number): Uint8Array | undefined {
  if (typeof value !== 'string' || value.length > 2 * max + 2) return undefined
  const bytes = parseHex(value.startsWith('0x') ? value : `0x${value}`)
  return bytes !== undefined && bytes.length >= min && bytes.length <= max ? bytes : undefined
}

/** What a keystore asks for, checked against the bounds. */
interface Sealed {
  readonly derive: (password: Uint8Array) => Promise<Uint8Array>
  readonly iv: Uint8Array
  readonly ciphertext: Uint8Array
  readonly mac: Uint8Array
}

function readSealed(keystore: Json): Result<Sealed, KeystoreError> {
  // go-ethereum wrote a capital letter once.
  const crypto = object(keystore['crypto'] ?? keystore['Crypto'])
  if (crypto === undefined) return refuse('"crypto" must be an object')
  if (crypto['cipher'] !== CIPHER) return refuse(`"crypto.cipher" must be "${CIPHER}"`)
  const iv = bytesIn(object(crypto['cipherparams'])?.['iv'], 16, 16)
  const ciphertext = bytesIn(crypto['ciphertext'], SECRET_BYTES, SECRET_BYTES)
  const mac = bytesIn(crypto['mac'], 32, 32)
  if (iv === undefined) return refuse('"crypto.cipherparams.iv" must be 16 bytes of hex')
  if (ciphertext === undefined) return refuse(`"crypto.ciphertext" must be ${SECRET_BYTES} bytes of hex`)
  if (mac === undefined) return refuse('"crypto.mac" must be 32 bytes of hex')
  const derivation = readDerivation(crypto['kdf'], object(crypto['kdfparams']) ?? {})
  return derivation.ok ? ok({ derive: derivation.value, iv, ciphertext, mac }) : derivation
}

const whole = (value: unknown, max: number): value is number =>
  Number.isSafeInteger(value) && Number(value) >= 1 && Number(value) <= max

function readDerivation(kdf: unknown, given: Json): Result<Sealed['derive'], KeystoreError> {
  const { saltBytesMax, scryptWorkMax, scryptBytesMax, pbkdf2RoundsMax } = KEYSTORE_LIMITS
  const salt = bytesIn(given['salt'], 1, saltBytesMax)
  if (salt === undefined) return refuse(`"crypto.kdfparams.salt" must be 1 to ${saltBytesMax} bytes of hex`)
  if (given['dklen'] !== DERIVED_BYTES) return refuse(`"crypto.kdfparams.dklen" must be ${DERIVED_BYTES}`)
  if (kdf === 'scrypt') {
    const { n, r, p } = given
    if (!whole(n, scryptWorkMax) || !whole(r, scryptWorkMax) || !whole(p, scryptWorkMax) || n < 2 || (n & (n - 1)) !== 0)
      return refuse(`"crypto.kdfparams": n must be a power of two, r and p at least 1, none above ${scryptWorkMax}`)
    if (n * r * p > scryptWorkMax || 128 * n * r > scryptBytesMax)
      return refuse(
        `"crypto.kdfparams": n · r · p must be at most ${scryptWorkMax}, and 128 · n · r at most ${scryptBytesMax} bytes`,
      )
    return ok((password) => scryptKey(password, salt, { n, r, p }, DERIVED_BYTES))
  }
  if (kdf !== 'pbkdf2') return refuse('"crypto.kdf" must be "scrypt" or "pbkdf2"')
  const { c, prf } = given
  if (prf !== 'hmac-sha256') return refuse('"crypto.kdfparams.prf" must be "hmac-sha256"')
  if (!whole(c, pbkdf2RoundsMax)) return refuse(`"crypto.kdfparams.c" must be an integer from 1 to ${pbkdf2RoundsMax}`)
  return ok((password) => promisify(pbkdf2)(password, salt, c, DERIVED_BYTES, 'sha256'))
}

const macOf = (crypto: Crypto, derived: Uint8Array, ciphertext: Uint8Array): Uint8Array =>
  crypto.keccak256(concatBytes(derived.subarray(16), ciphertext))

/**
 * Decrypts a keystore.
 *
 * @param password as the user typed it, in UTF-8
 * @returns the secret key, 32 bytes, or what is wrong
 */
export async function openKeystore(crypto: Crypto, keystore: Json, password: string): Promise<Result<Uint8Array, KeystoreError>> {
  const sealed = readSealed(keystore)
  if (!sealed.ok) return sealed
  const { derive, iv, ciphertext, mac } = sealed.value
  const derived = new Uint8Array(await derive(utf8ToBytes(password)))
  if (!timingSafeEqual(macOf(crypto, derived, ciphertext), mac))
    return err({ code: 'wrong-password', message: 'the password is wrong, or the file is damaged' })
  const decipher = createDecipheriv(CIPHER, derived.subarray(0, 16), iv)
  const secretKey = new Uint8Array(Buffer.concat([decipher.update(ciphertext), decipher.final()]))
  const named = addressInKeystore(keystore)
  if (named !== undefined && addressOfSecret(crypto, secretKey) !== named)
    return refuse(`"address" is ${named}, but the key in the file has another address`)
  return ok(secretKey)
}

/** Address of a secret key; undefined if it is not one of secp256k1. */
export function addressOfSecret(crypto: Crypto, secretKey: Uint8Array): string | undefined {
  const compressed = secretKey.length === SECRET_BYTES ? crypto.publicKey(secretKey) : undefined
  return compressed && addressOfPublicKey(crypto, publicKeyOf(compressed))
}

/**
 * Encrypts a secret key.
 *
 * @param random source of salt, initialization vector and id
 * @returns the text of the file, with the address
 * @throws RangeError if the bytes are not a secret key of secp256k1
 */
export async function sealKeystore(
  crypto: Crypto,
  secretKey: Uint8Array,
  password: string,
  random: (length: number) => Uint8Array,
  cost: ScryptCost = NEW_SCRYPT,
): Promise<string> {
  const address = addressOfSecret(crypto, secretKey)
  if (address === undefined) throw new RangeError('not a secret key of secp256k1')
  const [salt, iv] = [random(32), random(16)]
  const derived = await scryptKey(utf8ToBytes(password), salt, cost, DERIVED_BYTES)
  const cipher = createCipheriv(CIPHER, derived.subarray(0, 16), iv)
  const ciphertext = new Uint8Array(Buffer.concat([cipher.update(secretKey), cipher.final()]))
  const hex = (bytes: Uint8Array): string => bytesToHex(bytes).slice(2)
  const document = {
    address: address.slice(2),
    crypto: {
      cipher: CIPHER,
      cipherparams: { iv: hex(iv) },
      ciphertext: hex(ciphertext),
      kdf: 'scrypt',
      kdfparams: { dklen: DERIVED_BYTES, ...cost, salt: hex(salt) },
      mac: hex(macOf(crypto, derived, ciphertext)),
    },
    id: uuidOf(random(16)),
    version: 3,
  }
  return `${JSON.stringify(document, null, 2)}\n`
}

/** A random UUID (RFC 9562, version 4). */
function uuidOf(bytes: Uint8Array): string {
  const own = Uint8Array.from(bytes)
  own[6] = (own[6]! & 0x0f) | 0x40
  own[8] = (own[8]! & 0x3f) | 0x80
  const hex = bytesToHex(own).slice(2)
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
