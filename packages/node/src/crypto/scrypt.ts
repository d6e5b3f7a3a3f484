import { scrypt } from 'node:crypto'

export interface ScryptCost {
  /** A power of two. */
  readonly n: number
  readonly r: number
  readonly p: number
}

/**
 * Derives a key by scrypt (RFC 7914) in a thread of Node's own. OpenSSL keeps to a bound of the RFC (N < 2^(16·r)) that widespread key files
 * exceed, because it was a mistake (erratum 7914): those are derived in this thread, ten times slower.
 *
 * @param cost checked by the caller: time is in proportion to n · r · p, memory to 128 · n · r bytes
 */
export async function scryptKey(
  password: Uint8Array,
  salt: Uint8Array,
  { n, r, p }: ScryptCost,
  length: number,
): Promise<Uint8Array> {
  if (n >= 2 ** (16 * r)) {
    const { scryptAsync } = await import('@noble/hashes/scrypt.js')
    return scryptAsync(password, salt, { N: n, r, p, dkLen: length })
  }
  // OpenSSL counts the blocks of all p, and two more.
  const options = { N: n, r, p, maxmem: 128 * r * (n + p + 2) + 1_024 }
  return new Promise((resolve, reject) =>
    scrypt(password, salt, length, options, (problem, key) =>
      problem === null ? resolve(new Uint8Array(key)) : reject(problem),
    ),
  )
}
