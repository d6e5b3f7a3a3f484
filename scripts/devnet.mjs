#!/usr/bin/env node
// `npm run devnet`: installs and builds if needed, then runs four validators.
import './lib/node-version.mjs'

void Promise.all([import('./lib/bootstrap.mjs'), import('./lib/steps.mjs')]).then(([{ bootstrap }, { main }]) =>
  main(async () => {
    await bootstrap()
    const devnet = await import('../packages/cli/dist/devnet/main.js')
    return devnet.main(process.argv.slice(2))
  }),
)
