import { afterEach, expect, it } from 'vitest'
import { LogRecorder } from '../../test/chain.ts'
import { type Config, type ConfigSources, loadConfig, loadWithShadows } from '../config/index.ts'
import type { RpcSettings } from '../rpc/server/server.ts'
import { CommandError } from './failure.ts'
import { openLog } from './live-log.ts'
import { Reload } from './live-settings.ts'
import { ServedSettings } from './served-settings.ts'

const NONE = { file: undefined, env: {}, flags: {} }
const configOf = (text: string) => loadConfig({ ...NONE, file: { name: 'config.toml', text } })
const before = (configOf('') as { value: Config }).value

let reload: Reload | undefined
afterEach(() => reload?.close())

function open(texts: readonly string[], refusal?: string, given: Partial<ConfigSources> = {}) {
  const log = new LogRecorder()
  const applied: string[] = []
  const left = [...texts]
  reload = new Reload({
    config: before,
    read: async () => loadWithShadows({ ...NONE, ...given, file: { name: 'config.toml', text: left.shift() ?? '' } }),
    prepare: (config) => {
      if (refusal !== undefined) throw new CommandError(refusal)
      return () => applied.push(config.log.level)
    },
    log,
  })
  return { reload, log, applied }
}

it('applies what takes effect at once, and names what needs a restart', async () => {
  const {
    reload: opened,
    log,
    applied,
  } = open(['[log]\nlevel = "debug"\n[rpc]\nbatch-items = 7\nport = 1\n', '[log]\nlevel = "debug"\n[rpc]\nport = 1\n'])
  await opened.reload()
  expect(applied).toEqual(['debug'])
  expect(log.lines).toMatchObject([
    { level: 'info', fields: { changed: ['rpc.batch-items', 'log.level'] } },
    { level: 'warn', fields: { changed: ['rpc.port'] } },
  ])
  // The next reload is compared with the last one.
  await opened.reload()
  expect(log.lines.slice(2)).toMatchObject([{ level: 'info', fields: { changed: ['rpc.batch-items'] } }])
})

it('names keys that the environment or a flag overrides', async () => {
  const sources = { env: { QUOIN_RPC_BATCH_ITEMS: '1000' }, flags: { '--log-level': 'info' } }
  const { reload: opened, log } = open(['[rpc]\nbatch-items = 7\n[log]\nlevel = "debug"\n', ''], undefined, sources)
  await opened.reload()
  await opened.reload()
  expect(log.lines.map(({ fields }) => fields)).toEqual([
    { changed: [], shadowed: ['rpc.batch-items by QUOIN_RPC_BATCH_ITEMS', 'log.level by --log-level'] },
    { changed: [] },
  ])
})

it('changes nothing when the file is wrong, and says why', async () => {
  const {
    reload: opened,
    log,
    applied,
  } = open(['[log]\nlevel = "loud"\n', '[rcp]\n', ''], 'rpc.trusted-proxies: x is not an IP address')
  for (const reason of [/must be one of trace/, /unknown section \[rcp\]/, /x is not an IP address/]) {
    await opened.reload()
    expect(log.lines.at(-1)).toMatchObject({ level: 'error', fields: { reason: expect.stringMatching(reason) } })
  }
  expect(applied).toEqual([])
})

it('reacts to SIGHUP until it is closed', async () => {
  const { reload: opened, applied } = open(['[log]\nlevel = "warn"\n'])
  process.emit('SIGHUP')
  await opened.close()
  expect(applied).toEqual(['warn'])
  expect(process.listenerCount('SIGHUP')).toBe(0)
})

it('settings that were reloaded before the RPC serves take effect when it does', () => {
  const set: unknown[] = []
  const rpc = { set: (settings: unknown) => void set.push(settings) }
  const [first, second, third] = ['first', 'second', 'third'] as unknown as [RpcSettings, RpcSettings, RpcSettings]
  const served = new ServedSettings()
  served.set(first)
  served.set(second)
  served.serve(rpc)
  served.set(third)
  expect(set).toEqual([second, third])
  // Nothing was reloaded.
  new ServedSettings().serve(rpc)
  expect(set).toHaveLength(2)
})

it('a new log level applies to child loggers too', () => {
  const { log, setLevel } = openLog('info')
  const child = log.child({ module: 'a' })
  const grandchild = child.child({ module: 'b' })
  setLevel('error')
  expect([log.level, child.level, grandchild.level]).toEqual(['error', 'error', 'error'])
  setLevel('debug')
  expect(log.child({}).level).toBe('debug')
})
