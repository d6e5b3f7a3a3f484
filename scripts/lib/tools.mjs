import { join } from 'node:path'
import { npmCi, readOptional } from './install.mjs'
import { root } from './paths.mjs'
import { step } from './steps.mjs'

/** The programs that need TypeScript 6 (`tools/README.md`). */
export const toolsFolder = join(root, 'tools')

/** @returns {string} the file of a program's entry in there, to be run with this very Node. */
export const separateTool = (path) => join(toolsFolder, 'node_modules', path)

/** typedoc and its settings: writes the reference of @quoin/contracts and @quoin/sdk to docs/api/. A missing docstring and a link that leads nowhere are errors. */
export const typedoc = [separateTool('typedoc/bin/typedoc'), '--options', join(toolsFolder, 'typedoc.config.mjs')]

/** Installs the programs of `tools/`, if necessary. */
export const ensureTools = () => ensureProject(toolsFolder, 'the tools that need TypeScript 6')

/**
 * Makes the `node_modules` of a project outside the workspaces hold the versions that its `package.json` names. Does nothing when it already does.
 *
 * @param {string} folder
 * @param {string} what its name in the output
 */
export async function ensureProject(folder, what) {
  if (await isInstalled(folder)) return
  await step(`Install ${what} (npm ci; once)`, () => npmCi(folder))
}

async function isInstalled(folder) {
  const { dependencies } = await readManifest(join(folder, 'package.json'))
  for (const [name, version] of Object.entries(dependencies)) {
    const installed = await readManifest(join(folder, 'node_modules', name, 'package.json'))
    if (installed.version !== version) return false
  }
  return true
}

/** An absent file has no version. */
const readManifest = async (path) => JSON.parse((await readOptional(path)) ?? '{}')
