#!/usr/bin/env node
// `npm run docs`: writes the reference of @quoin/contracts as HTML to docs/api/, from the docstrings. Fails if a docstring is missing.
import './lib/node-version.mjs'

void Promise.all([
  import('./lib/child.mjs'),
  import('./lib/install.mjs'),
  import('./lib/steps.mjs'),
  import('./lib/tools.mjs'),
]).then(([{ run }, { ensureInstalled }, { main, Refusal }, { ensureTools, typedoc, toolsFolder }]) =>
  main(async () => {
    await ensureInstalled()
    await ensureTools()
    const { code } = await run(process.execPath, typedoc, { cwd: toolsFolder })
    if (code !== 0) throw new Refusal('typedoc failed, the reference was not written. See its messages above.')
    return 0
  }),
)
