import { readFile } from 'node:fs/promises'
import { nobleCrypto } from '@quoin/protocol'
import { expect, it } from 'vitest'
import { devnetGenesis, genesisText } from './genesis.ts'
import { DEFAULT_SETTINGS } from './settings.ts'

it('the genesis file in the repository is that of a devnet with default settings (npm run genesis)', async () => {
  const text = await readFile(new URL('../../../../genesis.json', import.meta.url), 'utf8')
  expect(text).toBe(genesisText(await devnetGenesis(nobleCrypto, DEFAULT_SETTINGS)))
})
