import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const { dependencies } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'))
const PLATFORMS = { linux: 'linux', darwin: 'darwin', win32: 'win32' }
const PROCESSORS = { x64: 'amd64', arm64: 'arm64' }

/** Path of the program itself, because npm's command starts another Node.js process first. */
function program(name) {
  const { resolve } = createRequire(import.meta.url)
  const suffix = process.platform === 'win32' ? '.exe' : ''
  return resolve(`@foundry-rs/${name}-${PLATFORMS[process.platform]}-${PROCESSORS[process.arch]}/bin/${name}${suffix}`)
}

export const FORGE = program('forge')
export const ANVIL = program('anvil')
export const FOUNDRY_VERSION = dependencies['@foundry-rs/forge']
export const SOLC_VERSION = dependencies.solc
/** The script that forge uses as solc. Windows cannot start it. */
export const SOLC = fileURLToPath(new URL('comparison/solc.mjs', import.meta.url))
