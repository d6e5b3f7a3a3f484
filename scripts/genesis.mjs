#!/usr/bin/env node
// `npm run genesis`: rewrites the devnet's genesis.json. Needed after a change of the execution version.
import './lib/node-version.mjs'

void Promise.all([import('./lib/bootstrap.mjs'), import('./lib/steps.mjs')]).then(([{ bootstrap }, { main }]) =>
  main(async () => {
    await bootstrap()
    const { writeRepositoryGenesis } = await import('../packages/cli/dist/devnet/genesis.js')
    await writeRepositoryGenesis()
    return 0
  }),
)
