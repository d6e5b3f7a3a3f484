import { join } from 'node:path'
import { npmCi, readOptional } from './install.mjs'
import { root } from './paths.mjs'
import { step } from './steps.mjs'

/** The programs that need TypeScript 6 (`tools/README.md`). */
export const toolsFolder = join(root, 'tools')

/** @returns {string} the file of a program's entry in there, to be run with this very Node. */
export const separateTool = (path) => join(toolsFolder, 'node_modules', path)

/** Makes `tools/node_modules` hold the versions that `tools/package.json` names. Does nothing when it already does. */
export async function ensureTools() {
  if (await isInstalled()) return
  await step('Install the tools that need TypeScript 6 (npm ci; once)', () => npmCi(toolsFolder))
}

async function isInstalled() {
  const { dependencies } = await readManifest(join(toolsFolder, 'package.json'))
  for (const [name, version] of Object.entries(dependencies)) {
    const installed = await readManifest(separateTool(`${name}/package.json`))
    if (installed.version !== version) return false
  }
  return true
}

/** An absent file has no version. */
const readManifest = async (path) => JSON.parse((await readOptional(path)) ?? '{}')
