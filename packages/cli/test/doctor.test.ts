import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nobleCrypto } from '@quoin/protocol'
import { doctor } from '@quoin/validator'
import { type DataDir, dataDir, init } from '@quoin/validator/directory'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EndingError } from '../../node/src/health/ending.ts'
import { devnetGenesis, genesisText } from '../src/devnet/genesis.ts'
import { DEFAULT_SETTINGS } from '../src/devnet/settings.ts'

let root: string
let dir: DataDir
let other: DataDir

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'quoin-doctor-'))
  const genesis = join(root, 'genesis.json')
  await writeFile(genesis, genesisText(await devnetGenesis(nobleCrypto, DEFAULT_SETTINGS)))
  const make = async (developmentIndex: number): Promise<DataDir> => {
    const path = join(root, `validator-${developmentIndex}`)
    await init({
      ...{ dataDir: path, genesis, developmentIndex, listen: '/ip4/127.0.0.1/tcp/26656', advertise: undefined },
      ...{ development: true, rpcPort: 8545, random: (length: number) => new Uint8Array(length).fill(7) },
    })
    return dataDir(path)
  }
  dir = await make(0)
  other = await make(1)
})
afterEach(() => rm(root, { recursive: true }))

const lines: string[] = []
const examine = async (): Promise<readonly string[]> => {
  lines.length = 0
  await doctor(dir.root, (line) => lines.push(line))
  return lines
}

describe('the sign state, for the doctor', () => {
  it('passes with its own key, and is not changed', async () => {
    const before = await readFile(dir.signState)
    expect(await examine()).toEqual([
      'database: does not exist yet',
      expect.stringMatching(/^sign-state: 1 records of validator 0x/),
      'tokens: none are taken',
      'tls: off',
    ])
    expect(await readFile(dir.signState)).toEqual(before)
  })

  it('is a fault if a start would refuse it: missing, empty, or of another key', async () => {
    await rm(dir.signState)
    await expect(examine()).rejects.toThrow(/sign-state: no sign state of validator 0x/)
    await writeFile(dir.signState, '')
    await expect(examine()).rejects.toThrow(/no sign state of validator/)
    await copyFile(other.signState, dir.signState)
    await expect(examine()).rejects.toThrow(/belongs to validator 0x\w+, but the key of this node is 0x/)
    await expect(examine()).rejects.toBeInstanceOf(EndingError)
  })

  it('is not expected if there is no validator key', async () => {
    await rm(dir.validatorKey)
    expect(await examine()).toContain('sign-state: not checked, because there is no validator key')
    await rm(dir.signState)
    expect(await examine()).toContain('sign-state: not checked, because there is no validator key')
  })
})
