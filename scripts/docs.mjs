#!/usr/bin/env node
// `npm run docs`: writes the reference of @quoin/contracts and @quoin/sdk as HTML to docs/api/, from the docstrings, and the table of methods
// in docs/json-rpc.md, from the methods of a node. Fails if a docstring is missing, or a method has no row in docs/json-rpc-methods.json.
import './lib/node-version.mjs'

void Promise.all([
  import('./lib/bootstrap.mjs'),
  import('./lib/child.mjs'),
  import('./lib/json-rpc-page.mjs'),
  import('./lib/steps.mjs'),
  import('./lib/tools.mjs'),
]).then(([{ bootstrap }, { run }, { writeMethods }, { main, Refusal }, { ensureTools, typedoc, toolsFolder }]) =>
  main(async () => {
    await bootstrap()
    await writeMethods()
    await ensureTools()
    const { code } = await run(process.execPath, typedoc, { cwd: toolsFolder })
    if (code !== 0) throw new Refusal('typedoc failed, the reference was not written. See its messages above.')
    return 0
  }),
)
