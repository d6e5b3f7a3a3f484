#!/usr/bin/env node
// `npm run docs`: writes the reference of @quoin/contracts as HTML to docs/api/, from the docstrings. Fails if a docstring is missing.
import './lib/node-version.mjs'

void Promise.all([
  import('node:path'),
  import('./lib/child.mjs'),
  import('./lib/install.mjs'),
  import('./lib/steps.mjs'),
  import('./lib/tools.mjs'),
]).then(([{ join }, { run }, { ensureInstalled }, { main, Refusal }, { ensureTools, separateTool, toolsFolder }]) =>
  main(async () => {
    await ensureInstalled()
    await ensureTools()
    const args = [separateTool('typedoc/bin/typedoc'), '--options', join(toolsFolder, 'typedoc.config.mjs')]
    const { code } = await run(process.execPath, args, { cwd: toolsFolder })
    if (code !== 0) throw new Refusal('typedoc failed, the reference was not written. See its messages above.')
    return 0
  }),
)
