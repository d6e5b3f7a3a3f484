import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from './child.mjs'
import { npmCommand } from './install.mjs'
import { root } from './paths.mjs'
import { Refusal, step } from './steps.mjs'

/** The programs that need TypeScript 6 (`tools/README.md`). */
export const toolsFolder = join(root, 'tools')

/** @returns {string} the file of a program's entry in there, to be run with this very Node. */
export const separateTool = (path) => join(toolsFolder, 'node_modules', path)

/** Makes `tools/node_modules` hold the versions that `tools/package.json` names. Does nothing when it already does. */
export async function ensureTools() {
  if (await isInstalled()) return
  const [command, ...own] = npmCommand()
  const args = [...own, 'ci', '--ignore-scripts', '--no-audit', '--no-fund']
  const { value } = await step('Install the tools that need TypeScript 6 (npm ci; once)', () =>
    run(command, args, { cwd: toolsFolder, output: 'capture' }),
  )
  if (value.code !== 0) throw new Refusal(`npm could not install what tools/package.json names:\n${value.output.trimEnd()}`)
}

async function isInstalled() {
  const { dependencies } = await readManifest(join(toolsFolder, 'package.json'))
  for (const [name, version] of Object.entries(dependencies)) {
    const installed = await readManifest(separateTool(`${name}/package.json`))
    if (installed.version !== version) return false
  }
  return true
}

/** Only an absent file is expected; it has no version. */
async function readManifest(path) {
  try {
    return JSON.parse(await readFile(path, 'utf8'))
  } catch (error) {
    if (error.code === 'ENOENT') return {}
    throw error
  }
}
