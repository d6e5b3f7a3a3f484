import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { type LockPackages, projectLock } from '../packages/cli/src/create/lock.ts'

const lock = JSON.parse(readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8')) as { packages: LockPackages }
const OURS = ['protocol', 'consensus', 'execution', 'platform', 'contracts', 'node', 'validator', 'cli', 'sdk']

/** Names of all packages that npm installs with one of ours, on all platforms together. */
function installedWith(name: string): ReadonlySet<string> {
  const manifest = { name: 'server', version: '1.0.0', dependencies: { [`@quoin/${name}`]: '0.1.0' } }
  const tarballs = OURS.map((own) => ({ name: `@quoin/${own}`, file: `${own}.tgz`, integrity: '' }))
  const paths = Object.keys(projectLock(lock.packages, manifest, tarballs).packages)
  return new Set(paths.map((path) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)))
}

it('a validator installs nothing of the authors of contracts', () => {
  const names = installedWith('validator')
  expect(names).toContain('libp2p')
  for (const name of ['@quoin/contracts', '@quoin/cli', 'commander', 'esbuild', 'viem', 'vitest'])
    expect(names).not.toContain(name)
  for (const name of ['ox', 'elliptic']) expect(names).not.toContain(name)
  // The same look-up finds them where they are.
  expect(installedWith('cli')).toContain('esbuild')
})

it('the node alone, as authors have it, installs nothing that only validators need', () => {
  const names = installedWith('node')
  expect(names).toContain('ws')
  for (const name of ['libp2p', 'classic-level', 'pino', '@quoin/validator']) expect(names).not.toContain(name)
})
