#!/usr/bin/env node
// `npm run coverage`: how much of each package the suites execute. Writes docs/coverage.md and fails below a floor.
import './lib/node-version.mjs'

void Promise.all([import('./lib/coverage.mjs'), import('./lib/steps.mjs')]).then(([{ coverage }, { main }]) =>
  main(() => coverage(process.argv.slice(2))),
)
