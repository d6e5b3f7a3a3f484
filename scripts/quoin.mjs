#!/usr/bin/env node
// `npm run quoin -- <command>`: installs and builds if needed, then runs the command line.
import './lib/node-version.mjs'

void Promise.all([import('./lib/bootstrap.mjs'), import('./lib/steps.mjs')]).then(([{ bootstrap }, { main }]) =>
  main(async () => {
    await bootstrap()
    const cli = await import('../packages/cli/dist/main.js')
    return cli.main(process.argv.slice(2))
  }),
)
