import { expect, it } from 'vitest'
import { configTemplate, loadConfig } from './load.ts'

const load = (text: string) => loadConfig({ file: { name: 'config.toml', text }, env: {}, flags: {} })

it('says under which name a key that was renamed goes on', () => {
  expect(load('[p2p]\nip-filter = true\n')).toMatchObject({
    ok: false,
    error: { message: 'config.toml: p2p.ip-filter is called p2p.filter-by-address now: rename it' },
  })
})

it('reads what its own template says', () => {
  expect(load(configTemplate())).toEqual(load(''))
})
