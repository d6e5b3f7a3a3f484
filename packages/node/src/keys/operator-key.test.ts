import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bytesToHex, nobleCrypto as crypto, unwrap } from '@quoin/protocol'
import { privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readOperatorKey } from './operator-key.ts'

const SECRET = `0x${'5a'.repeat(32)}` as const
const CURVE_ORDER = 'fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'quoin-operator-'))
})
afterAll(() => rm(directory, { recursive: true }))

async function file(name: string, text: string, mode = 0o600): Promise<string> {
  const path = join(directory, name)
  await writeFile(path, text)
  await chmod(path, mode)
  return path
}

describe('the operator key file', () => {
  it('has a secret key in hex; the account signs as viem does', async () => {
    const account = unwrap(await readOperatorKey(crypto, await file('good', `${SECRET}\n`)))
    const theirs = privateKeyToAccount(SECRET)
    expect(account.address).toBe(theirs.address.toLowerCase())
    const fields = { nonce: 3, gas: 21_000n, maxFeePerGas: 7n, maxPriorityFeePerGas: 0n, value: 0n, to: theirs.address }
    const ours = account.sign({
      ...{ type: 2, chainId: 31_337, nonce: 3, maxPriorityFeePerGas: 0n, maxFeePerGas: 7n, gasLimit: 21_000, value: 0n },
      ...{ to: account.address, data: new Uint8Array(0), accessList: [] },
    } as never)
    expect(bytesToHex(ours)).toBe(await theirs.signTransaction({ type: 'eip1559', chainId: 31_337, ...fields }))
  })

  it.each([
    ['text', 'secret', 0o600, 'must contain one secret key'],
    ['a short key', '0x5a5a', 0o600, 'must contain one secret key'],
    ['zero', `0x${'00'.repeat(32)}`, 0o600, 'must contain one secret key'],
    ['the order of the curve', `0x${CURVE_ORDER}`, 0o600, 'must contain one secret key'],
    ['two keys', `${SECRET}\n${SECRET}`, 0o600, 'must be a file with one secret key'],
    ['a mode for the group', SECRET, 0o640, 'can be read by others (mode 640)'],
    ['a mode for all', SECRET, 0o604, 'can be read by others (mode 604)'],
  ])('is refused with %s, and the message never has its content', async (name, text, mode, message) => {
    const read = await readOperatorKey(crypto, await file(name, text, mode))
    expect(read).toMatchObject({ ok: false, error: { message: expect.stringContaining(message) } })
    expect(JSON.stringify(read)).not.toContain('5a5a')
  })

  it('is refused if it is missing or no file', async () => {
    await mkdir(join(directory, 'folder'))
    for (const [name, message] of [
      ['none', 'does not exist'],
      ['folder', 'must be a file'],
    ] as const)
      expect(await readOperatorKey(crypto, join(directory, name))).toMatchObject({
        ok: false,
        error: { message: expect.stringContaining(message) },
      })
  })
})
